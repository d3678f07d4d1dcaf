"""Both engines over a third of the real logs: values are equal, but for what docs/formats/evtx.md lists.

Which records libevtx reads at all is not the question here: corpus_test.py counts them."""
import collections
import concurrent.futures
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "cli"), HERE]
from engines import differences  # noqa: E402
from tool import BUILD, TOP, check, finish, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
MOST_BYTES = 1200000


def events(*words):
    done = subprocess.run([FAULTLINE, "export", "--quiet", *words], capture_output=True, timeout=300)
    check(done.returncode in (0, 3, 4), f"{words}: exit {done.returncode}: {done.stderr[-300:]!r}")
    return {event["offset"]: event for event in map(json.loads, done.stdout.splitlines())}


def look_at(file):
    ours, theirs = events(file), events("--engine", "libevtx", file)
    found = [f"{os.path.basename(file)}@{offset}: not read by our own engine" for offset in set(theirs) - set(ours)]
    for offset in set(ours) & set(theirs):
        found += [f"{os.path.basename(file)}@{offset}: {text}" for text in differences(ours[offset], theirs[offset])]
    return len(set(ours) & set(theirs)), found


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))[::3]
    files = [file for file in files if os.path.getsize(file) <= MOST_BYTES]
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    n_compared, kinds = 0, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for n, found in pool.map(look_at, files):
            n_compared += n
            for text in found:
                kinds[text.split(": ")[1]] += 1
                if kinds.total() < 20:
                    print(text[:300])
    print(f"{len(files)} logs, {n_compared} records compared, {kinds.total()} differences")
    check(n_compared > 1000 or len(files) < 50, f"{n_compared} records were compared")
    check(not kinds, f"differences: {kinds.most_common(10)}")
    finish()


main()
