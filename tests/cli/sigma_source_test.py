"""A Sigma rule as a step of a sequence: by id, by name, in triage and match; what is unknown is refused."""
import json
import os

from tool import SCENARIOS, build, check, expect, finish, path, run, write

bundles = build(os.path.join(SCENARIOS, "demo.scn"), path("demo"))
sigma = write("key.yml", """title: Key failure of Schannel
id: 5f3c1a52-0001-4c2e-9d57-6a2b8b1f6c11
name: schannel_key
logsource: {product: windows, service: system}
detection:
  sel: {Provider_Name: Schannel, EventID: 36870}
  condition: sel
level: high
""")
RULE = """rule by_sigma { meta: title = "t"
  events:
    $dial : client channel "Microsoft-Windows-TerminalServices-RDPClient/Operational" 1024 { Value => %%srv as host }
    $key  : server sigma("%s") { event.host => %%srv as host }
  sequence by %%srv within 1m: $dial $key within 5s
  explain: "{$key.id} after {$key.delta($dial)}" }
"""
for name in ("5f3c1a52-0001-4c2e-9d57-6a2b8b1f6c11", "schannel_key", "Key failure of Schannel"):
    rule = write("use.flr", RULE % name)
    # Which file is given first does not matter.
    for files in ((rule, sigma), (sigma, rule)):
        words = [word for file in files for word in ("--rules", file)]
        case = json.loads(expect(run("triage", "--quiet", "--no-packs", *words, *bundles, "--format", "json"), 0).text)
        found = [finding["text"] for finding in case["findings"] if finding["rule"] == "by_sigma"]
        check(len(found) == 3 and all(text.startswith("36870 after 0.") for text in found), f"{name}: {found}")
hits = [json.loads(line) for line in run("match", "--quiet", "--rules", sigma, "--rules", path("use.flr"), "--format", "json",
                                         *bundles).text.splitlines()]
check(sum(hit.get("engine") == "sequence" for hit in hits) == 3 and sum(hit.get("engine") == "sigma" for hit in hits) == 3,
      "match gives both")
expect(run("rules", "check", path("use.flr")), 2, "use.flr:4:20", "no Sigma rules are loaded")
expect(run("rules", "check", write("other.flr", RULE % "other"), sigma), 3, 'sigma("other"): no Sigma rule of one event has this id or name')
finish()
