"""Live records that do not decode where they stand: what is provable of them is told, marked, and nothing is invented."""
import json
import re
import struct
import zlib

from tool import build, check, expect, finish, path, run, write

HEADER, CHUNK, MAGIC = 4096, 65536, b"\x2a\x2a\0\0"
SCENARIO = """title "one log of several chunks"
base 2026-03-10T08:00:00Z
machine PC role=server name=PC.example
log System on PC from=t-20d to=t first_id=1000 background=500
bundle partial dir layout=flat of PC
"""
with open(build(write("partial.scn", SCENARIO), path("partial-log"))[0] + "/PC-System.evtx", "rb") as stream:
    LOG = stream.read()
check(len(LOG) >= HEADER + 3 * CHUNK, f"{len(LOG)} bytes are at least three chunks")


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def signed(log):
    """The log with checksums that are right again."""
    log = bytearray(log)
    for chunk in range(HEADER, len(log), CHUNK):
        if log[chunk:chunk + 7] != b"ElfChnk":
            continue
        struct.pack_into("<I", log, chunk + 52, zlib.crc32(bytes(log[chunk + 512:chunk + u32(log, chunk + 48)])))
        head = bytes(log[chunk:chunk + 120] + log[chunk + 128:chunk + 512])
        struct.pack_into("<I", log, chunk + 124, zlib.crc32(head))
    return bytes(log)


def one_chunk(log):
    header = bytearray(log[:HEADER])
    struct.pack_into("<Q", header, 16, 0)
    struct.pack_into("<H", header, 42, 1)
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    return bytes(header) + log[HEADER:HEADER + CHUNK]


def records(log, chunk):
    at = chunk + 512
    while at < chunk + u32(log, chunk + 48):
        yield at, u32(log, at + 4)
        at += u32(log, at + 4)


def instances(log, chunk):
    """(record, place of the instance, id, place of the definition) of each template that a record names."""
    for at, size in records(log, chunk):
        for place in range(at + 24, at + size - 14):
            offset = u32(log, place + 6)
            if log[place:place + 2] != b"\x0c\x01" or not 512 <= offset < CHUNK - 24:
                continue
            if u32(log, chunk + offset + 4) == u32(log, place + 2) != 0:
                yield at, place, u32(log, place + 2), chunk + offset


def nested(log, chunk):
    """Instances inside of System's, by the id of their template."""
    found = {}
    for at, place, name, definition in instances(log, chunk):
        if place > at + 28:
            found.setdefault(name, []).append((at, place, definition))
    return found


def told(name, log, code=3):
    done = run("export", write(name, log))
    check(done.code == code, f"{name}: exit {done.code}", done)
    return {event["offset"]: event for event in map(json.loads, done.text.splitlines())}


def without_marks(event, *names):
    return {name: value for name, value in event.items() if name not in ("source", "flags", *names)}


def ledger(name):
    source = json.loads(expect(run("inspect", "--format", "json", path(name)), 3).text)
    at = 0
    for part in source["ledger"]:
        check(part["offset"] == at and part["length"] > 0, f"{name}: the ledger has a hole or an overlap at {at}")
        at = part["offset"] + part["length"]
    check(at == source["bytes"], f"{name}: the ledger ends at {at}")
    check(source["recovered"] == 0, f"{name}: {source['recovered']} old records where there are none")
    return source


def says(source, words):
    check(any(words in note["text"] for note in source["notes"]), f"{source['source']}: no note says {words!r}: {source['notes'][:3]}")


def values_of(event):
    """All values, in their order: what is left of them without names."""
    return [item for value in event.get("data", {}).values() for item in (value if isinstance(value, list) else [value])]


TRUTH = told("whole.evtx", LOG, 0)
NAME, USES = max(nested(LOG, HEADER).items(), key=lambda item: len(item[1]))
check(len(USES) > 5, f"{len(USES)} records of the first chunk share a template")


def overwrite(log, definition):
    """The definition's id is another one now: newer bytes stand there."""
    return signed(log[:definition + 4] + b"\xee" * 4 + log[definition + 8:])


def refused_with(log, definition):
    """Records that name the definition, but for the one that it stands in: the id in it speaks against it, too."""
    return {at for at, _, _, place in instances(log, HEADER) if place == definition}


# Another chunk has the template: nothing is lost, and the row says that it is not as it was written.
definition = USES[0][2]
needy = refused_with(LOG, definition)
events = told("elsewhere.evtx", overwrite(LOG, definition))
check(set(events) == set(TRUTH), f"{len(events)} of {len(TRUTH)} events are told")
for offset, event in events.items():
    check(without_marks(event) == without_marks(TRUTH[offset]), f"elsewhere: {event} was {TRUTH[offset]}")
    check(event.get("flags", []) == (["partial"] if offset in needy else []), f"elsewhere: flags {event.get('flags')} at {offset}")
