"""match: Sigma rules on the command line, their findings as text and JSON, and what a bad rule costs."""
import json

import sample
from tool import check, expect, finish, path, run, write

log = sample.log()
RULE = """title: A client lost its session
id: 11111111-1111-4111-8111-111111111111
level: high
logsource:
    product: windows
detection:
    selection:
        Provider_Name: Microsoft-Windows-TerminalServices-*
        EventID: 1026
    condition: selection
"""
rule = write("sigma/client.yml", RULE)
found = [json.loads(line) for line in expect(run("match", log, "--rules", rule, "--format", "json"), 0).text.splitlines()]
check(found, "the sample has an event 1026")
for hit in found:
    check(set(hit) == {"rule", "title", "engine", "severity", "level", "events", "bytes", "text"}, "keys of a finding")
    check(hit["engine"] == "sigma" and hit["severity"] == 60 and hit["level"] == "high", "engine, severity and level")
    check(set(hit["events"][0]) == {"source", "record_id", "offset", "time"}, "keys of an event")
times = [hit["events"][0]["time"] for hit in found]
check(times == sorted(times), "findings are in order of time")
expect(run("match", log, "--rules", rule), 0, "A client lost its session", "1 rule matched", str(len(found)))

expect(run("match", log), 2, err="--rules")
expect(run("match", log, "--rules", rule, "--format", "xml"), 2)
expect(run("match", log, "--rules", path("missing.yml")), 2, err="missing.yml")
expect(run("match", path("missing.evtx"), "--rules", rule), 4)
silent = write("sigma/silent.yml", RULE.replace("1026", "4242").replace("1111-4111", "2222-4111"))
expect(run("match", log, "--rules", silent), 0, "no rule matched")
expect(run("match", log, "--rules", silent, "--format", "json"), 0)
wrong = write("sigma/wrong.yml", RULE.replace("EventID", "EventID|contain").replace("1111-4111", "3333-4111"))
expect(run("match", log, "--rules", wrong), 2, err=("wrong.yml:9:9", "unknown modifier 'contain'", "'contains'"))
expect(run("match", log, "--rules", rule, "--rules", wrong), 3, "A client lost its session", err="contain")
expect(run("rules", "check", path("sigma")), 3, "client.yml: 1 rules", "wrong.yml: refused")
rows = [json.loads(line) for line in expect(run("rules", "list", rule, "--format", "json"), 0).text.splitlines()]
check(rows[0]["engine"] == "sigma" and rows[0]["level"] == "high", "list names engine and level")

# A timeline answers as its inputs do.
timeline = path("case.fltl")
expect(run("timeline", log, "-o", timeline), 0)
again = [json.loads(line) for line in expect(run("match", timeline, "--rules", rule, "--format", "json"), 0).text.splitlines()]
check([hit["events"] for hit in again] == [hit["events"] for hit in found], "a timeline gives the same findings")
finish()
