"""Old records as libevtx reads them: each in a log of its own, field by field; what differs has to be explained.

The library cannot know what an old record is. It gets each as the live record of a chunk that is made for it: the record's bytes at
their place, and the definitions that it names, from its own chunk where their names are still there, else from a live part of
its log or of another one. What our own engine recovers is compared with what the library tells then."""
import collections
import concurrent.futures
import glob
import json
import os
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "cli"), HERE]
from engines import differences, is_same  # noqa: E402
from tool import BUILD, TOP, check, finish, skip, write  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
HEADER, CHUNK, MAGIC, FAR = 4096, 65536, b"\x2a\x2a\0\0", 30000
MOST_OF_A_LOG = int(os.environ.get("FL_SECOND_RECORDS", "24"))


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def told(*words):
    done = subprocess.run([FAULTLINE, "export", "--quiet", *words], capture_output=True, timeout=600)
    check(done.returncode in (0, 3, 4), f"{words}: exit {done.returncode}: {done.stderr[-300:]!r}")
    return list(map(json.loads, done.stdout.splitlines()))


# ---- a log of chunks that hold one record each ----

def make_chunk(chunk, at, size, serial):
    """The chunk with one live record at `at`, behind one record of all that stands in front of it."""
    struct.pack_into("<Q", chunk, at + 8, serial)
    struct.pack_into("<4sIQQ", chunk, 512, MAGIC, at - 512, serial - 1, 1)
    struct.pack_into("<I", chunk, at - 4, at - 512)
    free = at + size
    struct.pack_into("<8sQQQQII", chunk, 0, b"ElfChnk\0", serial - 1, serial, serial - 1, serial, 128, at)
    struct.pack_into("<II", chunk, 48, free, zlib.crc32(bytes(chunk[512:free])))
    struct.pack_into("<I", chunk, 124, zlib.crc32(bytes(chunk[:120] + chunk[128:512])))
    return bytes(chunk)


def make_log(chunks):
    header = bytearray(HEADER)
    struct.pack_into("<8sQQQIHHHH", header, 0, b"ElfFile\0", 0, len(chunks) - 1, 1 << 40, 128, 1, 3, HEADER, len(chunks))
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    return bytes(header) + b"".join(chunks)


# ---- definitions, read here without a look at our reader ----

def name_at(chunk, at):
    """The bytes of the name at `at`, if it has its hash."""
    if at + 8 > len(chunk):
        return None
    n = struct.unpack_from("<H", chunk, at + 6)[0]
    if not 0 < n <= 256 or at + 10 + 2 * n > len(chunk) or chunk[at + 8 + 2 * n:at + 10 + 2 * n] != b"\0\0":
        return None
    value = 0
    for unit in struct.unpack_from(f"<{n}H", chunk, at + 8):
        value = (value * 65599 + unit) & 0xffffffff
    return bytes(chunk[at:at + 10 + 2 * n]) if value & 0xffff == struct.unpack_from("<H", chunk, at + 4)[0] else None


def references(chunk, at, end):
    """Places of all name offsets in a definition's body; None where it is no such body."""
    found, stop = [], at + end
    at += 4  # the fragment's header
    while at < stop:
        token = chunk[at] & 0xbf
        more, at = chunk[at] & 0x40, at + 1
        if token == 0:
            return found if at == stop else None
        if token in (1, 6, 9, 10):
            at += 6 if token == 1 else 0
            found.append(at)
            is_inline = u32(chunk, at) == at + 4
            at += 4
            if is_inline:
                at += 10 + 2 * struct.unpack_from("<H", chunk, at + 6)[0]
            at += 4 if token == 1 and more else 0
        elif token in (5, 7, 11):
            at += token == 5
            at += 2 + 2 * struct.unpack_from("<H", chunk, at)[0]
        elif token in (13, 14):
            at += 3
        elif token == 8:
            at += 2
        elif token not in (2, 3, 4):
            return None
    return None


