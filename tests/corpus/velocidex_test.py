"""A third reader: what Velocidex's dumpevtx reads of real logs is read here, too, with the same names and values.

FL_DUMPEVTX names the program, or it stands in build/tools/bin or PATH. It prints one map an event, which cannot hold
all of a record: so each name with its value in the map has to be one of ours, not the other way round. What still
differs belongs to a class of docs/formats/evtx.md, or is a complaint."""
import base64
import collections
import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, TOP, check, finish, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
OWN_DUMP = os.path.join(TOP, "build", "tools", "bin", "dumpevtx")
DUMP = os.environ.get("FL_DUMPEVTX") or (OWN_DUMP if os.path.exists(OWN_DUMP) else shutil.which("dumpevtx"))
FOLDERS = ("evtx", "evtx-sets", "bench", os.path.join("sigma", "regression_data"))
COLUMNS = {
    "Provider/Name": "provider", "Provider/Guid": "provider_guid", "Provider/EventSourceName": "event_source_name",
    "EventID": "event_id", "EventID/Value": "event_id", "EventID/Qualifiers": "qualifiers", "Version": "version",
    "Level": "level", "Task": "task", "Opcode": "opcode", "Keywords": "keywords", "TimeCreated/SystemTime": "time",
    "EventRecordID": "record_id", "Correlation/ActivityID": "activity_id",
    "Correlation/RelatedActivityID": "related_activity_id", "Execution/ProcessID": "pid",
    "Execution/ThreadID": "tid", "Channel": "channel", "Computer": "host", "Security/UserID": "user_sid"}
RENDERED = ("message", "level_name", "task_name", "opcode_name", "keyword_names", "level", "task", "opcode")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(?:Z| \+0000 UTC)?$")


def maps_of(file):
    """The events that dumpevtx prints, and its exit code; what it prints behind a fault is not looked at."""
    done = subprocess.run([DUMP, "parse", "--disable_messages", file], capture_output=True, timeout=600)
    text, at, decoder, maps = done.stdout.decode("utf-8", "replace").strip(), 0, json.JSONDecoder(), []
    while at < len(text):
        event, at = decoder.raw_decode(text, at)
        maps.append(event)
        while at < len(text) and text[at].isspace():
            at += 1
    return maps


def events_of(file):
    """Our events by EventRecordID, and whether the log is damaged."""
    done = subprocess.run([FAULTLINE, "export", "--quiet", file], capture_output=True, timeout=600)
    events = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        event = json.loads(line)
        events[int(event.get("record_id", -1))].append(event)
    return events, done.returncode != 0


def leaves(value, where=()):
    """(path, value) of each leaf. {"Name": x, "Value": y} is an element with that name, as <Data Name="x">y</Data>."""
    if isinstance(value, dict) and "Name" in value and set(value) <= {"Name", "Value"} and where[-1:] == ("Data",):
        yield (*where, str(value["Name"])), value.get("Value", "")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, where if name == "Value" else (*where, name))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, where)
    else:
        yield where, value


def bare(value):
    return "" if value is None else str(value).strip().strip("{}").strip().lower()


def number_of(text):
    try:
        return int(text, 16 if text.startswith("0x") else 10)
    except ValueError:
        return None


def seconds_of(value):
    """Of a time as text since 1970, or of a number."""
    if isinstance(value, float):
        return value
    found = TIME.match(str(value).strip().upper())
    if not found:
        return number_of(bare(value))
    day, clock, fraction = found.groups()
    return datetime.datetime.fromisoformat(f"{day}T{clock}+00:00").timestamp() + float(fraction or 0)


def is_same(ours, value):
    """One value in both readers' writing: 0x10 and 16, text and number, hexadecimal and base64, time and seconds."""
    one, other = bare(ours), bare(value)
    if one == other or (number_of(one) is not None and number_of(one) == number_of(other)):
        return True
    if isinstance(value, bool):
        return value == bool(number_of(one)) or one == other
    if isinstance(ours, str) and re.fullmatch("(?:[0-9A-F]{2})+", ours):
        return base64.b64encode(bytes.fromhex(ours)).decode() == value
    one, other = seconds_of(ours), seconds_of(value)
    return one is not None and other is not None and abs(one - other) < 1e-5


