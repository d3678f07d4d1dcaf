"""rules explain: why a rule did or did not match one event, for clauses, steps, joins, windows, absence and scores."""
import json
import os

from tool import SCENARIOS, build, check, expect, finish, path, run, write

bundles = build(os.path.join(SCENARIOS, "demo.scn"), path("demo"))
case = json.loads(run("triage", "--quiet", "--format", "json", *bundles).text)
finding = next(f for f in case["findings"] if f["rule"] == "rdp_tls_key_unusable")


def ref(event):
    return f"{event['source']}@{event['offset']}"


def explain(rule, event, *words, code=0):
    done = expect(run("rules", "explain", *words, "--rule", rule, "--event", event, "--format", "json",
                      cwd=os.path.dirname(bundles[0])), code)
    return json.loads(done.text) if done.text else None


def lines(answer, kind=None, result="any"):
    return [line["text"] for line in answer["lines"] if (kind is None or line["kind"] == kind)
            and (result == "any" or line["result"] == result)]


# A pack's rule, a record of the finding; REF alone names the input.
failed = [json.loads(line) for line in run("export", "--quiet", "--where", "event_id == 36870", *bundles).text.splitlines()]
key = next(e for e in finding["events"] if ref(e) in [ref(event) for event in failed])
answer = explain("rdp_tls_key_unusable", ref(key))
check(answer["matches"] is True, "it matches")
check(any("$key : kind" in text for text in lines(answer, "event", "true")), "$key fits")
check(any("$try : kind" in text for text in lines(answer, "event", "false")), "$try does not")
check(any(text.startswith('side == "server": it is "server"') for text in lines(answer, "clause", "true")), "a clause holds")
check("it is the event asked about" in lines(answer, "candidate", "true"), "the step took it")
check(any(text.startswith("+60 decisive if $key") for text in lines(answer, "score", "true")), "a line of the score holds")
check(any("a finding" == text for text in lines(answer, "result", "true")), "a finding")
text = expect(run("rules", "explain", "--rule", "rdp_tls_key_unusable", "--event", ref(key), cwd=os.path.dirname(bundles[0])),
              0, "+ $key : kind", "the rule matches with this event")
expect(run("rules", "explain", *bundles, "--rule", "rdp_tls_key_unusable", "--event", ref(key)), 0, "the rule matches")

# A record that only an attempt holds is asked about as that attempt.
client = finding["events"][-1]
answer = explain("rdp_tls_key_unusable", ref(client))
check(any(text.startswith("it is part of attempt") for text in lines(answer, "record")), f"the attempt is named: {lines(answer)}")
check(answer["matches"] is True, "and matches")

# Rules of one's own: each reason why not.
RULE = """rule own { meta: title = "t"
  events:
    $key  : kind "tls.server_key_failed" { %s }
    $dial : client provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1024 { event.host -> %%h as host }
    $none : server provider "Schannel" 36888 { event.host => %%srv as host }
  sequence within 1h: $key $dial? within %s absent $none within 3s after $key
  score: +10 if $key +20 if $dial +5 if absent $none report at %s }
"""


def own(where, window, report):
    return explain("own", ref(key), write("own.flr", RULE % (where, window, report)), *bundles)


answer = own("error == 1; event.host -> %srv as host", "5s", 10)
check(answer["matches"] is False, "a clause fails")
check(any(text.startswith("error == 1: it is ") for text in lines(answer, "clause", "false")), f"and says so: {lines(answer)}")
check(lines(answer, "result") == ["it is no event of the rule"], "no run is told")
answer = own("event.host => %srv as host", "5s", 90)
check(answer["matches"] is False and "no finding: too few points" in lines(answer, "result", "false"), "too few points")
check(any("reported at 90" in text for text in lines(answer, "sum", "false")), "the sum is told")
check(any("$none is not there" in text for text in lines(answer, "absent")), "an absence is told")
answer = own("lost_field => %srv", "5s", 10)
check("lost_field => %srv: not there" in lines(answer, "capture", "false"), "a capture is missing")
JOIN = """rule joined { meta: title = "t"
  events:
    $first : provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1024 { event.host => %h as host }
    $key   : kind "tls.server_key_failed" { event.host => %h as host }
  sequence by %h within 1h: $first $key within WINDOW score: +60 if $key report at 10 }
"""
answer = explain("joined", ref(key), write("joined.flr", JOIN.replace("WINDOW", "1h")), *bundles)
check(not answer["matches"] and any('%h is "SRV01' in text and '"CLIENT07' in text for text in lines(answer, "join", "false")),
      f"a join fails: {lines(answer)}")
# On one host no clock widens a window.
near = JOIN.replace("WINDOW", "1ms").replace('provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1024',
                                             'kind "rdp.host.accept"')
answer = explain("joined", ref(key), write("joined.flr", near), *bundles)
check(any(text.startswith("the event lies at ") for text in lines(answer, "window", "false")), f"a window fails: {lines(answer)}")
check("no finding: a step that must be there is not" in lines(answer, "result", "false"), "and no finding follows")

