"""The expectations of detections.yml, checked with pySigma: its parser and modifiers, and an evaluator of its conditions.

Cases marked `own` are left out: there pySigma takes another way than the specification or than Windows' logs ask for."""
import ipaddress
import re
import sys
from datetime import datetime, timezone

from cases import check, finish, load, skip

try:
    from sigma import conditions as c
    from sigma import types as t
    from sigma.rule import SigmaRule
except ImportError:
    skip("pySigma is not installed")
from detection_test import rule

FIXED = {"EventID": ["1"], "Provider_Name": ["Faultline-Fixtures-Types"], "Channel": ["Faultline-Fixtures-Types/Operational"],
         "Computer": ["BOX.example.test"], "Execution_ProcessID": ["4242"], "Security_UserID": ["S-1-5-18"]}


def text_of(kind, value):
    if kind.startswith("hex"):
        return f"0x{value:x}"
    if kind == "guid":
        return value.upper()
    if kind == "bin":
        return value.replace(" ", "").upper()
    return str(value)


def event_of(fields):
    event = dict(FIXED)
    for key, value in fields.items():
        name, _, kind = key.partition(":")
        if "null" in kind:
            event[name] = [None]
        elif kind.endswith("[]"):
            event[name] = value.split("|")
        else:
            event[name] = [text_of(kind, value)]
    return event


def pattern_of(string):
    parts = {t.SpecialChars.WILDCARD_MULTI: ".*", t.SpecialChars.WILDCARD_SINGLE: "."}
    return "".join(re.escape(part) if isinstance(part, str) else parts[part] for part in string.s)


def number(text):
    try:
        return int(text, 16) if text.lower().startswith("0x") else float(text)
    except ValueError:
        return None


COMPARE = {"LT": lambda a, b: a < b, "LTE": lambda a, b: a <= b, "GT": lambda a, b: a > b, "GTE": lambda a, b: a >= b,
           "NEQ": lambda a, b: a != b}


def part_of(text, part):
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    time = time.astimezone(timezone.utc) if time.tzinfo else time
    name = part.name.lower()
    return time.isocalendar()[1] if name == "week" else getattr(time, name)


def in_network(text, network):
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError:
        return False


def referenced(event, text, value):
    for other in event.get(value.field, []):
        a, b = text.lower(), (other or "").lower()
        if other is None:
            continue
        if a == b or (value.starts_with and value.ends_with and b in a) or \
                (value.starts_with and not value.ends_with and a.startswith(b)) or \
                (value.ends_with and not value.starts_with and a.endswith(b)):
            return True
    return False


def holds(event, text, value):
    """One value that is there; what a list of values expands to is any of them."""
    if isinstance(value, t.SigmaExpansion):
        return any(holds(event, text, one) for one in value.values)
    if isinstance(value, t.SigmaString):
        flags = re.S if isinstance(value, t.SigmaCasedString) else re.S | re.I
        return re.fullmatch(pattern_of(value), text, flags) is not None
    if isinstance(value, t.SigmaBool):
        return text.lower() == str(value).lower()
    if isinstance(value, t.SigmaTimestampPart):
        return part_of(text, value.timestamp_part) == int(str(value.number))
    if isinstance(value, t.SigmaNumber):
        return text == str(value.number)
    if isinstance(value, t.SigmaRegularExpression):
        known = {"IGNORECASE": re.I, "MULTILINE": re.M, "DOTALL": re.S}
        return re.search(str(value.regexp), text, sum(known[flag.name] for flag in value.flags)) is not None
    if isinstance(value, t.SigmaCIDRExpression):
        return in_network(text, value.cidr)
    if isinstance(value, t.SigmaCompareExpression):
        return number(text) is not None and COMPARE[value.op.name](number(text), float(str(value.number)))
    if isinstance(value, t.SigmaFieldReference):
        return referenced(event, text, value)
    raise TypeError(f"{type(value)} is not known here")


def evaluate(node, event):
    if isinstance(node, c.ConditionOR):
        return any(evaluate(kid, event) for kid in node.args)
    if isinstance(node, c.ConditionAND):
        return all(evaluate(kid, event) for kid in node.args)
    if isinstance(node, c.ConditionNOT):
        return not evaluate(node.args[0], event)
    if isinstance(node, c.ConditionValueExpression):
        if isinstance(node.value, (t.SigmaString, t.SigmaNumber)):
            found = re.compile(pattern_of(node.value) if isinstance(node.value, t.SigmaString) else str(node.value.number), re.S | re.I)
            return any(value is not None and found.search(value) for values in event.values() for value in values)
        return any(value is not None and holds(event, value, node.value) for values in event.values() for value in values)
    values = [value for value in event.get(node.field, []) if value is not None]
    if isinstance(node.value, t.SigmaNull):
        return not values
    if isinstance(node.value, t.SigmaExists):
        return (node.field in event) == node.value.exists
    return any(holds(event, value, node.value) for value in values)


n = 0
for number_of_case, case in enumerate(load("detections.yml")):
    if "refuse" in case or "own" in case or "warn" in case:
        continue
    parsed = [condition.parsed for condition in SigmaRule.from_dict(rule(number_of_case, case)).detection.parsed_condition]
    for wanted in (True, False):
        for fields in case["hit" if wanted else "miss"]:
            event = event_of({"Case": f"case {number_of_case}", **fields})
            is_held = any(evaluate(condition, event) for condition in parsed)
            check(is_held == wanted, f"{case['of']}: pySigma says {is_held} of {fields}")
            n += 1
print(f"{n} events")
finish()
sys.exit(0)