source = ledger("elsewhere.evtx")
says(source, "is read all the same: template from another chunk")
says(source, f"template 0xeeeeeeee at {definition - HEADER}, expected 0x{NAME:08x}")
check(source["events"] == len(TRUTH) and source["damaged"] == 0, f"elsewhere: {source['events']} events, {source['damaged']} damaged")
for jobs in ("1", "2"):
    check(run("export", "--jobs", jobs, path("elsewhere.evtx")).text == run("export", path("elsewhere.evtx")).text, f"--jobs {jobs} differs")
some = run("export", "--where", f"record_id == {TRUTH[min(needy)]['record_id']}", path("elsewhere.evtx"))
check([json.loads(line) for line in some.text.splitlines()] == [events[min(needy)]], "a filter finds one of them", some)

# No chunk has it: System and the values are there, names are not.
alone = one_chunk(LOG)
truth = told("one-chunk.evtx", alone, 0)
events = told("nowhere.evtx", overwrite(alone, definition))
check(set(events) == set(truth), f"nowhere: {len(events)} of {len(truth)} events are told")
for offset, event in events.items():
    before = truth[offset]
    if offset not in needy:
        check(without_marks(event) == without_marks(before), f"nowhere: {event} was {before}")
        continue
    check(event["flags"] == ["partial"], f"nowhere: flags {event['flags']}")
    inner = ("data", "message", "message_source", "kind")
    check(without_marks(event, *inner) == without_marks(before, *inner), f"nowhere: System of {event} was {before}")
    check(list(event.get("data", {"Data": 0})) == ["Data"], f"nowhere: names came from somewhere: {event['data']}")
    check(values_of(event) == values_of(before), f"nowhere: {values_of(event)} were {values_of(before)}")
says(ledger("nowhere.evtx"), "names of their values are lost")

# The count of the inner values is wrong: what is inside is left out, System stays.
at, place, _ = USES[-1]
damaged = signed(alone[:place + 10] + struct.pack("<I", 7000) + alone[place + 14:])
events = told("no-values.evtx", damaged)
event = events.get(at, {})
check("data" not in event and event.get("flags") == ["partial"], f"no-values: {event}")
check(all(event.get(name) == truth[at][name] for name in ("time", "record_id", "event_id", "provider", "channel", "host")), f"no-values: {event}")
says(ledger("no-values.evtx"), "without what is damaged in them")

# What is System's own and cannot be trusted is not told: a time that is not the header's.
at, size = list(records(alone, HEADER))[20]
outer = next(place for record, place, _, _ in instances(alone, HEADER) if record == at)
lost = bytearray(damaged)
lost[at + 16:at + 24] = struct.pack("<Q", struct.unpack_from("<Q", alone, at + 16)[0] + 10**7)
inner = next((place for record, place, _, _ in instances(alone, HEADER) if record == at and place > outer), None)
check(inner is not None, "the record has an inner template")
struct.pack_into("<I", lost, inner + 10, 7000)
events = told("doubtful.evtx", signed(bytes(lost)))
check(at not in events, f"doubtful: {events.get(at)}")
check(any(part["state"] == "damaged" and part["offset"] <= at < part["offset"] + part["length"] for part in ledger("doubtful.evtx")["ledger"]),
      "doubtful: the ledger does not say so")

# One bit of the id that System's template is named by: our own engine has no such template, libevtx does not look.
def as_text(value):
    """A value without its type, and without what libevtx writes in another way."""
    if isinstance(value, (list, dict)):
        return list(map(as_text, value if isinstance(value, list) else value.items()))
    if isinstance(value, tuple):
        return tuple(map(as_text, value))
    text = str(value).strip("{}").lower()
    return hex(int(text, 16)) if re.fullmatch("0x[0-9a-f]+", text) else text


flipped = bytearray(LOG)
others = [place for record, place, _, definition in instances(LOG, HEADER) if record == at and definition != place + 10]
check(len(others) > 0, "a record whose template stands elsewhere")
flipped[others[0] + 3] ^= 4
events = told("flipped.evtx", signed(bytes(flipped)))
check(set(events) == set(TRUTH), f"flipped: {len(events)} of {len(TRUTH)} events")
event = dict(events.get(at, {}))
check(event.get("flags") == ["fallback", "partial"], f"flipped: {event}")
check(as_text(without_marks(event)) == as_text(without_marks(TRUTH[at])), f"flipped: {event} was {TRUTH[at]}")
source = ledger("flipped.evtx")
says(source, "is read by libevtx instead")
check(any(part["reason"] == "records read by libevtx" for part in source["ledger"]), "flipped: the ledger does not name libevtx")
for jobs in ("1", "2"):
    check(run("export", "--jobs", jobs, path("flipped.evtx")).text == run("export", path("flipped.evtx")).text, f"--jobs {jobs} differs")
finish()
