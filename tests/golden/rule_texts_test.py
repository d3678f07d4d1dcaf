"""What each rule of the packs says where its tests match: explanation and evidence, word for word; --write rewrites it."""
import difflib
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import TOP, build, check, finish, path, run  # noqa: E402

EXPECTED = os.path.join(HERE, "rule-texts.txt")
tests = [json.loads(line) for line in run("rules", "test", os.path.join(TOP, "rules", "packs"), "--format", "json").text.splitlines()]
cases, text = {}, ""


def findings(scenario):
    if scenario not in cases:
        folder = path(re.sub(r"\W", "-", os.path.relpath(scenario, TOP)))
        cases[scenario] = json.loads(run("triage", "--quiet", "--format", "json", *build(scenario, folder)).text)
    return cases[scenario]["findings"]


def evidence(scenario, rule):
    """What the verdict shows of a rule: for, against and missing lines of the hypotheses."""
    for hypothesis in cases[scenario]["verdict"]["hypotheses"]:
        for side in ("for", "against", "missing"):
            for line in hypothesis[side]:
                if line["rule"] == rule:
                    yield f"    {side} {line['points']:+d}: {line['text']}\n"


for test in sorted(tests, key=lambda test: (test["rule"], test["path"])):
    check(test["status"] == "ok", f"{test['rule']} on {test['path']}: {test['status']}")
    if test["expects"] != "match":
        continue
    text += f"{test['rule']} on {os.path.basename(test['path'])}\n"
    texts = [f"  {finding['score']}: {finding['text']}\n" for finding in findings(test["path"]) if finding["rule"] == test["rule"]]
    text += "".join(texts[:3]) + (f"  and {len(texts) - 3} more\n" if len(texts) > 3 else "")
    text += "".join(evidence(test["path"], test["rule"]))
if "--write" in sys.argv:
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write(text)
expected = open(EXPECTED, encoding="utf-8").read() if os.path.exists(EXPECTED) else ""
if text != expected:
    print("\n".join(difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "found", lineterm="")))
check(text == expected, "rules say what they said")
finish()
