"""Findings of match against a second opinion (oracle.py), over real logs and SigmaHQ's rules: no difference.

A sample of both is taken; FL_SIGMA_WHOLE=1 asks for all of them, which takes many minutes."""
import collections
import glob
import json
import os
import subprocess

from cases import check, finish, skip

try:
    import oracle
except ImportError:
    skip("pySigma is not installed")
from tool import BUILD, TOP, write

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
WHOLE = os.environ.get("FL_SIGMA_WHOLE", "") not in ("", "0")
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
rule_files = sorted(glob.glob(os.path.join(CORPUS, "sigma", "rules", "*", "windows", "**", "*.yml"), recursive=True) +
                    glob.glob(os.path.join(CORPUS, "sigma", "rules", "rules-emerging-threats", "**", "*.yml"), recursive=True))
logs = sorted(glob.glob(os.path.join(CORPUS, "**", "*.evtx"), recursive=True))
logs = [log for log in logs if os.sep + "bench" + os.sep not in log]
if not rule_files or not logs:
    skip(f"no rules and logs in {CORPUS}; FL_CORPUS names the folder")
if not WHOLE:
    rule_files, logs = rule_files[::3], [log for log in logs[::9] if os.path.getsize(log) < 3 << 20]

sources = oracle.Sources(TOP)
rules, unread = [], 0
for file in rule_files:
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    if "|expand" in text:
        continue  # a placeholder without a value: the rule does not run
    rules.append(oracle.Rule(text, sources))
folder = os.path.dirname(write("rules/.keep", ""))
for number, file in enumerate(rule_files):
    with open(file, "rb") as opened:
        write(f"rules/{number:05d}.yml", opened.read())

plans = {}
n_events = n_findings = 0
for log in logs:
    exported = subprocess.run([FAULTLINE, "export", "--format", "jsonl", "--quiet", log], capture_output=True, check=False)
    done = subprocess.run([FAULTLINE, "match", "--format", "json", "--quiet", "--rules", folder, log], capture_output=True, check=False)
    ours = collections.Counter((hit["rule"], hit["events"][0]["offset"]) for hit in map(json.loads, done.stdout.splitlines()))
    theirs = collections.Counter()
    for line in map(json.loads, exported.stdout.decode("utf-8", "replace").splitlines()):
        if {"duplicate", "gap"} & set(line.get("flags", [])):
            continue
        key = ((line.get("channel") or "").lower(), line.get("event_id"))
        if key not in plans:
            found = [(rule.id, rule.tests_for(*key)) for rule in rules]
            plans[key] = [(name, tests) for name, tests in found if tests]
        event = oracle.Event(line)
        n_events += 1
        for name, tests in plans[key]:
            if oracle.holds(tests, event):
                theirs[(name, line["offset"])] += 1
    n_findings += sum(theirs.values())
    check(ours == theirs, f"{os.path.relpath(log, CORPUS)}: ours alone {list((ours - theirs).items())[:5]}, the oracle's alone {list((theirs - ours).items())[:5]}")
print(f"{len(rules)} rules, {len(logs)} logs, {n_events} events, {n_findings} findings")
check(n_findings > 0, "the oracle found something")
finish()
