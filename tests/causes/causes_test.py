"""Scenarios whose truth is known against the verdict on them; README.md beside this file says how they are labelled.

causes_test.py [-v] [FIRST/OF | NAME...]: a share of the scenarios, or those whose names begin so; without, all of them."""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from tool import FAULTLINE, FIXTURES, SCENARIOS, TOP, build, check, finish, path, run, skip  # noqa: E402

CAUSES = os.path.join(SCENARIOS, "causes")
CLASSES = ("confirm", "lookalike", "nolog")
RANK = ["no_failure_seen", "undecided", "possible", "likely", "confirmed"]
LABELS = {"class", "symptom", "words", "cause", "status", "never", "collect", "says", "miss"}


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


def triage(scenario):
    """The labels and the answer of one scenario."""
    wanted = labels(scenario)
    bundles = build(scenario, path(name_of(scenario)))
    words = ["--symptom", wanted["symptom"]] if wanted.get("symptom") else []
    result = run("triage", "--quiet", "--format", "json", *bundles, *words, *wanted.get("words", "").split())
    return wanted, result


def check_words(name, wanted, answer):
    collect = "\n".join(answer["verdict"]["collect"])
    check(wanted.get("collect", "") in collect, f"{name}: {wanted.get('collect')!r} is not in what to collect: {collect!r}")
    whole = json.dumps(answer, ensure_ascii=False)
    for word in filter(None, wanted.get("says", "").split("|")):
        check(word in whole, f"{name}: the answer does not say {word!r}: {answer['verdict']['sentence']!r}")


def check_order(name, wanted, verdict, kind):
    """The right cause first, unless the scenario says why not yet; none may stand where it should not."""
    hypotheses = verdict["hypotheses"]
    first = hypotheses[0]["cause"] if hypotheses else ""
    cause = wanted.get("cause", "")
    shown = [(h["cause"], h["status"], h["score"]) for h in hypotheses[:4]]
    if cause and cause != "none" and kind != "nolog" and "miss" not in wanted:
        check(first == cause, f"{name}: {shown}, expected {cause} first")
    if cause and cause != "none" and kind == "nolog" and hypotheses:
        check(any(h["cause"] == cause for h in hypotheses), f"{name}: {cause} is not among {shown}")
    if cause == "none":
        check(all(not above(h["status"], "possible") for h in hypotheses), f"{name}: {shown}, expected none above possible")
    for h in hypotheses:
        wrong = cause and h["cause"] != cause and h["status"] == "confirmed"
        check(not wrong, f"{name}: {h['cause']} is confirmed, the truth is {cause}")
        barred = h["cause"] in wanted.get("never", "").split(",")
        check(not barred or not above(h["status"], "possible"), f"{name}: {h['cause']} is {h['status']}, at most possible was expected")


def judge(scenario, wanted, result, is_wordy):
    name, kind = name_of(scenario), wanted.get("class", "")
    check(set(wanted) <= LABELS, f"{name}: unknown labels {sorted(set(wanted) - LABELS)}")
    check(kind in CLASSES + ("healthy", "case"), f"{name}: class={kind}")
    check("Sanitizer" not in result.notes and "runtime error" not in result.notes, f"{name}: a sanitizer spoke", result)
    check(result.code in (0, 3), f"{name}: triage ends well", result)
    if result.code not in (0, 3):
        return
    answer = json.loads(result.text)
    verdict = answer["verdict"]
    if is_wordy:
        shown = [(h["cause"], h["status"], h["score"]) for h in verdict["hypotheses"][:4]]
        print(f"{name}: {verdict['status']} {shown}")
    check_order(name, wanted, verdict, kind)
    check_words(name, wanted, answer)
    status = wanted.get("status") or {"healthy": "no_failure_seen"}.get(kind)
    check(status in (None, verdict["status"]), f"{name}: {verdict['status']}: {verdict['sentence']!r}; expected {status}")
    if kind == "confirm" and not status:
        check(verdict["status"] in ("likely", "confirmed"), f"{name}: {verdict['status']}, expected likely or confirmed")
    if kind == "nolog":
        check(not above(verdict["status"], "possible"), f"{name}: {verdict['status']} without the deciding log: {verdict['sentence']!r}")


def check_whole(scenarios):
    """Each cause has its three scenarios or is named in open.txt; few are excused."""
    text = open(os.path.join(TOP, "facts", "causes.def"), encoding="utf-8").read()
    causes = re.findall(r'^FL_CAUSE\("([^"]+)"', text, re.M)
    unfinished = set(open(os.path.join(TOP, "tests", "causes", "open.txt"), encoding="utf-8").read().split())
    names = {name_of(scenario) for scenario in scenarios}
    for cause in causes:
        missing = [kind for kind in CLASSES if f"{cause}-{kind}" not in names]
        check(bool(missing) == (cause in unfinished), f"open.txt and {cause} disagree: missing {missing}")
    check(unfinished <= set(causes), f"open.txt names what is no cause: {sorted(unfinished - set(causes))}")
    misses = [name_of(scenario) for scenario in scenarios if "miss" in labels(scenario)]
    check(len(misses) * 20 <= len(scenarios), f"{len(misses)} of {len(scenarios)} scenarios are excused: {misses}")
    print(f"{len(scenarios)} scenarios of {len(causes)} causes, {len(unfinished)} open; right cause first: all but {len(misses)}")


def main(words):
    if not (os.path.exists(FIXTURES) and os.path.exists(FAULTLINE)):
        skip("no faultline or no fl-fixtures")
    is_wordy = "-v" in words
    words = [word for word in words if word != "-v"]
    scenarios = sorted(glob.glob(os.path.join(CAUSES, "*.scn")))
    share = re.fullmatch(r"(\d+)/(\d+)", words[0]) if words else None
    chosen = scenarios
    if share:
        chosen = scenarios[int(share[1]) - 1::int(share[2])]
    elif words:
        chosen = [s for s in scenarios if name_of(s).startswith(tuple(words))]
    if not words or share and share[1] == "1":
        check_whole(scenarios)
    with concurrent.futures.ThreadPoolExecutor(1 if share else 2) as pool:
        for scenario, (wanted, result) in zip(chosen, pool.map(triage, chosen)):
            judge(scenario, wanted, result, is_wordy)
    check(chosen or share, f"no scenario begins with {words}")
    finish()


if __name__ == "__main__":
    main(sys.argv[1:])