# What cannot be answered.
rules = write("own.flr", RULE % ("error == 1; event.host -> %srv as host", "5s", 10))
expect(run("rules", "explain", rules, "--rule", "nobody", "--event", ref(key), *bundles), 2, err="no rule of this name is loaded")
expect(run("rules", "explain", rules, "--event", ref(key), *bundles), 2, err="want --rule NAME and --event REF")
expect(run("rules", "explain", rules, "--rule", "own", "--event", "nothing", *bundles), 2, err="want SOURCE@OFFSET")
expect(run("rules", "explain", rules, "--rule", "own", "--event", ref(key) + "1", *bundles), 4, err="no record of the inputs is at offset")
expect(run("rules", "explain", rules, "--rule", "own", "--event", "gone.evtx@1"), 4, err="gone.evtx")
# Sigma: the condition, item by item, with what the record has.
import sample  # noqa: E402
log = sample.log()
SIGMA = """title: A client lost its session
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows}
detection:
    selection:
        EventID: 1026
        Value|contains: ['99', '230']
        CustomLevel|re: '^I.*o$'
        Nothing|exists: false
    filter_known:
        Value: 2309
    condition: selection and not 1 of filter_*
---
title: A client dials
name: dials
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 1024}
    condition: selection
---
title: Any event
name: any_event
logsource: {product: windows}
detection:
    selection: {EventID|gte: 1000}
    condition: selection
---
title: Many events
correlation:
    type: value_count
    rules: [any_event, dials]
    group-by: [Computer, Missing]
    timespan: 10m
    condition: {gte: 5, field: Value}
---
title: Many events of a machine
correlation:
    type: event_count
    rules: [any_event]
    group-by: [Computer]
    timespan: 10m
    condition: {gte: 5}
"""
rules = write("explain/s.yml", SIGMA)
rows = [json.loads(line) for line in run("export", log, "--limit", "2").text.splitlines()]
dial, lost = (f"{row['source']}@{row['offset']}" for row in rows)


def explained(rule, ref, *words, file=rules, code=0):
    return expect(run("rules", "explain", file, "--rule", rule, "--event", ref, log), code, *words).text


text = explained("11111111-1111-4111-8111-111111111111", lost, "+ log source product windows: the record is event 1026 of Microsoft-",
                 "+ all of\n", "  + selection, all of\n", "    + EventID: the record has '1026'\n      + is '1026'\n",
                 "    + Value|contains: the record has '2308'\n      - contains '99'\n      + contains '230'\n",
                 "    + CustomLevel|re: the record has 'Info'\n      + fits /^I.*o$/\n",
                 "    + Nothing|exists: the record has no such field\n      + is not there\n",
                 "  + not\n", "- filter_known, all of\n", "- is '2309'\n", "+ A client lost its session (1 record)", "the rule matches with this event")
check(explained("A client lost its session", lost) == text, "by its title")
explained("A client lost its session", dial, "  - selection, all of\n", "    - EventID: the record has '1024'", "- no finding of the rule cites this record",
          "the rule does not match")
explained("dials", dial, "- log source product windows, service security: the record is event 1024 of Microsoft-Windows-TerminalServices",
          "+ selection", "a correlation names it", "does not match")
explained("Many events", dial, "value_count within 10 min 0 s: is at least 5", "+ its rule any_event", "+ group by Computer: the record has 'PC1.example.test'",
          "- group by Missing: the record has no such field, so that it is in no group", "counted is Value: the record has 'host1'",
          "- its rule dials", "does not match")
explained("Many events of a machine", dial, "+ its rule any_event", "+ is at least 1000", "events in", "Computer = pc1.example.test", "the rule matches")
many = write("explain/many.yml", SIGMA.split("---")[0].replace("['99', '230']", "[" + ", ".join(f"x{i}" for i in range(3000)) + ", '230']"))
explained("A client lost its session", lost, "- contains 'x15'", "+ contains '230'", "... and 2984 more, of which 0 hold and 2984 do not", file=many)
done = json.loads(run("rules", "explain", rules, "--rule", "Many events", "--event", dial, log, "--format", "json").text)
check(done["matches"] is False and {"kind": "group", "depth": 1, "result": "true"}.items()
      <= [line for line in done["lines"] if line["kind"] == "group"][0].items(), "as JSON")
expect(run("rules", "explain", rules, "--rule", "nobody", "--event", dial, log), 2, err="no rule of this name")
expect(run("rules", "explain", rules, "--rule", "dials", "--event", dial.split("@")[0] + "@1", log), 4, err="no record")

# YARA: which strings are where, and whether the condition holds.
yara = write("explain/y.yar", """rule reason { strings: $a = "Disconnect Reason" wide $b = "never here" condition: $a and #a > 5 and not $b }
rule both { strings: $a = "Disconnect Reason" wide $b = "never here" condition: all of them }
rule ended : event { meta: event_id = 1026 strings: $a = "2308" $c = "Info" condition: $a and not $c }
rule big { condition: filesize > 100 }
""")
explained("reason", lost, "scanned as one: file", "+ $a: in this record at", "; elsewhere at", "- $b: not found", "+ its condition holds", "the rule matches", file=yara)
explained("reason", dial, "+ $a: not in this record; elsewhere at", "+ its condition holds", "- no finding of the rule cites this record", file=yara)
explained("both", lost, "+ $a: in this record at", "- $b: not found", "- its condition does not hold", "does not match", file=yara)
explained("ended", lost, "scanned as one: event", "+ $a: in this record at", "+ $c: in this record", "- its condition does not hold", file=yara)
explained("ended", dial, "- ended asks event 1026 of any log: the record is event 1024", "does not match", file=yara)
explained("big", lost, "+ its condition holds", file=yara)
finish()
