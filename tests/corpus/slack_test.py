"""Old records behind the live ones, over a folder of real logs.

How many there are is counted here by signature, size copy and time, without a look at our reader. Then live records of
sound logs are made old ones, as they are and overwritten in part: what comes back is what was there, or nothing."""
import collections
import glob
import json
import os
import random
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, FAULTLINE, TOP, check, finish, skip, write  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
READER = RELEASE if os.path.exists(RELEASE) else FAULTLINE
HEADER, CHUNK, MAGIC = 4096, 65536, b"\x2a\x2a\0\0"
YEAR_2000, YEAR_2100 = 125911584000000000, 157469184000000000
IDENTITY = ("record_id", "header_record_id", "time", "provider", "event_id", "channel", "host", "version", "pid", "user_sid")
N_CHUNKS = int(os.environ.get("FL_SLACK_CHUNKS", "60"))


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def u64(log, at):
    return struct.unpack_from("<Q", log, at)[0]


def size_at(log, at, end):
    """The size of the record at `at` whose copy agrees, or 0."""
    if at + 40 > end or log[at:at + 4] != MAGIC:
        return 0
    size = u32(log, at + 4)
    return size if 40 <= size <= end - at and u32(log, at + size - 4) == size else 0


def key_at(log, at):
    """What makes a record: its id, its time, its template's id."""
    template = u32(log, at + 30) if log[at + 28:at + 30] == b"\x0c\x01" else 0
    return u64(log, at + 8), u64(log, at + 16), template


def chunks(log):
    """(offset, end of live records, end) of the chunks at their usual places."""
    for at in range(HEADER, len(log) - 511, CHUNK):
        end = min(at + CHUNK, len(log))
        free = u32(log, at + 48)
        if log[at:at + 7] == b"ElfChnk" and 512 <= free <= end - at:
            yield at, at + free, end


def live_records(log, chunk, free):
    at = chunk + 512
    while size := size_at(log, at, free):
        yield at, size
        at += size


def slack_only(log):
    """Keys of whole records behind live ones, without those of live ones."""
    live, old = set(), set()
    for chunk, free, end in chunks(log):
        live.update(key_at(log, at) for at, _ in live_records(log, chunk, free))
        at = log.find(MAGIC, free, end)
        while at >= 0:
            size = size_at(log, at, end)
            if size and YEAR_2000 <= u64(log, at + 16) < YEAR_2100 and u64(log, at + 8):
                old.add(key_at(log, at))
                at = log.find(MAGIC, at + size, end)
            else:
                at = log.find(MAGIC, at + 1, end)
    return old - live


