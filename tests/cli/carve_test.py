"""Records that no chunk claims: found wherever they lie, told only when asked for, and never taken for live ones."""
import json
import os
import random
import struct
import time
import zipfile

from tool import build, check, expect, finish, path, run, write

HEADER, CHUNK, CLUSTER, MAGIC = 4096, 65536, 4096, b"\x2a\x2a\0\0"
SCENARIO = """title "one log of several chunks"
base 2026-03-10T08:00:00Z
machine PC role=server name=PC.example
log System on PC from=t-20d to=t first_id=1000 background=500
bundle carve dir layout=flat of PC
"""
with open(build(write("carve.scn", SCENARIO), path("carve-log"))[0] + "/PC-System.evtx", "rb") as stream:
    LOG = stream.read()
check(len(LOG) >= HEADER + 3 * CHUNK, f"{len(LOG)} bytes are at least three chunks")
rng = random.Random(11)


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def records(log, chunk):
    at = chunk + 512
    while at < chunk + u32(log, chunk + 48):
        yield at, u32(log, at + 4)
        at += u32(log, at + 4)


def events(file, *options, codes=(0, 3)):
    done = run("export", *options, file)
    check(done.code in codes, f"export {options} {file}", done)
    return [json.loads(line) for line in done.text.splitlines()]


def values(event):
    return {name: value for name, value in event.items() if name not in ("source", "offset", "flags")}


def inspect(file):
    result = run("inspect", "--format", "json", file)
    check(result.code in (0, 3), "inspect", result)
    source = json.loads(result.text.splitlines()[0])
    at = 0
    for part in source["ledger"]:
        check(part["offset"] == at and part["length"] > 0, f"{file}: the ledger has a hole or an overlap at {at}")
        at = part["offset"] + part["length"]
    check(at == source["bytes"], f"{file}: the ledger ends at {at}")
    return source


TRUTH = {event["offset"]: values(event) for event in events(write("whole.evtx", LOG))}
ALL = [(at, size) for chunk in range(HEADER, len(LOG), CHUNK) if LOG[chunk:chunk + 7] == b"ElfChnk" for at, size in records(LOG, chunk)]


def look_at(name, image, places, least, *others):
    """What comes back of the records that lie at `places` of an image, at least so many of them."""
    file = write(name, image)
    silent = events(file)
    check(not [e for e in silent if "recovered" in e.get("flags", ())], f"{name}: records are told that nobody asked for")
    result = run("export", "--recovered", file, *others)
    check(result.code == 3, f"{name}: export --recovered", result)
    found = [e for e in map(json.loads, result.text.splitlines()) if e["source"] == name]
    check([e for e in found if "recovered" not in e.get("flags", ())] == silent, f"{name}: live records differ with --recovered")
    for event in found:
        before = TRUTH.get(places.get(event["offset"]))
        check(before is not None, f"{name}: there was no record at {event['offset']}: {event}")
        # The machine's name stands in the template, so another log's does not tell it.
        wanted = before if "host" in event or not others else {key: value for key, value in (before or {}).items() if key != "host"}
        check(values(event) == wanted, f"{name}: {event} was {before}")
    check(len({e["offset"] for e in found}) == len(found), f"{name}: a record is told twice")
    check(len(found) >= least, f"{name}: {len(found)} of {len(places)} records come back, expected at least {least}")
    for jobs in ("1", "2"):
        check(run("export", "--jobs", jobs, "--recovered", file, *others).text == result.text, f"{name}: --jobs {jobs} differs")
    source = inspect(file)
    check(source["type"] == "evtx" and source["events"] == len(silent), f"{name}: {source['events']} events")
    return found, source


# Each record alone, with something else between; the first does not stand where a chunk's first record does.
image, places = bytearray(rng.randbytes(5000)), {}
for at, size in ALL[1:]:
    places[len(image)] = at
    image += LOG[at:at + size] + rng.randbytes(rng.randrange(0, 90))
