"""Damage to real logs: what stays whole is read, what is lost is said, and every byte is accounted for.

Mutants come from a program outside of the repository that also says which records have to survive (FL_MUTATOR names
it); the plain accidents are made here. Without real logs the test is skipped, without the program only the accidents run."""
import collections
import concurrent.futures
import glob
import importlib.util
import json
import os
import struct
import subprocess
import sys
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FAULTLINE, TOP, check, finish, skip, write  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
MUTATOR = os.environ.get("FL_MUTATOR", os.path.join(TOP, "..", "shared", "tools", "mutate.py"))
N_MUTANTS = 120
MOST_SECONDS = 10
HEADER, CHUNK = 4096, 65536
sys.dont_write_bytecode = True


def load_mutator():
    if not os.path.exists(MUTATOR):
        return None
    spec = importlib.util.spec_from_file_location("mutator", MUTATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faultline(*words):
    start = time.monotonic()
    done = subprocess.run([FAULTLINE, *words], capture_output=True, timeout=120)
    notes = done.stderr.decode("utf-8", "replace")
    check("Sanitizer" not in notes and "runtime error" not in notes, f"{words}: a sanitizer spoke: {notes[:800]}")
    check(done.returncode in (0, 3, 4), f"{words}: exit {done.returncode}")
    check(time.monotonic() - start < MOST_SECONDS, f"{words}: took longer than {MOST_SECONDS} s")
    return done.returncode, done.stdout, notes


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


def look_at_mutant(mutator, file, seed):
    """(records that must survive, how many are lost) of one mutant; nothing is lost without a word."""
    with open(file, "rb") as stream:
        mutant, oracle = mutator.mutate(stream.read(), seed, "evtx")
    name = f"seed {seed} of {os.path.basename(file)}"
    damaged = write(f"mutants/{seed}.evtx", mutant)
    code, output, notes = faultline("export", damaged)
    must = collections.Counter(oracle["must"])
    lost = must - record_ids(output)
    check(not lost or code != 0, f"{name}: {sum(lost.values())} records are lost silently")
    if mutant:
        check_ledger(name, damaged, len(mutant))
    os.remove(damaged)
    return sum(must.values()), sum(lost.values()), f"{name}: {notes[:300]}"


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    log = accident_log()
    check(log is not None, "no whole log of the RDP core channel")
    for accident in accidents(log) if log else ():
        look_at_accident(log, *accident)
    mutator = load_mutator()
    if not mutator:
        print("the mutator is missing: only the accidents were tried; FL_MUTATOR names it")
        finish()
    n_must = n_lost = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(look_at_mutant, mutator, files[seed % len(files)], seed) for seed in range(1, N_MUTANTS + 1)]
        for job in jobs:
            must, lost, text = job.result()
            n_must += must
            n_lost += lost
            if lost:
                print(f"{lost} of {must} records lost: {text}")
    for name in mutator.CRAFT:
        faultline("export", write("crafted.evtx", mutator.CRAFT[name]()))
    print(f"{N_MUTANTS} mutants, {n_must} records had to survive, {n_lost} did not")
    check(n_lost * 1000 <= n_must, f"{n_lost} of {n_must} records lost, expected at most one in a thousand")
    finish()


main()
