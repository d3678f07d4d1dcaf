"""The number of jobs changes no byte: answers, notes and exit codes of large logs and of damaged ones."""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import TOP, check, finish, path, run, skip, write  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
LARGE = 1 << 20  # smaller logs have too few spans for a worker

logs = [log for log in sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx"))) if os.path.getsize(log) > LARGE]
dense = os.path.join(CORPUS, "bench", "dense.evtx")
if os.path.exists(dense):
    logs.append(dense)
if not logs:
    skip("no folder of real logs; FL_CORPUS names one")
with open(logs[-1], "rb") as stream:
    log = bytearray(stream.read())
for at in range(70000, len(log), 39989):  # damage in most chunks: many notes
    log[at] ^= 0x41
logs.append(write("damaged.evtx", bytes(log)))
with open(logs[-2], "rb") as stream:
    log = bytearray(stream.read())
for chunk in range(len(log) // 65536 - 1, 2, -7):  # rows leave before their chunk ends: spans are read twice
    at = 4096 + 65536 * chunk + 9000
    log[at:at] = bytes(24)
logs.append(write("inserted.evtx", bytes(log)))
for log in logs:
    for words in (("export",), ("inspect", "--digest"), ("export", "--limit", "700")):
        one, more = (run(*words, "--hash", "none", log, "--jobs", jobs) for jobs in (1, 3))
        check((one.code, one.out, one.err) == (more.code, more.out, more.err), f"{words} {os.path.basename(log)}", more)
    for jobs in (1, 3):
        run("timeline", "--hash", "none", log, "-o", path(f"{jobs}.fltl"), "--jobs", jobs)
    with open(path("1.fltl"), "rb") as one, open(path("3.fltl"), "rb") as more:
        check(one.read() == more.read(), f"timeline of {os.path.basename(log)}")
finish()
