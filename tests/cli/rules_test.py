"""Rule files on the command line: check, list, test, and what a bad file costs."""
import glob
import json
import os

import sample
from tool import TOP, build, check, expect, finish, path, run, write

log = sample.log()
good = write("good.flr", open(sorted(glob.glob(os.path.join(TOP, "rules", "packs", "*.flr")))[0], "rb").read())
bad = write("bad.flr", "rule broken {\n  nonsense\n}\n")

expect(run("rules"), 2)
expect(run("rules", "bake", good), 2, err="check, list, test or explain")
expect(run("rules", "check", good), 0, "good.flr", "rules")
refused = expect(run("rules", "check", bad), 2, "bad.flr:", "error:", "^")
expect(run("rules", "check", good, bad), 3, "good.flr", "refused")
expect(run("rules", "check", path("missing.flr")), 2, err="missing.flr")
expect(run("rules", "check"), 0)
rows = [json.loads(line) for line in expect(run("rules", "check", good, bad, "--format", "json"), 3).text.splitlines()]
check(len(rows) == 2 and all({"file", "rules", "errors", "warnings"} <= set(row) for row in rows), "one object a file")
check(any(row["errors"] and {"line", "column", "text"} <= set(row["errors"][0]) for row in rows), "errors have places")
check(any(not row["errors"] and row["rules"] > 0 for row in rows), "the good file has rules")

expect(run("rules", "list"), 0)
listed = [json.loads(line) for line in expect(run("rules", "list", "--format", "json"), 0).text.splitlines()]
check(listed and all({"rule", "title", "severity", "file", "line"} <= set(rule) for rule in listed), "list's keys")
check(len({rule["rule"] for rule in listed}) == len(listed), "names are unique")

expect(run("triage", log, "--rules", bad), 2, err="bad.flr")
expect(run("triage", log, "--rules", path("missing.flr")), 2, err="missing.flr")
expect(run("triage", log, "--no-packs", "--rules", good), 0)
expect(run("triage", log, "--no-packs", "--rules", good, "--rules", bad), 3, err="bad.flr")
folder = path("rules")
os.makedirs(folder)
write("rules/a.flr", open(good, "rb").read())
expect(run("triage", log, "--no-packs", "--rules", folder), 0)
write("rules/b.flr", open(bad, "rb").read())
expect(run("triage", log, "--no-packs", "--rules", folder), 3)

twice = run("triage", log, "--rules", path("missing.flr")).notes
check(twice.count("missing.flr") == 1, "one sentence for one missing file", run("triage", log, "--rules", path("missing.flr")))

# A test that fails, one whose input is missing, and a rule without tests.
RULE = """rule sample_client {
  meta: title = "a client event"
  events:
    $end : kind "rdp.client.disconnect"
  sequence:
    $end
  tests:
    %s
}
"""
name = os.path.relpath(log, path(""))
expect(run("rules", "test", write("holds.flr", RULE % f'match "{name}"')), 0, "ok ", "1 tests, 0 failed")
expect(run("rules", "test", write("fails.flr", RULE % f'nomatch "{name}"')), 1, "FAIL", "1 failed")
expect(run("rules", "test", write("counts.flr", RULE % f'match "{name}" 3')), 1, "FAIL", "match wanted")
expect(run("rules", "test", write("lost.flr", RULE % 'match "lost.evtx"')), 1, "FAIL", err="lost.evtx")
expect(run("rules", "test", write("lost-scenario.flr", RULE % 'match "lost.scn"')), 1, "FAIL", err="lost.scn")
expect(run("rules", "test", write("untested.flr", (RULE % "").replace("tests:", ""))), 0, "0 tests", err="no rule names a test")

as_json = [json.loads(line) for line in run("rules", "test", path("counts.flr"), "--format", "json").text.splitlines()]
check(as_json == [{"rule": "sample_client", "path": path(name), "expects": "match", "count": 3, "found": 40, "status": "failed"}],
      f"one object a test: {as_json}")
expect(run("rules", "test", path("holds.flr"), "--format", "csv"), 2, err="text or json")

