"""yara_bench.py RULES INPUT [PAIRS] - YARA rules over a folder: faultline against the yara program, same rules, same files.

RULES is a folder of public rules, INPUT a folder of files; neither is part of this repository. Hits in files must be the same;
times are medians of paired runs, with the compiling of the rules in both."""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAULTLINE = os.path.join(TOP, "build", "release", "faultline")
OUTSIDE = ("filename", "filepath", "extension", "filetype", "owner")


def run(command):
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, _, usage = os.wait4(child.pid, 0)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def ours(out):
    hits = set()
    for row in map(json.loads, out.splitlines()):
        source = (row["bytes"] or row["events"])[0]["source"]
        if row["engine"] == "yara" and "!/" not in source and "of script" not in row["text"]:
            hits.add((row["rule"], source.split("/", 1)[1]))
    return hits


def theirs(out, top):
    lines = out.decode("utf-8", "surrogateescape").splitlines()
    return {(rule, os.path.relpath(path, top)) for rule, path in (line.split(" ", 1) for line in lines)}


def main():
    if len(sys.argv) < 3 or not shutil.which("yara"):
        sys.exit(__doc__ if len(sys.argv) < 3 else "the yara program is not installed")
    rules, top, pairs = sys.argv[1], sys.argv[2].rstrip("/"), int(sys.argv[3]) if len(sys.argv) > 3 else 9
    with tempfile.NamedTemporaryFile("w", suffix=".yar") as index:
        for path in sorted(glob.glob(os.path.join(rules, "**", "*.yar*"), recursive=True)):
            index.write(f'include "{os.path.abspath(path)}"\n')
        index.flush()
        peer = ["yara", "-w", "-r", *(word for name in OUTSIDE for word in ("-d", f"{name}=")), index.name, top]
        own = [FAULTLINE, "match", top, "--rules", rules, "--format", "json", "--quiet"]
        runs = [(run(own), run(peer)) for _ in range(pairs)]
    a, b = ours(runs[0][0][3]), theirs(runs[0][1][3], top)
    print(f"hits: {len(a)} and {len(b)}; only ours {sorted(a - b)[:9]}, only theirs {sorted(b - a)[:9]}")
    for i, name in enumerate(("s wall", "s CPU", "MiB")):
        ratio = statistics.median(one[i] / other[i] for one, other in runs)
        print(f"{name:7} ours {statistics.median(x[i] for x, _ in runs):8.2f}  yara "
              f"{statistics.median(x[i] for _, x in runs):8.2f}  ratio {ratio:.2f}")


main()