def export(file, *options):
    done = subprocess.run([READER, "export", "--quiet", *options, file], capture_output=True, timeout=120)
    check(done.returncode in (0, 3, 4), f"{file}: exit {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_old(event):
    return "slack" in event.get("flags", ())


def measure(files):
    """The share of slack-only records that come back, each log by itself."""
    found = n = n_named = 0
    for file in files:
        with open(file, "rb") as stream:
            log = stream.read()
        wanted = slack_only(log)
        if not wanted:
            continue
        old = [event for event in export(file, "--recovered") if is_old(event)]
        keys = [key_at(log, event["offset"]) for event in old if event["length"] == u32(log, event["offset"] + 4)]
        check(len(keys) == len(set(keys)), f"{file}: an old record is given twice")
        found += len(wanted & set(keys))
        n_named += sum("recovered" not in event["flags"] for event in old)
        n += len(wanted)
    print(f"{n} records stand only behind live ones, {found} come back ({100 * found / max(n, 1):.1f} %), "
          f"{n_named} of them by their own chunk alone")
    check(found * 100 >= n * 65, f"{found} of {n} old records come back, expected 65 %")


def fix_checksums(log, chunk):
    free = u32(log, chunk + 48)
    struct.pack_into("<I", log, chunk + 52, zlib.crc32(bytes(log[chunk + 512:chunk + free])))
    struct.pack_into("<I", log, chunk + 124, zlib.crc32(bytes(log[chunk:chunk + 120] + log[chunk + 128:chunk + 512])))


def age(log, chunk, records, n_live):
    """A log of this chunk alone, whose records from the n-th on are no longer live; the first of them is lost."""
    header, body = bytearray(log[:HEADER]), bytearray(log[chunk:chunk + CHUNK])
    struct.pack_into("<H", header, 42, 1)
    struct.pack_into("<I", header, 120, 0)
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    last, free = records[n_live - 1][0] - chunk, records[n_live][0] - chunk
    first_id, last_id = u64(body, records[0][0] - chunk + 8), u64(body, last + 8)
    struct.pack_into("<QQQQ", body, 8, first_id, last_id, first_id, last_id)
    struct.pack_into("<II", body, 44, last, free)
    body[free:free + 24] = bytes(24)
    end = records[-1][0] + records[-1][1] - chunk
    body[end:] = bytes(CHUNK - end)  # what was old before
    fix_checksums(body, 0)
    return header, body


def same(event, truth, names):
    return all(event.get(name) == truth.get(name) for name in names)


def without_marks(event):
    return {name: value for name, value in event.items() if name not in ("source", "offset", "flags", "length")}


def overwrite(body, records, rng):
    """A few places behind the live records get random bytes, or bytes of another record. Returns the places."""
    places = []
    for at, size in rng.sample(records, max(1, len(records) // 3)):
        n = rng.choice((8, 16, 40, 100, 300))
        to = at + rng.randrange(max(1, size - n))
        if rng.random() < 0.5:
            new = rng.randbytes(n)
        else:
            other = rng.choice(records)
            start = other[0] + rng.randrange(max(1, other[1] - n))
            new = bytes(body[start:start + n])
        places.append((to, to + n))
        body[to:to + n] = new[:len(body) - to]
    return places


def tell(what, event, truth):
    differ = {name: (event.get(name), truth.get(name)) for name in {**event, **truth} if event.get(name) != truth.get(name)}
    print(f"{what}: {str(differ)[:600]}")


def judge(event, truth, counts):
    """Whether what came back of one record is what was there."""
    if without_marks(event) == without_marks(truth):
        counts["whole"] += 1
    elif not same(event, truth, IDENTITY):
        counts["false"] += 1
        tell("false", event, truth)
    elif sorted(event.get("data", {})) == sorted(truth.get("data", {})):
        counts["values overwritten"] += 1
    elif list(event.get("data", {})) in ([], ["Data"]):
        counts["names lost"] += 1
    else:
        counts["other names"] += 1
        tell("other names", event, truth)


def look_at_chunk(log, chunk, truth, rng, counts):
    records = list(live_records(log, chunk, chunk + u32(log, chunk + 48)))
    if len(records) < 8:
        return
    for is_overwritten in (False, True):
        n_live = rng.randrange(1, len(records) - 4)
        header, body = age(log, chunk, records, n_live)
        inside = [(at - chunk, size) for at, size in records[n_live + 1:]]
        if is_overwritten:
            overwrite(body, inside, rng)
        for event in export(write("aged.evtx", bytes(header + body)), "--recovered"):
            if not is_old(event):
                continue
            before = truth.get(event["offset"] - HEADER + chunk)
            if before is None:
                counts["invented"] += 1
                tell("invented", event, {})
            else:
                judge(event, before, counts[is_overwritten])
        counts[is_overwritten]["records"] += len(inside)


def look_at_aged(files, seed):
    rng = random.Random(seed)
    counts = {False: collections.Counter(), True: collections.Counter(), "invented": 0}
    n = 0
    for file in rng.sample(files, len(files)):
        if n >= N_CHUNKS:
            break
        with open(file, "rb") as stream:
            log = stream.read()
        truth = {event["offset"]: event for event in export(file)}
        for chunk, free, end in list(chunks(log))[:3]:
            look_at_chunk(log, chunk, truth, rng, counts)
            n += 1
    for is_overwritten, text in ((False, "as they were"), (True, "overwritten in part")):
        print(f"aged records {text}: {dict(counts[is_overwritten])}")
    n_all = sum(counts[True][name] + counts[False][name] for name in ("whole", "values overwritten", "names lost", "false"))
    n_false = counts[True]["false"] + counts[False]["false"] + counts["invented"] + counts[True]["other names"]
    check(n_false * 1000 <= n_all, f"{n_false} of {n_all} decoded old records are false, expected at most one in a thousand")
    untouched = counts[False]
    check(untouched["false"] + untouched["values overwritten"] + untouched["other names"] == 0, f"records as they were come back otherwise: {untouched}")


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    measure(files)
    look_at_aged(files, 7)
    finish()


main()
