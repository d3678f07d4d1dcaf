"""Damage to real logs: what stays whole is read, what is lost is said, every byte is accounted for, and no file of
any content takes long.

The plain accidents are made here; crafted files come from a program outside of the repository (FL_MUTATOR names it),
whose mutants mutants.py reads. Without real logs the test is skipped, without the program only the accidents run."""
import collections
import glob
import json
import os
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from measured import CORPUS, Build, default_builds, load_mutator  # noqa: E402
from tool import check, finish, path, skip, write  # noqa: E402

MOST_SECONDS, MOST_MIB = 1, 64
HEADER, CHUNK = 4096, 65536
BUILDS = [Build(folder, MOST_SECONDS, MOST_MIB) for folder in default_builds()]


def faultline(*words, build=BUILDS[0]):
    code, output, notes, complaint = build.run(*words)
    check(not complaint, f"{build.name}: {words}: {complaint}")
    return code, output, notes


def run_all(name, file):
    """Every command reads the file with every build, in bounded time and memory, and all of them judge it alike."""
    output = path("judged.fltl")
    commands = (("export",), ("export", "--format", "xml"), ("inspect",), ("timeline", "-o", output), ("triage",))
    for build in BUILDS:
        codes = {" ".join(words[:3]): faultline(*words, file, build=build)[0] for words in commands}
        check(len(set(codes.values())) == 1, f"{build.name}: {name}: exit codes differ: {codes}")


def record_ids(output):
    events = map(json.loads, output.splitlines())
    return collections.Counter(int(e.get("header_record_id", e.get("record_id", -1))) for e in events)


def records(log):
    """(offset, size, id) of all records whose two sizes agree, as far as they follow each other in aligned chunks."""
    for chunk in range(HEADER, len(log) - 511, CHUNK):
        end = min(chunk + CHUNK, len(log), chunk + struct.unpack_from("<I", log, chunk + 48)[0])
        at = chunk + 512
        while at + 28 <= end and log[at:at + 4] == b"\x2a\x2a\0\0" and log[chunk:chunk + 7] == b"ElfChnk":
            size = struct.unpack_from("<I", log, at + 4)[0]
            if size < 28 or at + size > end or struct.unpack_from("<I", log, at + size - 4)[0] != size:
                break
            yield at, size, struct.unpack_from("<Q", log, at + 8)[0]
            at += size


def check_ledger(name, file, size):
    code, output, _ = faultline("inspect", "--format", "json", file)
    ranges = json.loads(output.splitlines()[0])["ledger"]
    at = 0
    for item in ranges:
        check(item["offset"] == at and item["length"] > 0, f"{name}: the ledger has a hole or an overlap at {at}")
        at = item["offset"] + item["length"]
    check(at == size, f"{name}: the ledger ends at {at}, the log at {size}")
    return code, [(item["state"], item.get("reason", "")) for item in ranges]


def patched(log, at, new):
    return log[:at] + new + log[at + len(new):]


def accidents(log):
    """Name, damaged log, exit code, what the ledger or a note has to say."""
    last = HEADER + (len(log) - HEADER - 1) // CHUNK * CHUNK
    second = HEADER + CHUNK
    yield "nothing", log, 0, ""
    yield "last byte missing", log[:-1], 3, "chunk has 65535 bytes"
    yield "last 512 bytes missing", log[:-512], 3, "chunk has 65024 bytes"
    yield "half of the last chunk missing", log[:last + CHUNK // 2], 3, "chunk has 32768 bytes"
    yield "block size 0", patched(log, 40, b"\0\0"), 3, "file header checksum"
    yield "one byte inserted before chunk 1", log[:HEADER] + b"\0" + log[HEADER:], 3, "hold no chunk of an event log"
    yield "file header zeroed", bytes(HEADER) + log[HEADER:], 3, "no ElfFile signature"
    yield "header of chunk 2 zeroed", patched(log, second, bytes(512)), 3, "without its ElfChnk signature, read"
    yield "magic of chunk 2 damaged", patched(log, second + 3, b"X"), 3, "without its ElfChnk signature, read"
    yield "chunk count 1", counted(log, 1), 0, ""
    yield "cut between chunks", log[:last], 3, "chunks, found"
    yield "chunk 2 zeroed", patched(log, second, bytes(CHUNK)), 3, "zeros where chunks should be"


def counted(log, n_chunks):
    """The file header with another count and the checksum that goes with it."""
    header = bytearray(patched(log[:HEADER], 42, struct.pack("<H", n_chunks)))
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    return bytes(header) + log[HEADER:]


def look_at_accident(log, name, damaged, wanted, words):
    file = write(f"accidents/{name.replace(' ', '-')}.evtx", damaged)
    lost_bytes = {"half of the last chunk missing": len(damaged), "cut between chunks": len(damaged)}.get(name, len(log))
    zeroed = range(HEADER + CHUNK, HEADER + 2 * CHUNK) if name == "chunk 2 zeroed" else ()
    must = collections.Counter(i for at, size, i in records(log) if at + size <= lost_bytes and at not in zeroed)
    code, output, notes = faultline("export", file)
    lost = must - record_ids(output)
    check(code == wanted, f"{name}: exit {code}, expected {wanted}: {notes[:400]}")
    check(not lost, f"{name}: {sum(lost.values())} of {sum(must.values())} records are lost")
    check(words in notes, f"{name}: no note says {words!r}: {notes[:400]}")
    code, ranges = check_ledger(name, file, len(damaged))
    check(code == wanted, f"{name}: inspect: exit {code}, expected {wanted}")
    if "signature, read" in words:
        check(("recovered", "records of a damaged chunk") in ranges, f"{name}: the ledger does not say so")
    run_all(name, file)


def whole_chunks(log):
    """The log without the space behind its last chunk, its count set right."""
    n = sum(log[at:at + 7] == b"ElfChnk" for at in range(HEADER, len(log), CHUNK))
    return counted(log[:HEADER + n * CHUNK], n), n


def accident_log():
    """The first log of the RDP core channel with at least 4 chunks that is whole."""
    wanted = "RdpCoreTS/Operational".encode("utf-16le")
    for file in sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx"))):
        with open(file, "rb") as stream:
            log = stream.read()
        if wanted in log[:4 * CHUNK] and faultline("export", file)[0] == 0:
            log, n = whole_chunks(log)
            if n >= 4:
                return log
    return None


def look_at_crafted(mutator):
    names = sorted(mutator.CRAFT)
    for name in names:
        run_all(name, write(f"crafted/{name}.evtx", mutator.CRAFT[name]()))
    print(f"{len(names)} crafted files")
    check(len(names) >= 19, f"{len(names)} crafted files, expected 19")


def main():
    if not glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")):
        skip("no folder of real logs; FL_CORPUS names one")
    log = accident_log()
    check(log is not None, "no whole log of the RDP core channel")
    for accident in accidents(log) if log else ():
        look_at_accident(log, *accident)
    mutator = load_mutator()
    if mutator:
        look_at_crafted(mutator)
    else:
        print("the program that crafts files is missing: only the accidents were tried; FL_MUTATOR names it")
    for build in BUILDS:
        print(f"{build.name}: at most {build.seconds:.2f} s and {build.mib:.0f} MiB"
              f", limits {build.most_seconds} s and {build.most_mib} MiB")
    check(not all(build.has_sanitizer for build in BUILDS), "no release build: time and memory are not measured")
    finish()


main()
