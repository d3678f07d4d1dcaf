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
finish()
