"""timeline --rules: each event names the rules that matched it, as match lists them; export shows them."""
import csv
import io
import json
import os
import sys
from collections import defaultdict

import sample
from tool import TOP, check, expect, finish, path, run, write

log = sample.log()
SIGMA = """title: A client lost its session
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows}
detection:
    selection: {EventID: 1026}
    condition: selection
---
title: A client dials
name: dials
logsource: {product: windows}
detection:
    selection: {EventID: 1024}
    condition: selection
---
title: Dials, many
correlation:
    type: event_count
    rules: [dials]
    timespan: 10m
    condition: {gte: 5}
    generate: true
"""
YARA = """rule sixth { strings: $a = "Disconnect Reason" wide condition: #a > 5 }
rule ended : event { meta: event_id = 1026 strings: $a = "2308" condition: $a }
"""
FLR = """rule lost_soon {
  meta: title = "lost at once"
  events:
    $a: provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1024
    $b: provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" 1026
  sequence within 5s:
    $a
    $b
}
"""
paths = [write("r/a.yml", SIGMA), write("r/b.yar", YARA), write("r/c.flr", FLR)]
expect(run("rules", "check", path("r")), 0)


def matched(*inputs):
    """The rules of each record, as match says."""
    rules = defaultdict(set)
    for line in run("match", *inputs, "--rules", path("r"), "--format", "json").text.splitlines():
        hit = json.loads(line)
        for event in hit["events"]:
            rules[(event["source"], event["offset"])].add(hit["rule"])
    return rules


def tagged(file, *words):
    rows = [json.loads(line) for line in run("export", file, *words).text.splitlines()]
    return {(row["source"], row["offset"]): row["rules"] for row in rows if "rules" in row}


wanted = matched(log)
names = {name for rules in wanted.values() for name in rules}
check(names == {"11111111-1111-4111-8111-111111111111", "Dials, many", "sixth", "ended", "lost_soon"} | {"dials"}, f"each rule matched: {names}")
case = path("tags.fltl")
expect(run("timeline", log, "--rules", path("r"), "-o", case), 0)
tags = tagged(case)
check({place: set(rules) for place, rules in tags.items()} == wanted, "a timeline names what match finds")
check(all(len(set(rules)) == len(rules) for rules in tags.values()), "each rule once")
last = max(tags, key=lambda place: len(tags[place]))
check(tags[last] == ["lost_soon", "11111111-1111-4111-8111-111111111111", "sixth", "ended"], f"by engine, then as loaded: {tags[last]}")
made = [json.loads(line) for line in run("export", case, "--where", "kind == 'yara.match'").text.splitlines()]
check(made and not any("rules" in row for row in made), "events of our own have none")

# What it is good for: choosing events, tables, other readers.
check(len(run("export", case, "--where", "rules contains 'Dials, many'").text.splitlines()) == 40, "--where rules")
table = list(csv.DictReader(io.StringIO(run("export", case, "--format", "csv", "--where", "rules contains 'lost_soon'").text)))
check(len(table) == 80 and all("lost_soon" in row["Rules"] for row in table), "the column of a table")
sys.path.insert(0, os.path.join(TOP, "docs"))
try:
    from read_fltl import events
    read = [event for event in events(case) if event.get("rules")]
    check(len(read) == len(tags) and {tuple(event["rules"]) for event in read} == {tuple(rules) for rules in tags.values()}, "read_fltl.py")
except ImportError:
    print("msgpack of Python is not there: read_fltl.py was not tried")
shown = run("show", f"{last[0]}@{last[1]}", case)
check("lost_soon" in shown.text, "show", shown)

# Without rules there is no such column; the events are the same. A second timeline keeps it, or replaces it.
plain = path("plain.fltl")
expect(run("timeline", log, "-o", plain), 0)
check(not tagged(plain) and b"rules" not in open(plain, "rb").read(), "no column without rules")
again = path("again.fltl")
expect(run("timeline", case, "-o", again), 0)
check(tagged(again) == tags, "a timeline of a timeline keeps them")
only = write("only.yml", SIGMA.split("---")[0])
expect(run("timeline", case, "--rules", only, "-o", again), 0)
check({tuple(rules) for rules in tagged(again).values()} == {("11111111-1111-4111-8111-111111111111",)}, "new rules replace them")
expect(run("timeline", log, "--rules", path("r"), "--jobs", "4", "-o", again), 0)
check(open(again, "rb").read() == open(case, "rb").read(), "threads make no difference")
expect(run("timeline", log, "--rules", path("none.yml"), "-o", again), 2, err="none.yml")
finish()
