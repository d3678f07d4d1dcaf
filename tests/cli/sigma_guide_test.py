"""Every example of docs/rules/sigma.md does what the guide says."""
import os
import re

import sample
from tool import TOP, check, expect, finish, run, write

with open(os.path.join(TOP, "docs", "rules", "sigma.md"), encoding="utf-8") as file:
    blocks = re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```$", file.read(), flags=re.M | re.S)
rules = [write(f"guide/{number}.yml", text) for number, (kind, words, text) in enumerate(blocks) if kind == "yaml" and not words.strip()]
check(len(rules) >= 4, f"{len(rules)} rules in the guide")
for rule in rules:
    done = expect(run("rules", "check", rule), 0, "rules")
    check("warning" not in done.text, "an example gives no warning", done)
log = sample.log()
n_tried = 0
for number, (kind, words, text) in enumerate(blocks):
    words = words.strip()
    n_tried += bool(words)
    if words.startswith("refused:"):
        expect(run("rules", "check", write(f"guide/refused-{number}.yml", text)), 2, words.removeprefix("refused:").strip())
    elif words == "sources":
        expect(run("match", log, "--rules", rules[0], "--logsources", write("guide/sources.txt", text)), 0)
    elif words == "suppress":
        expect(run("match", log, "--rules", rules[0], "--suppress", write("guide/suppress.txt", text)), 0)
    else:
        check(not words, f"a block of the guide is '{words}', which nobody tries")
check(n_tried >= 3, "sources, suppressions and a refusal are tried")
finish()