found, source = look_at("alone.bin", bytes(image), places, 0)
_, source = look_at("alone-and-log.bin", bytes(image), places, len(places) * 9 // 10, path("whole.evtx"))
check(any("records of no chunk" in note["text"] or "no chunk" in note["text"] for note in source["notes"]), "alone: no note says what this is")

# Clusters of a chunk that lost its beginning, in unallocated space.
second = HEADER + CHUNK
part = LOG[second + 2 * CLUSTER:second + CHUNK]
places = {8192 + at - second - 2 * CLUSTER: at for at, size in records(LOG, second) if at >= second + 2 * CLUSTER}
image = rng.randbytes(8192) + part + rng.randbytes(3000)
found, source = look_at("unallocated.dd", image, places, len(places), path("whole.evtx"))
check(all(e["flags"] == ["recovered"] for e in found), f"flags of carved records: {found[:1]}")
check(source["events"] == 0, "a carved record counts as an event")
silent = expect(run("export", path("unallocated.dd")), 3, err="--recovered gives those that can be read")
check(silent.text == "", "carved records are told without --recovered")

# The same behind a log: what its last chunk does not claim.
last = HEADER + (len(LOG) - HEADER) // CHUNK * CHUNK
tail = rng.randbytes(100000) + part + rng.randbytes(3000)
slack = {len(LOG) + 100000 + at - second - 2 * CLUSTER: at for at in places.values()}
file = write("slack.evtx", LOG + tail)
live = events(file)
check([values(e) for e in live] == [TRUTH[e["offset"]] for e in live] and len(live) == len(TRUTH), "a log's own records stay as they are")
both = events(file, "--recovered")
check([e for e in both if "recovered" not in e.get("flags", ())] == live, "live records differ with --recovered")
check(inspect(file)["events"] == len(TRUTH), "records behind the log are counted as its own")

# With another time they are no copies.
older = bytearray(part)
for offset, at in slack.items():
    old = offset - len(LOG) - 100000
    check(older[old:old + 4] == MAGIC, "a record stands there")
    struct.pack_into("<Q", older, old + 8, struct.unpack_from("<Q", LOG, at + 8)[0] + 5000)
file = write("older.evtx", LOG + rng.randbytes(100000) + bytes(older) + rng.randbytes(3000))
old = [e for e in events(file, "--recovered") if "recovered" in e.get("flags", ())]
check(len(old) >= len(slack) * 9 // 10, f"{len(old)} of {len(slack)} records behind a log come back")
check(inspect(file)["recovered"] == len(old), "inspect counts others than --recovered gives")
check(any(part["state"] == "recovered" and part["reason"].startswith("records of no chunk") for part in inspect(file)["ledger"]),
      "the ledger does not say where they were")

# A name that promises a log is enough for a member; else only what the user names is looked through.
bundle = path("remains.zip")
with zipfile.ZipFile(bundle, "w") as members:
    members.writestr("Security.evtx.tmp", rng.randbytes(5000) + image)
    members.writestr("pagefile.sys", rng.randbytes(5000) + image)
    members.writestr("whole.evtx", LOG)
done = expect(run("export", "--recovered", bundle), 3)
carved = [e for e in map(json.loads, done.text.splitlines()) if "recovered" in e.get("flags", ())]
check({e["source"] for e in carved} == {"remains.zip!/Security.evtx.tmp"}, f"carved from {set(e['source'] for e in carved)}")
check(len(carved) == len(places), f"{len(carved)} of {len(places)} records of a temporary file")
expect(run("export", write("nothing.bin", rng.randbytes(300000))), 4, err="no parser claims it")
expect(run("export", write("stars.bin", MAGIC * 50000)), 4, err="no parser claims it")

# Records that each tell another chunk cost no more than others.
at, size = next((at, size) for at, size in ALL if any(LOG[p:p + 2] == b"\x0c\x01" and u32(LOG, p + 6) == p + 10 - (at - (at - HEADER) % CHUNK)
                                                     for p in range(at + 24, at + size - 40)))
chunk = at - (at - HEADER) % CHUNK
place = next(p for p in range(at + 24, at + size - 40) if LOG[p:p + 2] == b"\x0c\x01" and u32(LOG, p + 6) == p + 10 - chunk)
many = bytearray(rng.randbytes(5000))
for n in range(4000):
    record = bytearray(LOG[at:at + size])
    struct.pack_into("<I", record, place - at + 6, 2000 + (n * 7919) % 60000)
    many += record
start = time.monotonic()
inspect(write("many.bin", bytes(many)))
check(time.monotonic() - start < 60, f"{len(many)} bytes took {time.monotonic() - start:.1f} s")

finish()
