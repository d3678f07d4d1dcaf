"""sigma_bench.py RULES INPUT [RSIGMA] [RUNS] - Sigma rules over a log: faultline against the rsigma program, same rules, same events.

RULES is a rule file or folder, INPUT a log; neither is part of this repository. RSIGMA gets the events as JSON lines, fields at the
top as Sigma names them, which are made here and not measured; faultline reads the log itself, and the same events from a timeline.
CPU seconds, events a second of CPU and matches are printed, medians of the runs; loading of rules is in each, and is told apart by a run
over no event."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAULTLINE = os.path.join(TOP, "build", "release", "faultline")


def run(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def flat(row):
    """An event as rsigma wants it: data fields and the System part in one object."""
    names = {"event_id": "EventID", "provider": "Provider_Name", "channel": "Channel", "host": "Computer", "level": "Level"}
    return {**row.get("data", {}), **{theirs: row[ours] for ours, theirs in names.items() if ours in row}}


def measure(name, command, n_events, base, n_runs):
    runs = [run(command) for _ in range(n_runs)]
    cpu = statistics.median(r[0] for r in runs)
    matching = max(cpu - base, 1e-9)
    print(f"{name:22} {cpu:8.2f} s CPU, {base:6.2f} s of it to load, {n_events / matching:12,.0f} events/s, "
          f"{runs[0][1]:6.0f} MB, {len(runs[0][2].splitlines())} lines")


def main():
    rules, log = sys.argv[1:3]
    rsigma = sys.argv[3] if len(sys.argv) > 3 else shutil.which("rsigma")
    n_runs = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    with tempfile.TemporaryDirectory() as folder:
        timeline, lines, nothing = (os.path.join(folder, name) for name in ("t.fltl", "events.jsonl", "nothing.jsonl"))
        subprocess.run([FAULTLINE, "timeline", log, "-o", timeline, "--quiet"], check=False)
        rows = [json.loads(line) for line in run([FAULTLINE, "export", timeline, "--where", "not kind startswith 'log.'", "--quiet"])[2].splitlines()]
        with open(lines, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(flat(row)) + "\n" for row in rows)
        open(nothing, "w", encoding="utf-8").close()
        print(f"{len(rows)} events")
        match = [FAULTLINE, "match", "--rules", rules, "--format", "json", "--jobs", "1", "--quiet"]
        base = statistics.median(run([FAULTLINE, "rules", "check", rules])[0] for _ in range(n_runs))
        measure("faultline, the log", match + [log], len(rows), base, n_runs)
        measure("faultline, a timeline", match + [timeline], len(rows), base, n_runs)
        if rsigma:
            theirs = [rsigma, "engine", "eval", "--rules", rules, "--event"]
            base = statistics.median(run(theirs + ["@" + nothing])[0] for _ in range(n_runs))
            measure("rsigma, JSON lines", theirs + ["@" + lines], len(rows), base, n_runs)


main()