def definition_at(chunk, offset, name, names_from):
    """(24 bytes of its header, its body, [(place in the body, name)]) of a definition whose names are sound and stand
    inside of it or from `names_from` on."""
    if not 512 <= offset <= len(chunk) - 32 or u32(chunk, offset + 4) != name or chunk[offset + 24:offset + 27] != b"\x0f\x01\x01":
        return None
    size = u32(chunk, offset + 20)
    if size > len(chunk) - offset - 24:
        return None
    try:
        places = references(chunk, offset + 24, size)
    except (struct.error, IndexError):
        return None
    names = []
    for place in places or ():
        text = name_at(chunk, u32(chunk, place)) if u32(chunk, place) >= names_from or u32(chunk, place) == place + 4 else None
        if text is None:
            return None
        names.append((place - offset - 24, None if u32(chunk, place) == place + 4 else text))
    return (chunk[offset:offset + 24], chunk[offset + 24:offset + 24 + size], names) if places else None


def live_definitions(log):
    """id -> definition, of all that live records use."""
    found = {}
    for base in range(HEADER, len(log) - 511, CHUNK):
        chunk = log[base:base + CHUNK]
        free = min(u32(chunk, 48), len(chunk)) if chunk[:7] == b"ElfChnk" else 0
        at = chunk.find(b"\x0c\x01", 512, max(free - 10, 0))
        while at >= 0:
            name, offset = u32(chunk, at + 2), u32(chunk, at + 6)
            if name and name not in found and offset < free:
                definition = definition_at(chunk, offset, name, 512)
                if definition:
                    found[name] = definition
            at = chunk.find(b"\x0c\x01", at + 1, free - 10)
    return found


# ---- one old record for libevtx ----

def instances(record, base, at=28):
    """Places of the instances in a record, relative to it: System's, and those in its values of type BinXML."""
    if record[at:at + 4] in (b"\x0f\x01\x01\x00", b"\x0f\x01\x01\x01"):
        at += 4
    if record[at:at + 2] != b"\x0c\x01":
        return
    yield at
    table = at + 10
    if u32(record, at + 6) == base + at + 10:
        table += 24 + u32(record, at + 30)
    n = u32(record, table)
    value = table + 4 + 4 * n
    for item in range(table + 4, value, 4):
        size, kind = struct.unpack_from("<HB", record, item)
        if kind == 0x21 and size > 14:
            yield from instances(record, base, value)
        value += size


class Layout:
    """A chunk of zeros with one record; what it needs is put in front of it: the library finds nothing behind."""

    def __init__(self, record, at):
        self.chunk, self.at, self.size = bytearray(CHUNK), at, len(record)
        self.chunk[at:at + len(record)] = record
        self.next, self.end = 544, at - 4
        self.names = {}

    def put(self, data):
        offset, self.next = self.next, (self.next + len(data) + 7) & ~7
        if self.next > self.end:
            raise ValueError("no room")
        self.chunk[offset:offset + len(data)] = data
        return offset

    def name(self, text):
        if text not in self.names:
            self.names[text] = self.put(bytes(4) + text[4:])
        return self.names[text]

    def definition(self, definition, offset=None):
        """Puts it, or mends it where it stands in the record; names inside of it stay there."""
        head, body, names = definition
        for _, text in names:  # in front of it, too
            self.name(text) if text else None
        if offset is None:
            offset = self.put(bytes(4) + head[4:] + body)
        for place, text in names:
            at = offset + 24 + place
            struct.pack_into("<I", self.chunk, at, at + 4 if text is None else self.name(text))
        return offset


