"""YARA rules on the command line: what they find, what is refused, and every example of the guide."""
import json
import os
import re
import zipfile

import sample
from tool import FIXTURES, TOP, build, check, expect, finish, path, run, skip, write

if not os.path.exists(FIXTURES):
    skip("fl-fixtures is not built")
log = sample.log()

# Every example of the guide loads or is refused as it says.
guide = open(os.path.join(TOP, "docs", "rules", "yara.md"), encoding="utf-8").read()
examples = re.findall(r"^```yara\n(.*?)^```", guide, re.M | re.S)
refused = re.findall(r"^```yara-refused\n(.*?)^```", guide, re.M | re.S)
check(len(examples) == 4 and len(refused) == 2, "the guide's examples are found")
for i, text in enumerate(examples):
    expect(run("rules", "check", write(f"guide/{i}.yar", text)), 0, "1 rules")
for text, word in zip(refused, ("/etc/passwd", "module \"cuckoo\"")):
    expect(run("rules", "check", write("refused/0.yar", text)), 2, "refused", word)
for command in re.findall(r"^faultline (\w+)", guide, re.M):
    expect(run("help", command), 0, command)

# What the guide says of its examples: over a log of forty lost connections.
found = [json.loads(line) for line in expect(run("match", log, "--rules", path("guide"), "--format", "json"), 0).text.splitlines()]
by_rule = {}
for row in found:
    by_rule.setdefault(row["rule"], []).append(row)
check(set(by_rule) == {"tool_by_name", "client_lost", "log_in_odd_place"}, f"rules that match: {sorted(by_rule)}")
tool = by_rule["tool_by_name"]
check(len(tool) == 1 and tool[0]["severity"] == 70 and tool[0]["engine"] == "yara", "one finding a rule and file")
check(len(tool[0]["events"]) == 40 and tool[0]["events"][1]["record_id"] == 3, "each record that holds it")
check(tool[0]["events"][0]["time"].startswith("2026-03-02T10:00:01"), "with its time")
check(len(by_rule["client_lost"]) == 40, "one finding for each event")
check(by_rule["client_lost"][0]["events"][0]["record_id"] == 2, "the event itself")
for jobs in ("1", "3"):
    again = run("match", log, "--rules", path("guide"), "--format", "json", "--jobs", jobs).text
    check([json.loads(line) for line in again.splitlines()] == found, f"the same with {jobs} jobs")
narrowed = run("match", log, "--rules", path("guide"), "--format", "json", "--until", "2026-03-02T10:02:30Z").text
check([len(json.loads(line)["events"]) for line in narrowed.splitlines() if "tool_by_name" in line] == [3], "a window")
expect(run("match", log, "--rules", path("guide")), 0, "YARA rule client_lost", "3 rules matched")

