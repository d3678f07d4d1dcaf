"""docs/rules/guide.md: its rules load, its commands run, and say what stands below them."""
import json
import os
import re
import shlex

from tool import FOLDER, SCENARIOS, TOP, build, check, expect, finish, path, run, write

for name in ("demo", "healthy"):
    for bundle in build(os.path.join(SCENARIOS, name + ".scn"), path(name)):
        os.rename(bundle, path(name + ".zip"))


def ref(where):
    line = run("export", "--quiet", "demo.zip", "--where", where, "--limit", "1").text.splitlines()[0]
    event = json.loads(line)
    return f"{event['source']}@{event['offset']}"


text = open(os.path.join(TOP, "docs", "rules", "guide.md"), encoding="utf-8").read()
blocks = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S)
said, n_run = "", 0
for kind, name, body in blocks:
    if kind == "flr":
        write(name, body)
        done = expect(run("rules", "check", name), 0, f"{name}: ")
        check("warning" not in done.text, f"{name} has no warnings", done)
    elif kind == "sh":
        said = ""
        for line in body.splitlines():
            line = re.sub(r"\$\(REF ([^)]*)\)", lambda found: ref(found.group(1)), line)
            words = shlex.split(line)
            check(words[0] == "faultline", line)
            said += expect(run(*words[1:]), 0).text
            n_run += 1
    elif kind == "output":
        for line in body.splitlines():
            check(line in said, f"{line!r} is said")
    else:
        check(False, f"a block of kind {kind}")
check(n_run >= 6 and {kind for kind, _, _ in blocks} == {"flr", "sh", "output"} and FOLDER, "the guide has rules, commands, outputs")
finish()