def place_of(log, event, own, others):
    """The layout of an old record for libevtx; else why it cannot be asked."""
    offset = event["offset"]
    base = HEADER + (offset - HEADER) // CHUNK * CHUNK
    chunk, at = log[base:base + CHUNK], offset - base
    record = log[offset:offset + event["length"]]
    if "truncated" in event["flags"]:
        return "torn"
    places = list(instances(record, at))
    # A record without a definition inside of it may stand anywhere.
    is_free = all(u32(record, place + 6) != at + place + 10 for place in places)
    layout = Layout(record, FAR if is_free else at)
    try:
        for place in places:
            name, to = u32(record, place + 2), u32(record, place + 6)
            is_inline = to == at + place + 10
            own_one = definition_at(chunk, to, name, u32(chunk, 48))
            definition = own_one or own.get(name) or others.get(name)
            if not definition or (is_inline and definition[1][:4] + definition[0][20:] != record[place + 34:place + 38] + record[place + 30:place + 34]):
                return "a template or its names are nowhere" if not definition else "another template inside of it"
            to = layout.definition(definition, to if is_inline else None)
            struct.pack_into("<I", layout.chunk, layout.at + place + 6, to)
    except ValueError:
        return "no room for its templates"
    return layout


# ---- the comparison ----

def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def explained(ours, theirs):
    """Why what is told of a record differs, where there is a reason; else what differs."""
    mine, other = json.loads(json.dumps(ours)), json.loads(json.dumps(theirs))
    for event in (mine, other):
        for name in ("flags", "source", "offset", "header_record_id", "length"):
            event.pop(name, None)
    found = list(differences(mine, other))
    if not found:
        return "agrees", ""
    if "host" not in mine and all(text.startswith("host: ") for text in found):
        return "machine's name left out: that of the log's templates differs", ""
    plain = all(is_same(mine.get(name), other.get(name)) for name in ("record_id", "time", "event_id", "provider", "channel"))
    values, theirs = leaves(mine.get("data", {})), leaves(other.get("data", {}))
    if plain and list(mine.get("data", {"Data": 0})) == ["Data"] and is_part(theirs, values):
        return "same values, ours without names", ""
    return "", "; ".join(found) + f" {values} {theirs}"


def is_part(part, whole):
    """All of `part` stand in `whole` in their order: a record may have more values than its template shows."""
    rest = iter(whole)
    return all(any(is_same(value, wanted) for value in rest) for wanted in part)


def look_at(file, others):
    with open(file, "rb") as stream:
        log = stream.read()
    counts, unexplained = collections.Counter(), []
    old = [event for event in told("--recovered", file) if "slack" in event.get("flags", ())]
    counts["recovered"] = len(old)
    own = live_definitions(log) if old else {}
    chunks, asked = [], {}
    for event in old[::max(1, len(old) // MOST_OF_A_LOG)]:
        layout = place_of(log, event, own, others)
        if isinstance(layout, str):
            counts[f"not asked: {layout}"] += 1
            continue
        serial = 2 * len(chunks) + 2
        chunks.append(make_chunk(layout.chunk, layout.at, layout.size, serial))
        asked[serial] = event
    if not asked:
        return counts, unexplained
    name = f"{os.path.basename(file)}.one-by-one.evtx"
    theirs = {event.get("header_record_id", event.get("record_id")): event for event in told("--engine", "libevtx", write(name, make_log(chunks)))}
    os.remove(write(name, b""))
    for serial, event in asked.items():
        counts["asked"] += 1
        if serial not in theirs:
            counts["not readable by libevtx"] += 1
            continue
        why, text = explained(event, theirs[serial])
        counts[why or "differs"] += 1
        if not why:
            unexplained.append(f"{os.path.basename(file)}@{event['offset']}: {text}")
    return counts, unexplained


def main():
    files = [file for file in sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx"))) if os.path.getsize(file) <= 8 << 20]
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    counts, unexplained, definitions = collections.Counter(), [], {}
    for file in files:
        with open(file, "rb") as stream:
            definitions = {**live_definitions(stream.read()), **definitions}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for more, texts in pool.map(lambda file: look_at(file, definitions), files):
            counts += more
            unexplained += texts
    for name, n in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{n:6} {name}")
    for text in unexplained[:20]:
        print(text[:400])
    check(not unexplained, f"{len(unexplained)} records differ for no known reason")
    n_same = counts["agrees"] + counts["same values, ours without names"]
    check(n_same * 10 >= counts["asked"] * 9, f"{n_same} of {counts['asked']} are the same")
    finish()


main()
