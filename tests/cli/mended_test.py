"""What is read in spite of damage: records whose template, whose size or whose chunk's end is wrong."""
import json
import struct
import zlib

from tool import build, check, finish, path, run, write

HEADER, CHUNK = 4096, 65536
SCENARIO = """title "one log of several chunks"
base 2026-03-10T08:00:00Z
machine PC role=server name=PC.example
log System on PC from=t-20d to=t first_id=1000 background=500
bundle templates dir layout=flat of PC
"""
with open(build(write("templates.scn", SCENARIO), path("templates"))[0] + "/PC-System.evtx", "rb") as stream:
    LOG = stream.read()


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def with_checksums(log, chunk):
    """Both checksums of a chunk set right, so that nothing but its content tells of damage."""
    log = bytearray(log)
    free = u32(log, chunk + 48)
    if 512 <= free <= CHUNK:
        struct.pack_into("<I", log, chunk + 52, zlib.crc32(log[chunk + 512:chunk + free]))
    head = zlib.crc32(log[chunk + 128:chunk + 512], zlib.crc32(log[chunk:chunk + 120]))
    struct.pack_into("<I", log, chunk + 124, head)
    return bytes(log)


def with_bytes(log, at, new):
    return with_checksums(log[:at] + new + log[at + len(new):], HEADER)


def definitions(log, chunk):
    """(place, size of the body) of each definition: an instance in front of it bears the first word of its GUID."""
    for at in range(chunk + 512, chunk + CHUNK - 40):
        if log[at:at + 2] == b"\x0c\x01" and log[at + 2:at + 6] == log[at + 14:at + 18] != bytes(4):
            yield at + 10, u32(log, at + 30)


def events(name, log, *options):
    done = run("export", *options, write(name, log))
    check(done.code in (0, 3), f"{name}: exit {done.code}", done)
    return {event["record_id"]: event for event in map(json.loads, done.text.splitlines())}, done


def without_place(event):
    return {key: value for key, value in event.items() if key not in ("source", "offset", "length", "flags")}


def values_of(event):
    """Values of an event's data in their order, without names."""
    return [value for item in event["data"].values() for value in (item if isinstance(item, list) else [item])]


def look_at(name, log, whole, most_lost, words):
    """What is read of a damaged log is right and a note says `words`; returns the records whose values may be cut or
    have no names: those that there are stand in their order."""
    found, done = events(name, log)
    check(done.code == 3, f"{name}: exit {done.code}, expected 3", done)
    lost = set(whole) - set(found)
    check(len(lost) <= most_lost and set(found) <= set(whole), f"{name}: lost {sorted(lost)}", done)
    unnamed = [event for event in found.values()
               if "truncated" in event.get("flags", ())
               or "partial" in event.get("flags", ()) and event["data"] != whole[event["record_id"]]["data"]]
    for record_id, event in found.items():
        if event in unnamed:
            wanted = [value for value in values_of(whole[record_id]) if value != ""]
            check([value for value in values_of(event) if value != ""] == wanted, f"{name}: values of {event}")
        else:
            check(without_place(event) == without_place(whole[record_id]), f"{name}: {event} differs")
    source = json.loads(run("inspect", "--format", "json", "--quiet", path(name)).text)
    check(source["events"] == len(found), f"{name}: inspect counts {source['events']} events, expected {len(found)}")
    check(any(words in note["text"] for note in source["notes"]), f"{name}: no note says {words!r}: {source['notes']}")
    check(any(part["state"] == "recovered" for part in source["ledger"]), f"{name}: nothing is recovered")
    return unnamed


whole, _ = events("whole.evtx", LOG)
places = list(definitions(LOG, HEADER))
check(len(places) > 3, f"{len(places)} definitions in the first chunk")
for number, (place, size) in enumerate(places):
    # The other chunks hold the same definition; the record that holds this one may be lost with it.
    broken = with_bytes(LOG, place + 28, b"\xff" * min(size - 4, 32))
    unnamed = look_at(f"template-{number}.evtx", broken, whole, 1, "read all the same: template from another chunk")
    check(not unnamed, f"template {number}: {len(unnamed)} records without names")
    # A filter does not change what it lets through.
    few, _ = events(f"filtered-{number}.evtx", broken, "--where", "record_id > 1100")
    full, _ = events(f"filtered-{number}.evtx", broken)
    check(few == {key: event for key, event in full.items() if key > 1100}, f"template {number}: a filter changes events")

