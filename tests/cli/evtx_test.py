"""What shows of odd event logs: values that are null or empty, bytes that are missing or came in."""
import json
import os
import re
import struct
import zlib

from tool import SCENARIOS, build, check, expect, finish, path, run, write

folder = build(os.path.join(SCENARIOS, "empty-values.scn"), path("empty-values"))[0]


def reference(event_id):
    events = map(json.loads, run("export", "--quiet", folder).text.splitlines())
    event = next(e for e in events if e["event_id"] == event_id)
    return f"{event['source']}@{event['offset']}"


def xml_of(event_id):
    shown = expect(run("show", "--format", "xml", reference(event_id), folder), 0, "<EventID")
    return re.sub("<System>.*</System>", "", shown.text).strip()


# A null in place of the data takes nothing along but itself.
expect(run("show", reference(6), folder), 0, "<EventID>6</EventID>")
ROOT = '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">'
for event_id, data in (
    (1, "<EventData><Data/><Data>second</Data><Data/><Data>fourth</Data></EventData>"),
    (5, '<EventData><Outer><Data Name="Place">inner</Data><Data Name="Own">one</Data></Outer>'
        '<Data Name="Place">outer</Data></EventData>'),
    (6, ""),
):
    text, wanted = xml_of(event_id), f"{ROOT}{data}</Event>"
    check(text == wanted, f"event {event_id}: {text!r}, expected {wanted!r}")

# Bytes that are missing or came in cost the records that they stand in, and those that need their definitions.
HEADER, CHUNK = 4096, 65536
MOVED = """title "one log of several chunks"
base 2026-03-10T08:00:00Z
machine PC role=server name=PC.example
log System on PC from=t-20d to=t first_id=1000 background=500
bundle moved dir layout=flat of PC
"""
with open(build(write("moved.scn", MOVED), path("moved-log"))[0] + "/PC-System.evtx", "rb") as stream:
    LOG = stream.read()
check(len(LOG) >= HEADER + 3 * CHUNK, f"{len(LOG)} bytes are at least three chunks")


def events(name, log):
    """Events by record id, without what damage may change, and what was said."""
    done = run("export", write(name, log))
    check(done.code in (0, 3), f"{name}: exit {done.code}", done)
    found = {}
    for line in done.text.splitlines():
        event = json.loads(line)
        is_torn = "truncated" in event.pop("flags", [])
        for key in ("offset", "length", "source"):
            del event[key]
        check(event["record_id"] not in found, f"{name}: record {event['record_id']} is told twice")
        found[event["record_id"]] = None if is_torn else event
    return found, done.notes


def right_events(name, log, whole):
    found, notes = events(name, log)
    wrong = [event for record_id, event in found.items() if event and event != whole.get(record_id)]
    check(not wrong, f"{name}: {len(wrong)} events differ from the log's: {wrong[:1]}")
    return found, notes


def look_at(name, log, most_lost, words, original=LOG):
    whole, _ = events("whole.evtx", original)
    found, notes = right_events(name, log, whole)
    check(len(whole) - len(found) <= most_lost, f"{name}: {len(whole) - len(found)} of {len(whole)} lost, "
          f"expected at most {most_lost}: {notes[:1500]}")
    check(words in notes, f"{name}: no note says {words!r}: {notes[:600]}")
    done = expect(run("inspect", "--format", "json", "--quiet", path(name)), 3)
    source = json.loads(done.text)
    check(source["type"] == "evtx" and source["events"] == len(found), f"{name}: {done.text[:200]}")
    check(any(part["state"] == "recovered" and part["reason"] for part in source["ledger"]), f"{name}: nothing is recovered")


def without(log, at, n):
    return log[:at] + log[at + n:]


def with_bytes(log, at, more):
    return log[:at] + more + log[at:]


second = HEADER + CHUNK
one_chunk = LOG[:second]


def definitions(log, chunk):
    """Where template definitions stand in a chunk: an instance in front of each bears the first word of its GUID."""
    for at in range(chunk + 512, chunk + CHUNK - 40):
        if log[at:at + 2] == b"\x0c\x01" and log[at + 2:at + 6] == log[at + 14:at + 18] != bytes(4):
            yield at + 10


