"""Event XML in one canonical form, and what of a record's XML must stand in its JSON line (docs/formats/xml.md)."""
import collections
import html
import json
import re
import subprocess
import xml.etree.ElementTree as ET

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d*))?Z?")
REAL = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|-?inf|-?Infinity|NaN|nan")
LAST_FILETIME = 2650467744000000000  # the year 10000: no RFC 3339 from here on
OURS_ONLY = {"source", "offset", "length", "kind", "flags", "time_written"}
Node = collections.namedtuple("Node", "tag attributes items")


def canonical(text):
    """One form for each GUID, number and time; what an XML reader makes of line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    guid, time = GUID.fullmatch(text), TIME.fullmatch(text)
    if guid:
        return guid[1].upper()
    if time:
        return f"{time[1]}T{time[2]}.{(time[3] or '').rstrip('0')}"
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return hex(int(text, 16))
    if re.fullmatch(r"-?\d+", text):
        return str(int(text)) if text != "-0" else "0.0"
    return repr(abs(float(text)) if float(text) == 0 else float(text)) if REAL.fullmatch(text) else text


def whole(text):
    """100.0 and 100 are the same number; text that is no number stays."""
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def node_of(element):
    """Blank text between elements is layout; text of a leaf is a value, with all its blanks."""
    items = []
    children = list(element)
    pieces = [element.text or ""] + [child.tail or "" for child in children]
    for i, piece in enumerate(pieces):
        if i:
            items.append(node_of(children[i - 1]) if isinstance(children[i - 1].tag, str) else "?" + (children[i - 1].text or ""))
        if piece.strip() if children else piece:
            items.append(whole(canonical(piece.strip() if children else piece)))
    attributes = {name: whole(canonical(" ".join(value.split()))) for name, value in element.attrib.items()}
    return Node(element.tag, attributes, items)


def parse(text):
    """The trees of one record, more than one where it holds several documents; none where it is no XML."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", text)
    builder = ET.XMLParser(target=ET.TreeBuilder(insert_pis=True))
    try:
        root = ET.fromstring("<record>" + FORBIDDEN.sub("\ufffd", text) + "</record>", builder)
    except ET.ParseError:
        return []
    return [child for child in root if isinstance(child.tag, str)]


def same_text(ours, theirs):
    """The name of the class that two different texts belong to (docs/formats/xml.md), or None."""
    if len(ours) == len(theirs) and all(a == b or (a == "\ufffd" and b in "_\ufffd") for a, b in zip(ours, theirs)):
        return "forbidden characters"
    mine, other = TIME.fullmatch(ours), TIME.fullmatch(theirs)
    if mine and other and mine[1] == other[1] and mine[2] == other[2] and (mine[3] or "")[:6].rstrip("0") == other[3]:
        return "times cut"
    if re.fullmatch(r"0x[0-9a-f]+", ours) and int(ours, 16) >= LAST_FILETIME and other:
        return "times out of range"
    if re.fullmatch(r"-\d+", theirs) and ours.isdigit() and int(ours) == int(theirs) + 2**32:
        return "odd bool"
    if theirs == "true" and ours.isdigit() and int(ours) > 1:
        return "odd bool"
    if re.fullmatch(r"0x[0-9a-f]+", ours) and theirs.isdigit() and int(ours, 16) == int(theirs):
        return "decimal sizes"
    if re.fullmatch(r"0000-00-00T00:00:00\.|[0-9A-F]{32}", ours) and theirs == "1601-01-01T00:00:00.":
        return "no date"
    return None


def is_empty(item):
    return isinstance(item, Node) and all(isinstance(inner, str) and not inner.strip() for inner in item.items)


def differences(ours, theirs, path=""):
    """(class or None, path, ours, theirs) of all that differs between two trees."""
    if isinstance(ours, str) or isinstance(theirs, str):
        if ours != theirs:
            both = isinstance(ours, str) and isinstance(theirs, str)
            yield same_text(ours, theirs) if both else None, path, ours, theirs
        return
    path += "/" + ours.tag.rsplit("}", 1)[-1]
    if ours.tag != theirs.tag:
        yield None, path, ours.tag, theirs.tag
        return
    for name in sorted(set(ours.attributes) | set(theirs.attributes)):
        a, b = ours.attributes.get(name), theirs.attributes.get(name)
        if a == "" and b is None:
            yield "empty attribute", f"{path}@{name}", a, b
        elif a != b:
            yield same_text(a or "", b or ""), f"{path}@{name}", a, b
    yield from different_items(ours.items, theirs.items, path)


