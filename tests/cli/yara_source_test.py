"""A YARA rule as a step of a sequence: its matches are events of their records' machines and times."""
import json
import os

from tool import SCENARIOS, build, check, expect, finish, path, run, skip, write

bundles = build(os.path.join(SCENARIOS, "demo.scn"), path("demo"))
yara = write("named.yar", 'rule lsass_named { strings: $a = "lsass" wide condition: $a }\n')
rule = write("use.flr", """rule by_yara { meta: title = "t"
  events:
    $tcp : kind "rdp.host.accept"    { event.host => %srv as host }
    $y   : yara("lsass_named")       { event.host => %srv as host }
  sequence by %srv within 1m: $tcp $y within 2s
  explain: "{$y.rule} {$y.delta($tcp)}" }
""")
case = json.loads(expect(run("triage", "--quiet", "--no-packs", "--rules", yara, "--rules", rule, *bundles, "--format", "json"),
                         0).text)
expect(run("rules", "check", rule), 2, "use.flr:4:12", 'yara("lsass_named"): no YARA rule of this name is loaded')
expect(run("rules", "check", rule, yara), 0)
if not any(finding["rule"] == "lsass_named" for finding in case["findings"]):
    skip("this build's triage does not look for YARA rules")
found = [finding["text"] for finding in case["findings"] if finding["rule"] == "by_yara"]
check(len(found) == 3 and all(text.startswith("lsass_named 0.") for text in found), f"{found}")
finish()
