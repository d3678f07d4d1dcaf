"""A second opinion on Sigma rules: pySigma parses them, and what is here evaluates them, slowly and plainly.

Events are the lines of `faultline export`; where the events of a log source are stands in rules/sigma_sources.def, which
is data and not what is checked. Nothing else is shared with rules/."""
import ipaddress
import os
import re

from sigma import conditions as c
from sigma import types as t
from sigma.rule import SigmaRule

COLUMNS = {"eventid": "event_id", "provider_name": "provider", "provider_guid": "provider_guid", "computer": "host",
           "eventrecordid": "record_id", "execution_processid": "pid", "execution_threadid": "tid", "security_userid": "user_sid"}
LATER = {"channel": "channel", "level": "level", "task": "task", "opcode": "opcode", "keywords": "keywords", "version": "version",
         "qualifiers": "qualifiers", "message": "message", "provider": "provider", "computername": "host", "hostname": "host"}


def strings(line):
    return re.findall(r'"((?:[^"\\]|\\.)*)"', line)


class Sources:
    def __init__(self, top):
        self.services, self.categories, self.when = {}, {}, {}
        with open(os.path.join(top, "rules", "sigma_sources.def"), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for kind, rest in re.findall(r"FL_(SERVICE|PLACE|WHEN)\((.*?)\)\s*$", text, flags=re.M | re.S):
            name, *words = strings(rest)
            if kind == "SERVICE":
                self.services.setdefault(name, set()).add(words[0].lower())
            elif kind == "PLACE":
                names = dict(pair.lower().split("=") for pair in words[2].split()) if words[2] else {}
                self.categories.setdefault(name, []).append((words[0], {int(number) for number in words[1].split()}, names))
            else:
                self.when[name] = (words[0].lower(), {word.lower() for word in words[1].split("|")})

    def places(self, logsource):
        """(channels, ids, names of fields): None for any."""
        if logsource.product not in (None, "windows"):
            return []
        if logsource.category:
            return [(self.services[service], ids, names) for service, ids, names in self.categories.get(logsource.category, [])
                    if logsource.service in (None, service)]
        if logsource.service:
            return [(self.services[logsource.service], None, {})] if logsource.service in self.services else []
        return [(None, None, {})]


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


class Event:
    def __init__(self, line):
        self.line = line
        self.data = {}
        for name, value in (line.get("data") or {}).items():
            values = value if isinstance(value, list) else [value]
            self.data.setdefault(name.replace(" ", "").lower(), [None if one is None else text_of(one) for one in values])
        self.known = {}
        self.all = None

    def values(self, name):
        """(is there, values); a column is there when it has a value."""
        if name not in self.known:
            column = COLUMNS.get(name) or (LATER.get(name) if name not in self.data else None)
            if column:
                value = self.line.get(column)
                if column == "message" and self.line.get("message_source") == "own":
                    value = None
                pairs = [] if value is None else [text_of(value)]
                found = (bool(pairs), pairs)
            else:
                found = (name in self.data, self.data.get(name, []))
            self.known[name] = (found[0], [None if one is None else (one, one.lower()) for one in found[1]])
        return self.known[name]

    def everything(self):
        if self.all is None:
            names = ["provider_name", "eventid", "channel", "computer", "security_userid", "message"]
            columns = [self.line.get({"channel": "channel", "message": "message"}.get(name) or COLUMNS[name]) for name in names]
            if self.line.get("message_source") == "own":
                columns[-1] = None
            texts = [one for values in self.data.values() for one in values if one is not None]
            texts += [text_of(one) for one in columns if one is not None]
            self.all = [(one, one.lower()) for one in texts]
        return self.all


def glob(string):
    parts = {t.SpecialChars.WILDCARD_MULTI: ".*", t.SpecialChars.WILDCARD_SINGLE: "."}
    return "".join(re.escape(part) if isinstance(part, str) else parts[part] for part in string.s)


def text_test(value, anywhere):
    """A function of (text, text without case)."""
    cased = isinstance(value, t.SigmaCasedString)
    at = 0 if cased else 1
    many = t.SpecialChars.WILDCARD_MULTI
    parts = list(value.s)
    front, behind = anywhere or (parts and parts[0] == many), anywhere or (parts and parts[-1] == many)
    inner = [part for part in parts if part != many] if all(isinstance(p, str) or p == many for p in parts) else None
    if inner is not None and len(inner) <= 1 and len(parts) - len(inner) <= 2:
        plain = inner[0] if inner else ""
        plain = plain if cased else plain.lower()
        if front and behind:
            return lambda pair: plain in pair[at]
        if front:
            return lambda pair: pair[at].endswith(plain)
        if behind:
            return lambda pair: pair[at].startswith(plain)
        return lambda pair: pair[at] == plain
    pattern = re.compile(glob(value) if cased else glob(value).lower() if glob(value).islower() else glob(value), re.S | (0 if cased else re.I))
    return (lambda pair: pattern.search(pair[0]) is not None) if anywhere else (lambda pair: pattern.fullmatch(pair[0]) is not None)


def in_network(text, network):
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False


def value_test(value, anywhere=False):
    if isinstance(value, t.SigmaExpansion):
        tests = [value_test(one, anywhere) for one in value.values]
        return lambda pair: any(test(pair) for test in tests)
    if isinstance(value, t.SigmaString):
        return text_test(value, anywhere)
    if isinstance(value, (t.SigmaBool, t.SigmaNumber)):
        plain = str(value).lower() if isinstance(value, t.SigmaBool) else str(value.number)
        return (lambda pair: plain in pair[1]) if anywhere else (lambda pair: pair[1] == plain)
    if isinstance(value, t.SigmaRegularExpression):
        known = {"IGNORECASE": re.I, "MULTILINE": re.M, "DOTALL": re.S}
        pattern = re.compile(str(value.regexp), sum(known[flag.name] for flag in value.flags))
        return lambda pair: pattern.search(pair[0]) is not None
    if isinstance(value, t.SigmaCIDRExpression):
        network = ipaddress.ip_network(value.cidr)
        return lambda pair: in_network(pair[0], network)
    raise TypeError(f"{type(value)} is not known to the oracle")


def field_test(node, names):
    name = node.field.replace(" ", "").lower()
    name = names.get(name, name)
    value = node.value
    if isinstance(value, t.SigmaNull):
        return lambda event: not any(one is not None for one in event.values(name)[1])
    if isinstance(value, t.SigmaExists):
        return lambda event: event.values(name)[0] == value.exists
    if isinstance(value, t.SigmaFieldReference):
        other = names.get(value.field.lower(), value.field.lower())
        return lambda event: any(a[1] == b[1] for a in event.values(name)[1] if a for b in event.values(other)[1] if b)
    test = value_test(value)
    wants_empty = isinstance(value, t.SigmaString) and value.s == []
    return lambda event: any(wants_empty if one is None else test(one) for one in event.values(name)[1])


def compile_node(node, names):
    if isinstance(node, (c.ConditionOR, c.ConditionAND)):
        kids = [compile_node(kid, names) for kid in node.args]
        if isinstance(node, c.ConditionOR):
            return lambda event: any(kid(event) for kid in kids)
        return lambda event: all(kid(event) for kid in kids)
    if isinstance(node, c.ConditionNOT):
        kid = compile_node(node.args[0], names)
        return lambda event: not kid(event)
    if isinstance(node, c.ConditionValueExpression):
        test = value_test(node.value, anywhere=True)
        return lambda event: any(test(one) for one in event.everything())
    return field_test(node, names)


class Rule:
    def __init__(self, text, sources):
        self.parsed = SigmaRule.from_yaml(text)
        self.id = str(self.parsed.id)
        self.places = []
        when = sources.when.get(self.parsed.logsource.category)
        for channels, ids, names in sources.places(self.parsed.logsource):
            tests = [compile_node(condition.parsed, names) for condition in self.parsed.detection.parsed_condition]
            self.places.append((channels, ids, tests, when))

    def tests_for(self, channel, event_id):
        for channels, ids, tests, when in self.places:
            if (channels is None and channel) or (channels and channel in channels):
                if ids is None or event_id in ids:
                    return tests, when
        return None


def holds(found, event):
    tests, when = found
    if when and not any(one and one[1] in when[1] for one in event.values(when[0])[1]):
        return False
    return any(test(event) for test in tests)
