"""Scenarios of crashes and stops whose truth is known; README.md beside this file says how they are labelled.

incidents_test.py [-v] [FIRST/OF | NAME...]: a share of the scenarios, or those whose names begin so; without, all of them."""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from tool import FAULTLINE, FIXTURES, SCENARIOS, build, check, finish, path, run, skip  # noqa: E402

FOLDER = os.path.join(SCENARIOS, "incidents")
RANK = ["no_failure_seen", "undecided", "possible", "likely", "confirmed"]
BEARINGS = ["unrelated", "coincides", "explains"]
LABELS = {"part", "kind", "verdict", "attempts", "records", "joins", "contradiction", "alike", "incidents", "rdpdriver",
          "cause", "status", "never", "symptom", "miss"}


def labels(scenario):
    found = {}
    for line in open(scenario, encoding="utf-8"):
        if line.startswith("expect "):
            for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', line):
                found[name] = quoted or bare
    return found


def name_of(scenario):
    return os.path.basename(scenario)[:-len(".scn")]


def above(status, limit):
    return RANK.index(status) > RANK.index(limit)


def check_incident(name, wanted, one):
    """The incident of the label: what it is, what was joined, and why."""
    for label, key in (("kind", "kind"), ("part", "part")):
        expected = wanted.get(label)
        check(expected is None or (one[key] or "none") == expected, f"{name}: {key} {one[key]}, expected {expected}")
    if "records" in wanted:
        check(len(one["events"]) == int(wanted["records"]), f"{name}: {len(one['events'])}, expected {wanted['records']} records")
    rules = {join["rule"] for join in one["joins"]}
    for rule in filter(None, wanted.get("joins", "").split(",")):
        check(rule in rules, f"{name}: joined by {sorted(rules)}, expected {rule}")
    check(len(one["joins"]) == len(one["events"]) - 1, f"{name}: each further record has its join")
    doubt = "; ".join(one["contradictions"])
    check(wanted.get("contradiction", "") in doubt and bool(doubt) == ("contradiction" in wanted), f"{name}: contradictions {doubt!r}")
    if "alike" in wanted:
        check(one["alike"] == int(wanted["alike"]), f"{name}: {one['alike']} alike")
    if "rdpdriver" in wanted:
        check(one["rdp_driver"] == (wanted["rdpdriver"] == "yes"), f"{name}: a driver of Remote Desktop? {one['rdp_driver']}")
    if "attempts" in wanted:
        check(len(one["attempts"]) == int(wanted["attempts"]), f"{name}: attempts {one['attempts']}, expected {wanted['attempts']}")


def check_verdict(name, wanted, verdict):
    shown = [(h["cause"], h["status"], h["score"]) for h in verdict["hypotheses"][:4]]
    if "cause" in wanted:
        check(bool(shown) and shown[0][0] == wanted["cause"], f"{name}: {shown}, expected {wanted['cause']} first")
        check(above(verdict["status"], "possible"), f"{name}: {verdict['status']}: {shown}")
    if "status" in wanted:
        check(verdict["status"] == wanted["status"], f"{name}: {verdict['status']}: {shown}, expected {wanted['status']}")
    for hypothesis in verdict["hypotheses"]:
        barred = hypothesis["cause"] in wanted.get("never", "").split(",")
        check(not barred or not above(hypothesis["status"], "possible"), f"{name}: {shown}: {hypothesis['cause']} must not be above possible")


def judge(scenario, is_wordy):
    """Whether the bearing is right, and whether an incident that explains nothing claims to."""
    name, wanted = name_of(scenario), labels(scenario)
    check(set(wanted) <= LABELS and wanted.get("verdict") in BEARINGS, f"{name}: labels {sorted(wanted)}")
    words = ["--symptom", wanted["symptom"]] if wanted.get("symptom") else []
    result = run("triage", "--quiet", "--format", "json", *build(scenario, path(name)), *words)
    check("Sanitizer" not in result.notes and "runtime error" not in result.notes, f"{name}: a sanitizer spoke", result)
    check(result.code in (0, 3), f"{name}: triage ends well", result)
    if result.code not in (0, 3):
        return False, False
    answer = json.loads(result.text)
    found = sorted(answer["incidents"], key=lambda one: (BEARINGS.index(one["verdict"]), one["number"]))
    if is_wordy:
        for one in found:
            print(f"{name}: {one['number']} {one['kind']} {one['part']} {one['verdict']} {one['attempts']}: {one['reason']}; "
                  f"{[(j['rule'], j['confidence']) for j in one['joins']]} {one['contradictions']}")
        print(f"{name}: {answer['verdict']['status']} {[(h['cause'], h['status'], h['score']) for h in answer['verdict']['hypotheses'][:4]]}")
    check(bool(found), f"{name}: there is no incident")
    if not found:
        return False, False
    if "incidents" in wanted:
        check(len(found) == int(wanted["incidents"]), f"{name}: {len(found)} incidents, expected {wanted['incidents']}")
    check_incident(name, wanted, found[-1])
    check_verdict(name, wanted, answer["verdict"])
    is_right = found[-1]["verdict"] == wanted["verdict"]
    check(is_right or "miss" in wanted, f"{name}: {found[-1]['verdict']}, expected {wanted['verdict']}: {found[-1]['reason']}")
    claims = wanted["verdict"] != "explains" and found[-1]["verdict"] == "explains"
    check(not claims, f"{name}: explains on a control")
    return is_right, claims


def main(words):
    if not (os.path.exists(FIXTURES) and os.path.exists(FAULTLINE)):
        skip("no faultline or no fl-fixtures")
    is_wordy = "-v" in words
    words = [word for word in words if word != "-v"]
    scenarios = sorted(glob.glob(os.path.join(FOLDER, "*.scn")))
    share = re.fullmatch(r"(\d+)/(\d+)", words[0]) if words else None
    chosen = scenarios
    if share:
        chosen = scenarios[int(share[1]) - 1::int(share[2])]
    elif words:
        chosen = [s for s in scenarios if name_of(s).startswith(tuple(words))]
    results = [judge(scenario, is_wordy) for scenario in chosen]
    n_right = sum(right for right, _ in results)
    check(len(scenarios) >= 30, f"{len(scenarios)} scenarios, at least 30 are wanted")
    check(n_right * 20 >= 19 * len(chosen), f"{n_right} of {len(chosen)} verdicts are right, 95 % are wanted")
    print(f"{n_right} of {len(chosen)} verdicts right, {sum(claims for _, claims in results)} controls explained")
    finish()


if __name__ == "__main__":
    main(sys.argv[1:])