def different_items(ours, theirs, path):
    if len(ours) == len(theirs):
        for a, b in zip(ours, theirs):
            yield from differences(a, b, path)
        return
    if not ours and len(theirs) == 1 and not str(theirs[0]).strip():
        yield "layout in a leaf", path, "", theirs[0]
        return
    if not theirs and len(ours) == 1 and not str(ours[0]).strip():
        yield "blank text left out", path, ours[0], ""
        return
    if ours and isinstance(ours[-1], Node) and ours[-1].tag.endswith("}RenderingInfo") and len(ours) == len(theirs) + 1:
        yield "rendering left out", path, len(ours), len(theirs)
        ours = ours[:-1]
    kept = list(ours)
    left = []
    for item in theirs:  # an element that a null value leaves out
        is_kept = kept and (not is_empty(item) or (is_empty(kept[0]) and item[:2] == kept[0][:2]))
        if is_kept:
            kept.pop(0)
            left.append(item)
    if not kept and len(left) == len(ours):
        if len(left) < len(theirs):
            yield "null left out", path, len(ours), len(theirs)
        for a, b in zip(ours, left):
            yield from differences(a, b, path)
    else:
        yield None, path, str(ours)[:300], str(theirs)[:300]


def ours_xml(program, file, *options):
    """(header record id, place, XML) of each record; raises ET.ParseError where the whole is no XML."""
    done = subprocess.run([program, "export", "--quiet", "--format", "xml", *options, file], capture_output=True, timeout=600)
    text = done.stdout.decode("utf-8")
    if text:
        ET.fromstring(text)
    for line in text.split("\n"):
        if not line.startswith("<?faultline-record "):
            continue
        place, record = line.split("?>", 1)
        number = re.search(r' header_record_id="(\d+)"', place) or re.search(r"<EventRecordID>(\d+)</EventRecordID>", record)
        source, offset = re.search(r' source="([^"]*)" offset="(\d+)"', place).groups()
        yield int(number[1]), (html.unescape(source), offset), record


def ours_json(program, file, *options):
    """(Source and offset, event) of each record; numbers keep their digits. Raises ValueError where a key stands twice."""
    def unique(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a key stands twice: " + ", ".join(name for name, _ in pairs))
        return dict(pairs)

    done = subprocess.run([program, "export", "--quiet", *options, file], capture_output=True, timeout=600)
    for line in done.stdout.decode("utf-8").splitlines():
        event = json.loads(line, parse_int=str, parse_float=str, object_pairs_hook=unique)
        yield (event["source"], event["offset"]), event


def json_values(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from json_values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from json_values(inner)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else value
        yield whole(canonical(FORBIDDEN.sub("\ufffd", text)))


def xml_values(element):
    """Every value, and every name that stands for one: attributes, texts, Name of <Data>."""
    for name, value in element.attrib.items():
        if name.rsplit("}", 1)[-1] != "Name" or not element.tag.endswith("}Data"):
            yield whole(canonical(value))
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            yield from xml_values(child)
        elif " " in (child.text or ""):
            yield whole(canonical(child.text.split(" ", 1)[1].replace("? >", "?>")))
        pieces.append(child.tail or "")
    if "".join(pieces):
        yield whole(canonical("".join(pieces)))


def data_names(element):
    """Names of <Data>, which the keys of `data` must hold; a null value has no key."""
    for child in element.iter():
        if isinstance(child.tag, str) and child.tag.endswith("}Data") and child.get("Name") and (child.text or len(child)):
            yield child.get("Name")


def missing_from_json(documents, event):
    """Values and names of the record's XML that its JSON line has not, as often as the XML has them."""
    values = collections.Counter(json_values({name: event[name] for name in event if name not in OURS_ONLY}))
    for time in (event.get("time"), event.get("time_raw")):
        values[whole(canonical(time or ""))] += 1
    wanted = collections.Counter(v for record in documents for v in xml_values(record) if v)
    keys = event.get("data", {})
    names = {n for record in documents for n in data_names(record) if n not in keys and not any(k.startswith((n + ".", n + "@")) for k in keys)}
    return list((wanted - values).elements()) + [f"name {name}" for name in sorted(names)]
