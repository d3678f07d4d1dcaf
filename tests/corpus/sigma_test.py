"""SigmaHQ's rules and their regression logs: all files load, and each log gives at least the matches that it should."""
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, TOP, check, finish, skip  # noqa: E402

CORPUS = os.path.join(os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus")), "sigma")
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
# More matches than the log was recorded for: the official runner warns of them, too. Never fewer.
MORE = {"45e112d0-7759-4c2a-aa36-9f8fb79d3393", "c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e", "8fbf3271-1ef6-4e94-8210-03c2317947f6",
        "0b9ad457-2554-44c1-82c2-d56a99c42377"}

if not os.path.isdir(os.path.join(CORPUS, "rules")):
    skip(f"no SigmaHQ rules in {CORPUS}; FL_CORPUS names the folder above")


def lines(*words):
    done = subprocess.run([FAULTLINE, *words, "--format", "json", "--quiet"], capture_output=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


rows, code = lines("rules", "check", os.path.join(CORPUS, "rules"))
check(code == 0, f"rules check of all files: exit {code}")
check(len(rows) == 3757 or not CORPUS.endswith("shared/corpus/sigma"), f"{len(rows)} files, expected 3757")
check(all(row["rules"] >= 1 and not row["errors"] for row in rows), f"refused: {[row['file'] for row in rows if row['errors']][:3]}")
waiting = [row["file"] for row in rows for warning in row["warnings"] if warning["text"].startswith("placeholder %")]
for row in rows:
    for warning in row["warnings"]:
        check(re.match(r"placeholder %|no event log is known for category file_(access|rename)", warning["text"]),
              f"{row['file']}: {warning['text']}")
print(f"{len(rows)} files, {len(waiting)} wait for values of placeholders")

by_id = {}
for rule in lines("rules", "list", os.path.join(CORPUS, "rules"))[0]:
    by_id[rule["rule"]] = rule["file"]
n_tests = n_exact = 0
for info in sorted(glob.glob(os.path.join(CORPUS, "regression_data", "**", "info.yml"), recursive=True)):
    with open(info, encoding="utf-8") as file:
        text = file.read()
    name = re.search(r"rule_metadata:\s*\n\s*- id:\s*(\S+)", text).group(1)
    for part in re.split(r"\n\s*- name:", text)[1:]:
        path = re.search(r"path:\s*(\S+)", part)
        log = os.path.join(os.path.dirname(info), os.path.basename(path.group(1))) if path else ""
        if not log.endswith(".evtx") or not os.path.exists(log) or name not in by_id:
            continue
        count = re.search(r"match_count:\s*(\d+)", part)
        found, _ = lines("match", log, "--rules", by_id[name])
        n = sum(hit["rule"] == name for hit in found)
        n_tests += 1
        wanted = int(count.group(1)) if count else 1
        check(n >= wanted, f"{name}: {n} matches in {os.path.relpath(log, CORPUS)}, expected {wanted}")
        check(not count or n == wanted or name in MORE, f"{name}: {n} matches, expected exactly {wanted}")
        n_exact += not count or n == wanted
check(n_tests > 0, "there are regression logs")
print(f"{n_tests} regression logs, {n_exact} with exactly the expected matches")
finish()
