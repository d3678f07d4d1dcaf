"""Rule files that include others: what is read, how often, and what is refused with a reason."""
import json
import os

import sample
from tool import check, expect, finish, path, run, write

log = sample.log()
RULE = """rule %s { meta: title = "t"
  events: $a : %s
}
"""
COMMON = """let @client = channel "Microsoft-Windows-TerminalServices-RDPClient/Operational"
private rule any_end { meta: title = "an end" events: $a : kind "rdp.client.disconnect" }
"""


def listed(*paths):
    return sorted(json.loads(line)["rule"] for line in run("rules", "list", "--format", "json", *paths).text.splitlines())


# Aliases and rules of an included file are known; each file is read once, whatever includes it.
write("a/common.flr", COMMON)
main = write("a/main.flr", 'include "common.flr"\n' + RULE % ("ends", "@client 1026") + RULE % ("named", 'rule("any_end")'))
expect(run("rules", "check", main), 0, "main.flr: 2 rules", "common.flr: 1 rules")
check(listed(main) == ["any_end", "ends", "named"], f"rules of both: {listed(main)}")
write("a/other.flr", 'include "common.flr"\ninclude "deep/inner.flr"\n' + RULE % ("other", "@client"))
write("a/deep/inner.flr", 'include "common.flr"\n' + RULE % ("inner", "@client 1027"))
check(listed(path("a")) == ["any_end", "ends", "inner", "named", "other"], f"a folder: {listed(path('a'))}")
expect(run("rules", "check", path("a")), 0)
findings = json.loads(run("triage", log, "--no-packs", "--rules", main, "--format", "json").text)["findings"]
check({f["rule"] for f in findings} == {"ends", "named"} and
      sum(f["rule"] == "ends" for f in findings) == sum(f["rule"] == "named" for f in findings),
      f"a rule is a source, and a private one gives no findings: {len(findings)}")


def refused(name, text, *words):
    file = write(name, text + "\n" + RULE % ("after_" + os.path.basename(name).split(".")[0].replace("-", "_"), 'kind "k"'))
    done = expect(run("rules", "check", file), 2, "refused", *words)
    check("root:" not in done.text + done.notes, f"{name}: nothing of the file is shown", done)
    return done


# What lies elsewhere is not read, and nothing of it is shown.
refused("b/absolute.flr", 'include "/etc/passwd"', "absolute.flr:1:9", 'include "/etc/passwd": an absolute path')
refused("b/absolute-flr.flr", f'include "{main}"', "an absolute path")
refused("b/up.flr", 'include "../a/common.flr"', "a path that leads upwards")
refused("b/up-later.flr", 'include "x/../../a/common.flr"', "a path that leads upwards")
refused("b/suffix.flr", 'include "passwd"', "not the name of a .flr file")
refused("b/missing.flr", 'include "none.flr"', "No such file")
refused("b/empty.flr", 'include ""', "not the name of a .flr file")
refused("b/twice.flr", 'include "x//y.flr"', "empty parts")
os.symlink("/etc/passwd", path("b/link.flr"))
refused("b/links.flr", 'include "link.flr"', "a symbolic link")
os.symlink(path("a"), path("b/folder"))
refused("b/links-folder.flr", 'include "folder/common.flr"', "links-folder.flr:1:9")
os.mkfifo(path("b/pipe.flr"))
refused("b/pipes.flr", 'include "pipe.flr"', "not a regular file")
os.mkdir(path("b/dir.flr"))
refused("b/dirs.flr", 'include "dir.flr"', "not a regular file")
refused("b/number.flr", "include 3", "expected a file in quotes")

# Circles and depth.
write("c/one.flr", 'include "two.flr"\n' + RULE % ("one", 'kind "k"'))
write("c/two.flr", 'include "one.flr"\n' + RULE % ("two", 'kind "k"'))
expect(run("rules", "check", path("c/one.flr")), 2, "in a circle")
refused("c/self.flr", 'include "self.flr"', "in a circle")
for i in range(12):
    write(f"d/f{i}.flr", f'include "f{i + 1}.flr"\n' + RULE % (f"f{i}", 'kind "k"'))
write("d/f12.flr", RULE % ("f12", 'kind "k"'))
expect(run("rules", "check", path("d/f0.flr")), 2, "more than 8 deep")
check(listed(path("d/f5.flr")) == sorted(f"f{i}" for i in range(5, 13)), "eight levels are read")

# A mistake in the included file refuses both, and says where.
write("e/bad.flr", "rule bad { nonsense }")
refused("e/main.flr", 'include "bad.flr"', "bad.flr:1:12", "that file is refused")
write("e/clash.flr", 'let @x = channel "c"')
expect(run("rules", "check", write("e/clashes.flr", 'let @x = channel "d"\ninclude "clash.flr"\n')), 3,
       "alias @x is defined twice", "clashes.flr: refused")

# Names of rules that are not there, or not of one event.
refused("f/none.flr", RULE % ("r", 'rule("nobody")'), 'none.flr:2:16: error: rule("nobody"): no rule has this name')
refused("f/sigma.flr", RULE % ("r", 'sigma("proc_creation")'), "sigma.flr:2:16")
refused("f/steps.flr", 'private rule two { meta: title = "t" events: $a : kind "k" $b : kind "l" sequence: $a $b }', "has 2 steps")
refused("f/tests.flr", 'private rule p { meta: title = "t" events: $a : kind "k" tests: match "x" }', "no findings that a test could count")
expect(run("rules", "check", path("f/none.flr"), main), 3, "none.flr: refused", "main.flr: 2 rules")
finish()