# Without the program that builds scenarios, nothing is proven: that is no success.
nowhere = {"FL_FIXTURES": ""}
write("skips.flr", (RULE % 'match "lost.scn"').replace("sample_client", "other_client"))
expect(run("rules", "test", path("skips.flr"), env=nowhere), 3, "skip  other_client", "1 skipped", err="1 of 1 tests were not run")
expect(run("rules", "test", path("skips.flr"), path("holds.flr"), env=nowhere), 3, "ok  ", err="1 of 2 tests were not run")
expect(run("rules", "test", path("skips.flr"), path("fails.flr"), env=nowhere), 1, err="1 of 2 tests were not run")
expect(run("rules", "list", "--no-packs"), 2, err="no rule file given")
expect(run("rules", "list", "--no-packs", path("holds.flr")), 0, "sample_client")

# Names of files and texts of rules are the user's, and a download may choose them: none reaches a terminal raw.
evil = write("evil\x1b]0;owned\x07\u202e.flr", RULE.replace('"a client event"', '"a \x1b[31mtitle\u009b"') % f'match "{name}"')
worse = write("worse\x1b[2J.flr", "rule broken {\n  \x1b[31mnonsense\n}\n")
for words in (("rules", "check", evil, worse), ("rules", "list", evil), ("rules", "test", evil), ("rules", "check", worse),
              ("rules", "check", evil, worse, "--format", "json"), ("rules", "list", evil, "--format", "json"),
              ("rules", "test", evil, "--format", "json"), ("triage", log, "--rules", evil, "--rules", worse),
              ("triage", log, "--rules", evil, "--format", "md"), ("triage", log, "--rules", path("none\x1b[1m.flr"))):
    done = run(*words)
    for text in (done.text, done.notes):
        check(not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0 or c == "\u202e"],
              f"{words[:2]}: raw controls", done)

# Every pack's own tests.
packs = os.path.join(TOP, "rules", "packs")
tested = run("rules", "test", packs)
check(tested.code == 0 and "0 failed" in tested.text, "the tests of the packs pass", tested)
# Every shipped rule that finds something has tests, and all of them run.
check(", 0 skipped" in tested.text, "no test of the packs is skipped", tested)
for rule in listed:
    check(rule["tests"] > 0 or rule["severity"] == 0, f'{rule["rule"]} has tests')
    check(not rule["tests"] or f'  {rule["rule"]}  ' in tested.text, f'the tests of {rule["rule"]} run')
# A regular expression without end stops, and the report says so.
endless = write("endless.flr", """rule endless { meta: title = "t"
  events: $a : channel "Microsoft-Windows-TerminalServices-RDPClient/Operational" 1024 {
    event.channel matches /^((.|..)+)+[0-9]$/ } }
""")
bundles = build(os.path.join(TOP, "fixtures", "scenarios", "demo.scn"), path("endless"))
case = json.loads(expect(run("triage", "--quiet", "--no-packs", "--rules", endless, *bundles, "--format", "json"), 3).text)
check(any("endless.flr:3: the regular expression reached its limit on 3 values, which fit nothing; out of use since" in note["text"]
          for note in case["notes"]), f"a note: {case['notes']}")

# What rules find does not depend on the order of the inputs, nor on threads.
answers = []
for words in (["--jobs", "1"], ["--jobs", "2"], ["--jobs", "1", "turned"]):
    bundles = build(os.path.join(TOP, "fixtures", "scenarios", "two-bundles-skew.scn"), path("order"))
    turned = bundles[::-1] if words[-1] == "turned" else bundles
    case = json.loads(run("triage", "--quiet", "--format", "json", *words[:2], *turned).text)
    answers.append([case[key] for key in ("findings", "verdict", "attempts", "coverage")])
check(len(bundles) == 2 and answers[0][0] and answers[0] == answers[1] == answers[2], "the order of inputs does not matter")

# One that holds and one that does not, for each rule that gives findings. A scenario alone has no dialog, and these
# speak of its code or of what was typed into it: the scenarios of causes hold them.
OF_DIALOGS = {"rdp_service_port_named", "rdp_session_code_of_display", "rdp_session_code_of_crash"}
results = [json.loads(line) for line in run("rules", "test", packs, "--format", "json").text.splitlines()]
for rule in listed:
    kinds = {result["expects"] for result in results if result["rule"] == rule["rule"]}
    check(kinds == {"match", "nomatch"} or rule["severity"] == 0 or rule["rule"] in OF_DIALOGS and kinds, f'{rule["rule"]} has tests of both kinds: {kinds}')
expect(run("rules", "test"), 2)
finish()
