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

# Levels, rules that are left out, and findings that are suppressed.
low = write("more/low.yml", RULE.replace("level: high", "level: low").replace("1111-4111", "4444-4111").replace("A client", "Some client"))
both = ("--rules", rule, "--rules", low, "--format", "json")
rules_of = lambda result: {json.loads(line)["rule"][9:13] for line in result.text.splitlines()}
check(rules_of(expect(run("match", log, *both), 0)) == {"1111", "4444"}, "both rules match")
summary = run("match", log, "--rules", low, "--rules", rule).text.split("2 rules matched")[1]
check(summary.index("A client") < summary.index("Some client"), "the summary begins with the most severe")
check(rules_of(expect(run("match", log, *both, "--min-level", "medium"), 0)) == {"1111"}, "--min-level leaves the low one out")
check(rules_of(expect(run("match", log, *both, "--exclude", "a client lost its session"), 0)) == {"4444"}, "--exclude by title")
check(rules_of(expect(run("match", log, *both, "--exclude", "44444444-4444-4111-8111-111111111111"), 0)) == {"1111", "4444"},
      "--exclude of an id that no rule has")
expect(run("match", log, *both, "--min-level", "loud"), 2, err="want informational, low, medium, high or critical")
suppress = write("suppress.txt", "# known\n11111111-1111-4111-8111-111111111111\nSome client lost its session where record_id < 5\n")
hits = [json.loads(line) for line in expect(run("match", log, *both, "--suppress", suppress), 0).text.splitlines()]
check(all(hit["rule"].startswith("11111111-4444") and hit["events"][0]["record_id"] >= 5 for hit in hits) and hits, "--suppress by rule and by field")
expect(run("match", log, "--rules", rule, "--suppress", suppress), 3, "no rule matched", f"{len(found)} findings suppressed",
       err="suppress.txt:3: no rule 'Some client lost its session' is loaded")
bad = write("bad-suppress.txt", "\nA client lost its session where record_id <\n")
expect(run("match", log, "--rules", rule, "--suppress", bad), 2, err="bad-suppress.txt:2:")
expect(run("match", log, "--rules", rule, "--suppress", path("none.txt")), 2, err="none.txt")

# Log sources and placeholders of the user's own.
own = write("own/rule.yml", """title: Mine
id: 55555555-5555-4111-8111-111111111111
logsource:
    product: windows
    service: my-clients
detection:
    selection:
        EventID|expand: '%Ends%'
    condition: selection
""")
expect(run("match", log, "--rules", own), 0, "no rule matched", err=("no event log is known for", "placeholder %Ends% has no value"))
table = write("own/sources.yml", """services:
    my-clients: [Microsoft-Windows-TerminalServices-RDPClient/Operational]
placeholders:
    Ends: ['1026']
""")
expect(run("match", log, "--rules", own, "--logsources", table), 0, "Mine", "1 rule matched")
expect(run("rules", "check", own, "--logsources", table), 0, "rule.yml: 1 rules")
expect(run("match", log, "--rules", own, "--logsources", write("own/bad.yml", "service: {}\n")), 2,
       err=("bad.yml:1:1", "did you mean 'services'"))

# The findings are those of a case, too, and count for --exit-code.
case = json.loads(expect(run("triage", log, "--rules", rule, "--format", "json"), 0).text)
of_rule = [finding for finding in case["findings"] if finding["rule"] == "11111111-1111-4111-8111-111111111111"]
check(len(of_rule) == len(found) and of_rule[0]["severity"] == 60, f"{len(of_rule)} findings of the case, {len(found)} of match")
check([finding["events"][0]["offset"] for finding in of_rule] == [hit["events"][0]["offset"] for hit in found], "with the same events")
expect(run("triage", log, "--no-packs", "--rules", rule, "--exit-code=high"), 1)
expect(run("triage", log, "--no-packs", "--rules", low, "--exit-code=high"), 0)
sign = [sign for sign in case["signs"] if sign["rule"].startswith("11111111")][0]
check((sign["engine"], sign["level"], sign["severity"], sign["count"]) == ("sigma", "high", 60, len(found)), f"a sign: {sign}")
check(sign["first"][:19] == found[0]["events"][0]["time"][:19] and sign["last"][:19] == found[-1]["events"][0]["time"][:19], "its first and last")
check([event["offset"] for event in sign["events"]] == [hit["events"][0]["offset"] for hit in found[:3]], "where it is found first")

# The note for a ticket names the most severe rules, and counts the rest.
many = [write(f"many/{i}.yml", RULE.replace("1111-4111", f"77{i:02}-4111").replace("A client", f"Client {i}")
              .replace("level: high", f"level: {'critical' if i == 7 else 'low'}")) for i in range(11)]
for form in ("text", "md"):
    text = expect(run("triage", log, "--rules", path("many"), "--format", form), 0, "What Sigma rules found",
                  "and 3 more rules, matched 120 times").text
    signs = text.split("What Sigma rules found")[1]
    check(signs.index("critical: Client 7 lost its session: 40 findings, 2026-03-02 10:00:03 to 2026-03-02 10:39:03")
          < signs.index("low: Client 0"), "the most severe first")
    check(text.index("What Sigma rules found") > text.index("What to do" if form == "text" else "verdict" if "verdict" in text else "#"), "behind the advice")
expect(run("triage", log, "--rules", silent), 0, "What Sigma rules found", "nothing: none of 1 rule matched")
check("Sigma" not in run("triage", log).text, "without such rules nothing is said of them")

# A correlation cites the events that its base rules matched without findings of their own.
pair = write("pair.yml", RULE.replace("id: 1", "name: lost\nid: 9") + """---
title: Many lost sessions
correlation:
    type: event_count
    rules: [lost]
    timespan: 1h
    condition: {gte: 30}
""")
case = json.loads(expect(run("triage", log, "--rules", pair, "--format", "json"), 0).text)
of_pair = [finding for finding in case["findings"] if finding["engine"] == "sigma"]
check(len(of_pair) == 1 and len(of_pair[0]["events"]) == 40 and of_pair[0]["events"][0]["source"], "all events of a correlation")
finish()
