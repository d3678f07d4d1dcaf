"""Steps without a window over state facts: triage, match and rules explain agree, no window of time hides a state, and
what is not known is said."""
import json
import os
import shutil

from tool import SCENARIOS, build, check, expect, finish, path, run, write

shutil.copytree(os.path.join(SCENARIOS, "lib"), path("lib"))
SCENARIO = """title "The host was set up against it"
use lib/rdp.inc
use lib/office.inc
play host_start at=t-1d23h H=SRV01
play tls_key_failure at=t+4s act=c1 n=61 port=50211 H=SRV01 C=CLIENT07 ip=10.20.4.31 target=srv01.contoso.example
%s
bundle demo.zip zip layout=msrd of CLIENT07 SRV01
"""
RULE = """rule refused_by_policy { meta: title = "t" cause = "tls.machinekeys"
  events:
    $try    : kind "rdp.attempt" { outcome == "failed"; server => %srv as host }
    $policy : server provider "faultline-state" 65000 { setting == "deny"; layer == "policy"; event.host => %srv as host }
    $local  : server provider "faultline-state" 65000 { setting == "deny"; layer == "local"; event.host => %srv as host }
  sequence by %srv within 1m:
    $try
    $policy? anytime
    $local? anytime
  score:
    +30 if $policy.value == 1 : "policy says {$policy.value} on {$policy.host} ({$policy.time})"
    +20 if $local.value == 1 and not $policy : "locally {$local.value}"
    +10 if unknown($policy)
    +5 if absent $policy
    report at 0
}
"""
rule = write("own.flr", RULE)


def case(name, lines):
    scenario = write(name + ".scn", SCENARIO % "\n".join(["log State on SRV01 first_id=1"] * bool(lines) + lines))
    return build(scenario, path(name))[0]


def lines_of(bundle, *words):
    done = expect(run("triage", "--quiet", "--no-packs", "--rules", rule, "--format", "json", *words, bundle), 0)
    found = [f for f in json.loads(done.text)["findings"] if f["rule"] == "refused_by_policy"]
    check(len(found) == 1, f"one finding, not {len(found)}", done)
    cause = [h for h in json.loads(done.text)["verdict"]["hypotheses"] if h["cause"] == "tls.machinekeys"]
    return [(line["points"], line["text"]) for kind in ("for", "missing") for line in cause[0][kind] if line["rule"] != "phase"]


# A time beyond all times is none; the second state came a day after the failure.
TIMELESS = "t-3h SRV01 evtx State 65000 setting=deny value=1 layer=%s filetime=0x7fffffffffffffff"
LATER = "t+1d SRV01 evtx State 65000 setting=deny value=%d layer=policy"

bundle = case("timeless", [TIMELESS % "policy"])
said = lines_of(bundle)
check(said and said[0] == (30, "policy says 1 on SRV01.contoso.example (?)"), f"the state is taken: {said}")
for window in (["--since", "2026-03-10T07:59:00Z"], ["--until", "2026-03-10T09:00:00Z"]):
    check(lines_of(bundle, *window) == said, f"{window} does not hide it")
    done = expect(run("match", "--quiet", "--rules", rule, "--format", "json", *window, bundle), 0)
    hit = json.loads(done.text.splitlines()[0])
    check(len([e for e in hit["events"] if "State" in e["source"]]) == 1, f"match with {window} cites it", done)

bundle = case("later", [TIMELESS % "policy", LATER % 0, TIMELESS % "local"])
check(lines_of(bundle) == [], "what was collected later wins")
bundle = case("local", [TIMELESS % "local"])
said = lines_of(bundle)
check([points for points, _ in said] == [20, 5], f"one of the two is there, the other is known to lack: {said}")
bundle = case("none", [])
said = lines_of(bundle)
check(10 in [points for points, _ in said], f"without any state nothing is known: {said}")
check(any("not provable" in text and "no such state of SRV01" in text for _, text in said), f"and why: {said}")

# One reader or several: the same bytes.
bundle = case("jobs", [TIMELESS % "policy", TIMELESS % "policy", TIMELESS % "local", LATER % 1, LATER % 1])
one = run("triage", "--quiet", "--no-packs", "--rules", rule, "--format", "json", "--jobs", "1", bundle)
check(one.out and one.out == run("triage", "--quiet", "--no-packs", "--rules", rule, "--format", "json", "--jobs", "4", bundle).out,
      "--jobs does not matter")

# The trace.
event = next(json.loads(line) for line in run("export", "--quiet", "--where", "event_id == 65000", bundle).text.splitlines())
ref = f"{event['source']}@{event['offset']}"
done = expect(run("rules", "explain", rule, "--rule", "refused_by_policy", "--event", ref, bundle), 0,
              "+ $policy? anytime: $policy is ", "the event joins as well, the one found is preferred")
bundle = case("explained", [TIMELESS % "policy"])
done = expect(run("rules", "explain", rule, "--rule", "refused_by_policy", "--event", ref, bundle), 0,
              "+ $policy? anytime: $policy is ", "without a time", "+ it is the event asked about",
              "- $local? anytime: $local is not there at any time, and others of its kind are", "the rule matches with this event")

# A state that names no machine is that of the only logs beside it; where there are several, a note says so.
NOBODYS = """title "A state of nobody"
use lib/rdp.inc
use lib/office.inc
machine X role=server name=''
log State on X first_id=1
play host_start at=t-1d23h H=SRV01
play tls_key_failure at=t+4s act=c1 n=61 port=50211 H=SRV01 C=CLIENT07 ip=10.20.4.31 target=srv01.contoso.example
t-3h X evtx State 65000 setting=deny value=1 layer=policy filetime=0x7fffffffffffffff
bundle %s
"""
apart = build(write("apart.scn", NOBODYS % "a.zip zip layout=msrd of CLIENT07\nbundle b.zip zip layout=msrd of SRV01 X"), path("apart"))
together = build(write("together.scn", NOBODYS % "a.zip zip layout=msrd of CLIENT07 SRV01 X"), path("together"))
own = ["--no-packs", "--rules", rule, "--format", "json"]
for bundles, is_known in ((apart, True), (together, False)):
    answer = json.loads(expect(run("triage", "--quiet", *own, *bundles), 0).text)
    lines = [line["text"] for h in answer["verdict"]["hypotheses"] for kind in ("for", "missing") for line in h[kind]]
    check(any(text == "policy says 1 on SRV01.contoso.example (?)" for text in lines) == is_known, f"SRV01's: {lines}")
    notes = [note["text"] for note in answer["notes"]]
    check(any("nothing tells whose these facts are: the logs beside them are of CLIENT07" in text for text in notes) != is_known,
          f"a note where nobody is meant: {notes}")

# A state alone decides nothing.
expect(run("rules", "check", write("bad.flr", RULE.replace("+30 if", "+30 decisive if"))), 2, "a state alone decides nothing")
finish()