# In a folder, an archive, and alone: what no parser reads is scanned, too.
needle = write("needle.yar", 'rule needle { strings: $a = "needle" condition: $a }')
write("mixed/a.bin", b"\0" * 100 + b"needle")
with zipfile.ZipFile(path("mixed/b.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("in/c.bin", b"x" * 5000 + b"needle")
rows = [json.loads(line) for line in expect(run("match", path("mixed"), "--rules", needle, "--format", "json"), 0).text.splitlines()]
check([row["bytes"] for row in rows] == [[{"source": "mixed/a.bin", "offset": 100, "length": 6}],
                                         [{"source": "mixed/b.zip!/in/c.bin", "offset": 5000, "length": 6}]], f"places: {rows}")
expect(run("match", path("mixed/a.bin"), "--rules", needle), 0, "a.bin@100")

# Events of a timeline and an export, and records that they point to.
only = 'kind == "yara.match"'
rows = [json.loads(line) for line in expect(run("export", log, "--rules", needle, "--rules", path("guide"), "--where", only), 0).text.splitlines()]
check(len(rows) == 81 and all("finding" in row["flags"] and row["kind"] == "yara.match" for row in rows), "events of an export")
lost = [row for row in rows if row["data"]["rule"] == "client_lost"]
check(len(lost) == 40 and lost[0]["data"]["record"] == 2 and lost[0]["host"] == "PC1.example.test", "with record and host")
shown = expect(run("show", f"{os.path.basename(log)}@{lost[0]['offset']}", log), 0)
check("2308" in shown.text, "show prints the record", shown)
expect(run("timeline", log, "--rules", path("guide"), "-o", path("t.fltl")), 0)
in_timeline = [json.loads(line) for line in run("export", path("t.fltl"), "--where", only).text.splitlines()]
check(sorted(row["offset"] for row in in_timeline) == sorted(row["offset"] for row in rows), "events of a timeline")
plain = run("export", log, "--rules", path("guide")).text.splitlines()
check(len(plain) == 80 + 81, "all events and finds")
check(len(run("export", log, "--rules", path("guide"), "--limit", "5").text.splitlines()) == 5, "a limit")
expect(run("match", path("t.fltl"), "--rules", path("guide")), 0, "client_lost", err="holds no bytes")
expect(run("triage", log, "--rules", path("guide"), "--timeline", path("u.fltl")), 0)
case = json.loads(expect(run("triage", log, "--rules", path("guide"), "--format", "json"), 0).text)
finds = {f["rule"]: f for f in case["findings"] if f["effect"] == "context"}
check({"tool_by_name", "client_lost", "log_in_odd_place"} <= set(finds), f"findings of a case: {sorted(finds)}")
check(finds["client_lost"]["text"] == "YARA rule client_lost matches in 40 places" and finds["client_lost"]["severity"] == 50
      and len(finds["client_lost"]["events"]) == 40, f"a finding: {str(finds['client_lost'])[:300]}")
expect(run("triage", log, "--rules", path("guide"), "--exit-code=high"), 1, "What YARA rules found",
       "severity 50: The client was disconnected, rule client_lost: 40 places")
check({(s["rule"], s["count"]) for s in case["signs"]} >= {("client_lost", 40), ("log_in_odd_place", 1)}, "signs of a case")
check(len(run("export", path("u.fltl"), "--where", only).text.splitlines()) == 81, "events of a triage's timeline")

# Scripts are put together.
SCRIPTS = """title "scripts"
base 2026-03-02T10:00:00Z
machine BOX role=server name=BOX.example
log Types on BOX first_id=1
t    BOX evtx Types 4104 MessageNumber:u32=1 MessageTotal:u32=2 ScriptBlockText:str="IEX (New-Object Net.WebClient).Down" ScriptBlockId:str=id-1
t+1s BOX evtx Types 4104 MessageNumber:u32=2 MessageTotal:u32=2 ScriptBlockText:str="loadString('x')" ScriptBlockId:str=id-1
t+2s BOX evtx Types 4104 MessageNumber:u32=1 MessageTotal:u32=1 ScriptBlockText:str="iex" ScriptBlockId:str=id-2
bundle s dir layout=flat of BOX
"""
scripts = build(write("s.scn", SCRIPTS), path("scripts"))[0]
rows = [json.loads(line) for line in expect(run("match", scripts, "--rules", path("guide/1.yar"), "--format", "json"), 0).text.splitlines()]
check(len(rows) == 1 and [e["record_id"] for e in rows[0]["events"]] == [1, 2] and "of script id-1" in rows[0]["text"], f"one script: {rows}")

# What is refused costs its file alone.
write("some/good.yar", 'rule good { condition: true }')
write("some/bad.yar", 'rule bad {\n  condition:\n    $none\n}\n')
write("some/compiled.yar", b"YARA\x13\x00\x01")
write("some/module.yar", 'import "magic"\nrule m { condition: true }')
write("some/out.yar", 'include "../needle.yar"\nrule o { condition: true }')
write("some/in.yar", 'include "more/in.inc"\nrule i { condition: inner }')
write("some/more/in.inc", "private rule inner { condition: true }")
result = expect(run("rules", "check", path("some")), 3, "bad.yar:4:1: error: rule bad: undefined string \"$none\"",
                "compiled rules are code", "module \"magic\" is not read here", "lies outside of the folder")
check(len(re.findall("refused$", result.text, re.M)) == 4, "four are refused", result)
listed = [json.loads(line) for line in expect(run("rules", "list", path("some"), "--format", "json"), 3).text.splitlines()]
check([(rule["rule"], rule["engine"], rule["line"]) for rule in listed] == [("good", "yara", 1), ("i", "yara", 2)], f"listed: {listed}")
expect(run("match", log, "--rules", path("some")), 3, "YARA rule good", err="bad.yar:4")
# A Sigma filter for a rule that is nowhere is found out late: YARA rules are compiled all the same.
write("both/late.yml", "title: f\nid: 11111111-1111-4111-8111-111111111111\nlogsource: {product: windows}\nfilter:\n"
      "  rules: [22222222-2222-4222-8222-222222222222]\n  s: {a: b}\n  condition: not s\n")
write("both/good.yar", "rule good { condition: true }")
both = run("match", log, "--rules", path("both"))
check("YARA rule good" in both.text and both.code in (0, 3), "a late error of another kind", both)
expect(run("match", log, "--rules", path("some/bad.yar")), 2, err="no rule file could be loaded")
# A sequence sees what YARA rules found, in match as in triage and in a timeline's column.
both = write("both/s.flr", """rule named_then_lost { meta: title = "named, then lost"
  events:
    $a : yara("tool_here")
    $b : provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1026
  sequence within 10s:
    $a
    $b
}
""")
write("both/y.yar", 'rule tool_here { strings: $a = "host1" wide condition: $a }')
hits = [json.loads(line) for line in expect(run("match", log, "--rules", path("both"), "--format", "json"), 0).text.splitlines()]
of_both = [hit for hit in hits if hit["rule"] == "named_then_lost"]
case = json.loads(expect(run("triage", log, "--no-packs", "--rules", path("both"), "--format", "json"), 0).text)
n_case = sum(finding["rule"] == "named_then_lost" for finding in case["findings"])
check(len(of_both) == n_case == 40, f"{len(of_both)} findings of match, {n_case} of triage")
check(sum(hit["rule"] == "tool_here" for hit in hits) == 1, "what YARA found is listed once")
expect(run("timeline", log, "--rules", path("both"), "-o", path("v.fltl")), 0)
named = [json.loads(line) for line in run("export", path("v.fltl"), "--where", "rules contains 'named_then_lost'").text.splitlines()]
check(len(named) == 40 and all(row["event_id"] == 1026 for row in named), f"records alone are tagged: {len(named)}")
finish()
