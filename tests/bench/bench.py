"""bench.py [PAIRS] - faultline against evtx_dump in paired runs, and the triage of a folder.

CPU seconds are user + system of the program alone; both write JSON lines into the same sink, a cat to
nowhere. The result is the median of the ratios of the pairs, which a busy machine disturbs least."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
FOLDER = os.path.join(BUILD, "bench")
FAULTLINE = os.path.join(BUILD, "release", "faultline")
PEER_VERSION = "0.15.1"


def skip(reason):
    print(f"bench skipped: {reason}")
    sys.exit(0)


def find_peer():
    """evtx_dump of the version that the figures are about; None with a line when it cannot be had."""
    places = [shutil.which("evtx_dump"), os.path.expanduser("~/.cargo/bin/evtx_dump"),
              os.path.join(BUILD, "tools", "bin", "evtx_dump")]
    for place in places:
        if place and os.access(place, os.X_OK):
            return place
    cargo = shutil.which("cargo")
    version = subprocess.run([cargo, "--version"], capture_output=True, text=True).stdout.split() if cargo else []
    if len(version) < 2 or tuple(int(n) for n in version[1].split("-")[0].split(".")[:2]) < (1, 85):
        print("no evtx_dump, and no cargo 1.85 or later to build one: compared with nobody")
        return None
    print(f"building evtx_dump {PEER_VERSION}", flush=True)
    done = subprocess.run([cargo, "install", "evtx", "--version", PEER_VERSION, "--features", "fast-alloc",
                           "--root", os.path.join(BUILD, "tools"), "--quiet"])
    return places[2] if done.returncode == 0 else None


def run(command):
    """Wall seconds, CPU seconds and peak MiB of one run."""
    sink = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=sink.stdin, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    sink.stdin.close()
    sink.wait()
    if child.returncode not in (0, 3):
        sys.exit(f"{command[0]} ended with {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def count_lines(command):
    """Counts without keeping: what this process takes would show as the peak of its children."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    count = sum(block.count(b"\n") for block in iter(lambda: child.stdout.read(1 << 16), b""))
    child.wait()
    return count


def show(name, runs):
    wall, cpu, memory = (statistics.median(run[i] for run in runs) for i in range(3))
    print(f"  {name:<32} {cpu:7.2f} s CPU {wall:7.2f} s wall {memory:7.0f} MiB")
    return {"cpu": round(cpu, 3), "wall": round(wall, 3), "rss_mib": round(memory, 1)}


# What is compared: our words, the peer's words, which of (wall, CPU) counts, and the ratio peer / ours to reach.
WALL, CPU = 0, 1
COMPARISONS = {
    "digest": (["inspect", "--digest", "--jobs", "1"], ["-t", "1", "-o", "jsonl"], CPU, 2.8),
    "export": (["export", "--format", "jsonl", "--jobs", "1"], ["-t", "1", "-o", "jsonl"], CPU, 1.6),
    "where": (["export", "--where", 'channel == "System" and event_id == 7036', "--jobs", "1"],
              ["-t", "1", "-o", "jsonl"], CPU, 5),
    "timeline": (["timeline", "--jobs", "2", "-o", os.path.join(FOLDER, "out.fltl")], ["-t", "2", "-o", "jsonl"], WALL, 1),
}


def compare(name, log, peer, pairs):
    words, peer_words, column, bar = COMPARISONS[name]
    ours = [FAULTLINE, *words, "--quiet", "--hash", "none", log]
    print(f"{name}: {' '.join(words)}")
    if not peer:
        return {"faultline": show("faultline", [run(ours) for _ in range(pairs)])}
    theirs = [peer, *peer_words, log]
    runs = []
    for i in range(pairs):  # who comes first changes, so that neither gains from a warm cache
        first, second = (ours, theirs) if i % 2 else (theirs, ours)
        one, two = run(first), run(second)
        runs.append((one, two) if i % 2 else (two, one))
    result = {"faultline": show("faultline", [pair[0] for pair in runs]),
              "peer": show(f"evtx_dump {' '.join(peer_words)}", [pair[1] for pair in runs])}
    ratios = sorted(pair[1][column] / pair[0][column] for pair in runs)
    result["ratio"], result["bar"] = round(statistics.median(ratios), 3), bar
    print(f"  {'wall' if column == WALL else 'CPU'}: {result['ratio']} times less, bar {bar} "
          f"(median of {pairs}; {ratios[0]:.2f} to {ratios[-1]:.2f})")
    return result


def triage(folder):
    size = sum(entry.stat().st_size for entry in os.scandir(folder))
    print(f"triage of a folder: {size >> 20} MiB")
    return dict(show("faultline triage", [run([FAULTLINE, "triage", "--quiet", folder]) for _ in range(3)]), bytes=size)


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    corpus = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
    dense = os.path.join(corpus, "bench", "dense.evtx")
    if not os.path.exists(dense):
        skip("bench/dense.evtx is not in the corpus; FL_CORPUS names its folder")
    log, folder = os.path.join(FOLDER, "big.evtx"), os.path.join(FOLDER, "folder")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(log):
        maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_big.py")
        for i in range(5):
            subprocess.run([sys.executable, "-B", maker, dense, os.path.join(folder, f"log{i}.evtx"), "1", str(i)], check=True)
        subprocess.run([sys.executable, "-B", maker, dense, log, "15"], check=True)
    peer = find_peer()
    n_events = count_lines([FAULTLINE, "export", "--quiet", log])
    print(f"{log}: {os.path.getsize(log) >> 20} MiB, {n_events} events, {pairs} pairs")
    if peer:
        version = subprocess.run([peer, "--version"], capture_output=True, text=True).stdout.strip()
        n_peer = count_lines([peer, "-t", "1", "-o", "jsonl", log])
        print(f"against {version}, which prints {n_peer} events")
    result = {"events": n_events, **{name: compare(name, log, peer, pairs) for name in COMPARISONS}}
    result["triage"] = triage(folder)
    with open(os.path.join(FOLDER, "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


main()