# The head of one definition with the tail of another is neither: its size does not fit.
whole = events("whole.evtx", LOG)[0]
places = list(definitions(LOG, HEADER))
check(len(places) > 3, f"{len(places)} definitions in the first chunk")
for head in places:
    for tail in (place for place in places if place > head):
        right_events("joined.evtx", without(LOG, head + 60, tail - head), whole)

# The second engine: the same values in the same columns and fields, from a library that gives text.
def as_text(value):
    """A value without its type, without what the library writes in another way; of data the order, too."""
    if isinstance(value, (list, dict)):
        return list(map(as_text, value if isinstance(value, list) else value.items()))
    if isinstance(value, tuple):
        return tuple(map(as_text, value))
    text = str(value).strip("{}").lower()
    return hex(int(text, 16)) if re.fullmatch("0x[0-9a-f]+", text) else text


def told_by(engine, file):
    done = expect(run("export", "--engine", engine, file), 0)
    return list(map(json.loads, done.text.splitlines()))


def with_header(log, newest, n_chunks, is_dirty):
    header = bytearray(log[:HEADER])
    struct.pack_into("<Q", header, 16, newest)
    struct.pack_into("<H", header, 42, n_chunks)
    struct.pack_into("<I", header, 120, is_dirty)
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    return bytes(header) + log[HEADER:]


# Logs that were not closed, or are full, are whole, though the library calls them corrupted.
for file in (write("engines.evtx", LOG), write("engines-open.evtx", with_header(LOG, 0, 1, True)),
             write("engines-full.evtx", with_header(LOG, 1, 3, False))):
    ours, theirs = told_by("own", file), told_by("libevtx", file)
    check(len(ours) == len(theirs) == 500, f"{file}: {len(ours)} and {len(theirs)} events")
    for mine, other in zip(ours, theirs):
        check(other.pop("flags") == ["fallback"], f"{file}: which engine told it")
        check(as_text(mine) == as_text(other), f"{file}: {mine}, libevtx {other}")
stale = write("engines-stale.evtx", with_header(LOG, 0, 1, False))
expect(run("export", "--engine", "libevtx", stale), 3, err="libevtx counts 175 records, found 500 in all chunks")
for name, log, most_lost, words in (
    ("byte-gone-at-start.evtx", without(LOG, second, 1), 0, "the first 1 bytes of a chunk are missing"),
    ("byte-gone-in-signature.evtx", without(LOG, second + 4, 1), 0, "the first 1 bytes of a chunk are missing"),
    ("byte-gone-in-header.evtx", without(LOG, second + 300, 1), 0, "1 bytes are missing before this record"),
    ("byte-more-in-header.evtx", with_bytes(LOG, second + 300, b"Z"), 0, "1 bytes too many stand before this record"),
    ("header-gone.evtx", without(LOG, second, 512), 0, "the first 512 bytes of a chunk are missing"),
    ("byte-gone.evtx", without(LOG, second + 30000, 1), 1, "chunk has 65535 bytes"),
    ("byte-more.evtx", with_bytes(LOG, second + 30000, b"Z"), 1, "chunk has 65537 bytes"),
    ("page-more.evtx", with_bytes(LOG, second + 30000, bytes(4096)), 1, "chunk has 69632 bytes"),
    ("file-header-gone.evtx", LOG[HEADER + 512:], 0, "the first 512 bytes of a chunk are missing"),
    ("file-header-zero.evtx", bytes(HEADER + 512) + LOG[HEADER + 512:], 0, "4096 bytes of zeros where chunks should be"),
):
    look_at(name, log, most_lost, words)
for name, log in (
    ("one-chunk-zero.evtx", bytes(HEADER + 512) + one_chunk[HEADER + 512:]),
    ("one-chunk-junk.evtx", b"junk" * 1152 + one_chunk[HEADER + 512:]),
    ("one-chunk-gone.evtx", one_chunk[HEADER + 512:]),
    ("no-name", one_chunk[HEADER + 512:]),
):
    look_at(name, log, 0, "no ElfFile signature", one_chunk)
finish()