# Alone in its log, System's template takes all that use it along; those inside of it only names. As in an exported
# log, the last record's header has no time.
last = HEADER + u32(LOG, HEADER + 44)
alone = with_checksums(LOG[:last + 16] + bytes(8) + LOG[last + 24:HEADER + CHUNK], HEADER)
whole, _ = events("alone.evtx", alone)
n_unnamed = 0
for number, (place, size) in enumerate(places):
    broken = with_bytes(alone, place + 28, b"\xff" * min(size - 4, 32))
    found, done = events(f"alone-{number}.evtx", broken)
    if len(whole) - len(found) > 1:
        continue
    n_unnamed += len(look_at(f"alone-{number}.evtx", broken, whole, 1, "read all the same: names of their values are lost"))
check(n_unnamed > 3, f"{n_unnamed} records without names, expected some")

# A header that puts free space inside of a record is wrong, though its checksum is right.
last = u32(alone, HEADER + 44)
broken = with_bytes(alone, HEADER + 48, struct.pack("<I", last + 40))
look_at("free-space.evtx", broken, whole, 0, "expected its end at free space")
broken = with_bytes(broken, HEADER + 44, bytes(4))
look_at("last-record.evtx", broken, whole, 0, "expected its end at free space")

# A record whose first size is wrong is whole where the copy behind it and the next record agree; without the copy,
# too, it is read up to the next one.
def sizes(log, chunk):
    at = chunk + 512
    while at < chunk + u32(log, chunk + 48):
        yield at, u32(log, at + 4)
        at += u32(log, at + 4)


records = list(sizes(alone, HEADER))
for at, size in (records[0], records[20], records[-1]):
    for wrong in (0, 1, 28, size - 8, size + 8, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
        name, new = f"size-{at}-{wrong}.evtx", struct.pack("<I", wrong)
        unnamed = look_at(name, with_bytes(alone, at + 4, new), whole, 0, "its copy and the next record say")
        check(not unnamed, f"{name}: {unnamed} is not whole")
        broken = with_bytes(with_bytes(alone, at + 4, new), at + size - 4, new)
        torn = look_at(f"torn-{name}", broken, whole, 0, "values may be cut")
        check(len(torn) == 1, f"torn-{name}: {len(torn)} torn records, expected 1")

# Old records behind the live ones stay old, whatever one field of the header says of where they begin.
LIVE = 60
aged = bytearray(alone)
for at, _ in records[LIVE:]:
    struct.pack_into("<Q", aged, at + 8, struct.unpack_from("<Q", aged, at + 8)[0] + 7)
for first in (8, 24):  # numbers, then ids
    number, = struct.unpack_from("<Q", aged, HEADER + first)
    struct.pack_into("<Q", aged, HEADER + first + 8, number + LIVE - 1)
end = sum(records[LIVE - 1]) - HEADER
struct.pack_into("<II", aged, HEADER + 44, records[LIVE - 1][0] - HEADER, end)
aged = with_checksums(bytes(aged), HEADER)
whole, _ = events("aged.evtx", aged)
check(len(whole) == LIVE, f"{len(whole)} live records, expected {LIVE}")
for wrong in (0, 512, 513, end - 8, end + 8, 0x8000, 0xFFFF, 0x10000, 0xFFFFFFFF):
    broken = aged[:HEADER + 48] + struct.pack("<I", wrong) + aged[HEADER + 52:]
    for name, log in ((f"free-{wrong}.evtx", broken), (f"free-{wrong}-right-sums.evtx", with_checksums(broken, HEADER))):
        found, done = events(name, log)
        check(found.keys() == whole.keys() and done.code == 3, f"{name}: {len(found)} events, expected {LIVE}", done)
finish()
