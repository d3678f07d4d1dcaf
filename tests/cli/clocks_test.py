"""A clock that is wrong changes no verdict: scenarios of both sides with the clock of one machine minutes ahead or behind.

One scenario goes through all shifts in steps of 30 s; the others through two for each machine, so that together they
cover the range. Where two connections or more that both sides recorded measure the clocks, the offset is right within
a second. Where none does, a guess must not say more than the unshifted case, and nothing else."""
import glob
import json
import os
import re

from tool import FIXTURES, SCENARIOS, build, check, finish, path, run, skip

if not os.path.exists(FIXTURES):
    skip("no fl-fixtures")

MOST, STEP, OTHERS = 300, 30, 24
SHIFTS = [s for s in range(-MOST, MOST + 1, STEP) if s]
RANK = ["no_failure_seen", "undecided", "possible", "likely", "confirmed"]
THOROUGH = "two-bundles-skew.scn"
ALWAYS = "srv-taken-over.scn"  # two connections of one session id: only the address tells whose is whose
MACHINE = re.compile(r"^machine (\S+) (.*)$", re.M)


def shifted(text, machine, seconds):
    """The scenario with one more offset on the machine's clock."""
    def line(found):
        if found.group(1) != machine:
            return found.group(0)
        before = re.search(r" offset=([+-]?[\d.]+)s", found.group(0))
        plain = found.group(0).replace(before.group(0), "") if before else found.group(0)
        return f"{plain.rstrip()} offset={(float(before.group(1)) if before else 0) + seconds:+g}s"
    return MACHINE.sub(line, text)


def used(scenario):
    """The files of a scenario: itself and what it uses."""
    files, at = [scenario], 0
    while at < len(files):
        folder = os.path.dirname(files[at])
        for name in re.findall(r"^use (\S+)", open(files[at], encoding="utf-8").read(), re.M):
            full = os.path.normpath(os.path.join(folder, name))
            if full not in files:
                files.append(full)
        at += 1
    return files


def solve(scenario, machine="", seconds=0):
    name = f"{os.path.basename(scenario)}{machine}{seconds}"
    for file in used(scenario):
        copy = path(os.path.join(name, os.path.relpath(file, SCENARIOS)))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as out:
            out.write(shifted(open(file, encoding="utf-8").read(), machine, seconds))
    bundles = build(path(os.path.join(name, os.path.relpath(scenario, SCENARIOS))), path(name + ".out"))
    expected = open(path(name + ".out/expect.txt"), encoding="utf-8").read() if os.path.exists(path(name + ".out/expect.txt")) else ""
    symptom = re.search(r"^symptom=(.*)$", expected, re.M)
    result = run("triage", "--quiet", "--format", "json", *bundles, *(["--symptom", symptom.group(1)] if symptom else []))
    check(result.code in (0, 3), f"{name}: triage ends well", result)
    return json.loads(result.text)


def clocks(answer):
    """What is known of each machine's clock: seconds and anchors."""
    ends = [end for a in answer["attempts"] for end in (a["client"], a["server"]) if end and end["in_case"]]
    return {end["name"].split(".")[0]: (end["clock_offset_ns"] / 1e9, end["clock_anchors"]) for end in ends}


def said(answer):
    verdict = answer["verdict"]
    return (verdict["status"], verdict["attempt"], [(h["cause"], h["status"]) for h in verdict["hypotheses"][:2]])


def compare(scenario, base, machine, seconds):
    name = f"{os.path.basename(scenario)}, {machine} {seconds:+d} s"
    answer = solve(scenario, machine, seconds)
    before, after, known = said(base), said(answer), clocks(base)
    is_measured = any(n for _, n in known.values())
    if is_measured:
        check(after == before, f"{name}: {after}, unshifted {before}")
    else:
        check(RANK.index(after[0]) <= RANK.index(before[0]), f"{name}: {after} says more than {before}")
        check([h[0] for h in after[2][:1]] == [h[0] for h in before[2][:1]], f"{name}: {after}, unshifted {before}")
    for other, (offset, anchors) in clocks(answer).items():
        if anchors < 2 or other not in known:
            continue
        sign = -1 if other == machine else 1 if anchors and machine in known else 0
        check(abs(offset - known[other][0] - sign * seconds) <= 1, f"{name}: {other} {offset} s, unshifted {known[other][0]} s")


def both_sides(scenario):
    text = "".join(open(file, encoding="utf-8").read() for file in used(scenario))
    roles = {role for _, rest in MACHINE.findall(text) for role in re.findall(r"role=(\w+)", rest)}
    has_question = re.search(r"^expect .*\bwords=", text, re.M)
    # Nothing measures a gateway's or a broker's clock yet.
    return {"client", "server"} <= roles and not roles & {"gateway", "broker"} and not has_question


def some_of(parts, n):
    found = [s for part in parts for s in sorted(glob.glob(os.path.join(SCENARIOS, part, "*.scn")))]
    found = [s for s in found if both_sides(s) and os.path.basename(s) not in (THOROUGH, ALWAYS)]
    return found[::max(1, -(-len(found) // n))]


chosen = some_of(("", "rules"), OTHERS) + some_of(("causes",), OTHERS // 2) + [os.path.join(SCENARIOS, ALWAYS)]
check(len(chosen) >= 10, f"{len(chosen)} scenarios of both sides")
n_measured, at = 0, 0
for scenario in [os.path.join(SCENARIOS, THOROUGH)] + chosen:
    is_thorough = os.path.basename(scenario) == THOROUGH
    text = "".join(open(file, encoding="utf-8").read() for file in used(scenario))
    base = solve(scenario)
    n_measured += any(n > 1 for _, n in clocks(base).values())
    for machine, rest in MACHINE.findall(text):
        if not re.search(r"role=(client|server)", rest):
            continue
        for seconds in SHIFTS if is_thorough else (SHIFTS[at % len(SHIFTS)], SHIFTS[(at * 7 + 10) % len(SHIFTS)]):
            compare(scenario, base, machine, seconds)
        at += 3
check(n_measured >= 5, f"{n_measured} scenarios measure their clocks")
finish()