def known_values(event):
    """Our values by their names, whole and the last part of each, and all of them together by no name."""
    known = collections.defaultdict(list)
    for where, value in leaves(event.get("data", {})):
        name = ".".join(where).lower()
        for key in {name, re.split("[.@]", name)[-1], ""}:
            known[key].append(value)
    known[""] += [event[name] for name in RENDERED if name in event]
    return known


def differences(event, other):
    """(class or None, name, our value, the other's) of what is not ours by the same name."""
    for where, value in leaves(other["System"]):
        column = COLUMNS.get("/".join(where))
        ours = event.get(column, event.get("data", {}).get("System." + ".".join(where)))
        if not is_same(0 if ours is None and not value else ours, value) and bare(value):
            yield class_of("/".join(where), [ours], value), "/".join(where), ours, value
    known = known_values(event)
    for section, content in other.items():
        if section in ("System", "Message"):
            continue
        for where, value in leaves(content, (section,)):
            keys = (where[-1], ".".join(where[1:]), where[-2] if len(where) > 1 else where[-1])
            ours = [item for key in dict.fromkeys(keys) for item in known.get(key.lower(), ())]
            if bare(value) and not any(is_same(item, value) for item in ours):
                yield class_of("/".join(where), ours, value, known[""]), "/".join(where), ours, value


def best_of(events, other):
    """The fewest differences, those without a class first, from one of the events that bear the same id."""
    best = None
    for event in events:
        items = list(differences(event, other))
        rank = (sum(item[0] is None for item in items), len(items))
        if best is None or rank < best[0]:
            best = rank, items
        if not items:
            break
    return best[1]


def class_of(name, ours, value, anywhere=()):
    """The class of docs/formats/evtx.md that a difference belongs to, or None."""
    text = str(value)
    if "xmlns" in name:
        return "namespace"
    if text == "S-0-0-0" and ours == ["S-0-0"]:
        return "empty SID"
    if text == "-11644473600":
        return "no time"
    if any(is_same(item, value) for item in anywhere):
        return "other name"
    if text and any(isinstance(item, str) and item.startswith(text) for item in ours):
        return "first part of a text"
    if any(str(item).startswith("0x") for item in ours) and number_of(text) is None and len(text) <= 8:
        return "size as text"
    return None


def look_at(file, classes, complaints):
    events, is_damaged = events_of(file)
    n_compared = 0
    for other in maps_of(file):
        number = other.get("System", {}).get("EventRecordID")
        if number is None:
            classes["no EventRecordID"] += 1
            continue
        found = events.get(int(number), ()) if str(number).isdigit() else ()
        if not found and is_damaged:
            classes["overwritten records"] += 1
            continue
        n_compared += 1
        if not found:
            complaints.append(f"record {number} is missing")
            continue
        for name, where, ours, value in best_of(found, other):
            if name:
                classes[name] += 1
            else:
                complaints.append(f"record {number}: {where}: {str(ours)[:120]!r}, dumpevtx {str(value)[:160]!r}")
    return n_compared


def main():
    files = sorted(file for folder in FOLDERS
                   for file in glob.glob(os.path.join(CORPUS, folder, "**", "*.evtx"), recursive=True))
    if not DUMP or not files:
        skip("no dumpevtx (FL_DUMPEVTX names it) or no folder of real logs (FL_CORPUS)")
    classes, n_compared = collections.Counter(), 0
    for file in files:
        complaints = []
        n_compared += look_at(file, classes, complaints)
        check(not complaints, f"{os.path.basename(file)}: {len(complaints)} differences: {complaints[:3]}")
    print(f"{len(files)} logs, {n_compared} records compared; {dict(classes)}")
    finish()


main()
