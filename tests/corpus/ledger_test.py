"""Every byte of every log of the corpus has its place: ledgers tile their sources, counts agree with exports."""
import json
import os
import subprocess
import sys

TOP = os.environ.get("FL_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAULTLINE = os.path.join(os.environ.get("FL_BUILD") or os.path.join(TOP, "build", "dev"), "faultline")
CORPUS = os.environ.get("FL_CORPUS", "")
STATES = {"parsed", "recovered", "slack", "empty", "damaged", "unknown", "skipped", "unsupported"}
complaints = []


def check(holds, text):
    if not holds:
        complaints.append(text)
        print(f"FAIL {text}")


def lines(*words):
    done = subprocess.run([FAULTLINE, *words, "--quiet"], capture_output=True)
    check(done.returncode in (0, 3), f"{words[0]}: exit {done.returncode}: {done.stderr[-500:]!r}")
    return done.stdout.splitlines()


folders = [os.path.join(CORPUS, name) for name in ("evtx", "evtx-sets") if os.path.isdir(os.path.join(CORPUS, name))]
if not CORPUS or not folders:
    print("skipped: FL_CORPUS names no folder of logs")
    sys.exit(77)
on_disk = {}
for folder in folders:
    for top, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(top, name)
            source = os.path.relpath(full, CORPUS).replace("%", "%25").replace("!", "%21")
            on_disk[source] = os.path.getsize(full)

sources = {}
for folder in folders:
    for line in lines("inspect", "--format", "json", folder):
        source = json.loads(line)
        if source["type"] == "dir":
            continue
        name = source["source"]
        check(name not in sources, f"{name} is told twice")
        sources[name] = source
        at = 0
        last = None
        for part in source["ledger"]:
            check(part["offset"] == at, f"{name}: {part} begins at {part['offset']}, not {at}")
            check(part["length"] > 0, f"{name}: {part} is empty")
            check(part["state"] in STATES, f"{name}: {part} has no known state")
            check((part["state"], part["reason"]) != last, f"{name}: {part} is two ranges where one does")
            check(part["state"] in ("parsed", "empty", "recovered") or part["reason"], f"{name}: {part} has no reason")
            last = (part["state"], part["reason"])
            at = part["offset"] + part["length"]
        check(at == source["bytes"], f"{name}: the ledger ends at {at} of {source['bytes']}")
        check(source["damaged"] == sum(part["state"] == "damaged" for part in source["ledger"]), f"{name}: damaged counts ranges")
check(set(sources) == set(on_disk), f"inspect and the disk differ: {sorted(set(sources) ^ set(on_disk))[:5]}")
for name, source in sources.items():
    check(source["bytes"] == on_disk.get(name), f"{name}: {source['bytes']} bytes")

# An event's range is parsed, or recovered from a damaged chunk; as many events are exported as inspect counts.
counts = dict.fromkeys(sources, 0)
outside = 0
for folder in folders:
    for line in lines("export", folder):
        event = json.loads(line)
        counts[event["source"]] += 1
        ledger = sources[event["source"]]["ledger"]
        end = event["offset"] + event["length"]
        outside += not any(part["offset"] <= event["offset"] and end <= part["offset"] + part["length"] and
                           part["state"] in ("parsed", "recovered") for part in ledger)
check(outside == 0, f"{outside} events lie outside of what is called parsed or recovered")
for name, source in sources.items():
    check(counts[name] == source["events"], f"{name}: {counts[name]} exported, {source['events']} counted")
print(f"{len(sources)} logs, {sum(on_disk.values())} bytes, {sum(counts.values())} events, {len(complaints)} complaints")
sys.exit(1 if complaints or not sources else 0)
