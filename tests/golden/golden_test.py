"""Every scenario's report, case and events against the expected ones; --write [NAME...] rewrites them.

Goldens are text, so that a difference can be read. What a scenario itself expects of the verdict is checked, too."""
import difflib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FAULTLINE, FIXTURES, FOLDER, TOP, build, check, finish, path, run, scenarios, skip  # noqa: E402

# Events of a scenario with more of them than this are left to its report: nobody reads such a difference.
MAX_EVENT_LINES = 100
OUTPUTS = {
    "report.txt": ("triage", "--quiet", "--format", "text"),
    "case.json": ("triage", "--quiet", "--format", "json"),
    "events.jsonl": ("export", "--quiet", "--format", "jsonl"),
    "events.xml": ("export", "--quiet", "--format", "xml"),
}
# XML repeats what the JSON lines say: the scenarios of values, tokens, forms and damage are enough.
XML_SCENARIOS = {"all-types", "value-types", "direct-elements", "damaged-rdpcorets"}


# Which rules a build has says nothing about the scenario.
MADE_BY = re.compile(r"faultline [0-9.]+, \d+ rules in \d+ files \(sha256 [0-9a-f]+\)")


def pretty(name, text):
    if name != "case.json" or not text.strip():
        return MADE_BY.sub("faultline VERSION, RULES", text)
    case = json.loads(text)
    check(re.fullmatch("[0-9a-f]{64}", case["rules"].pop("sha256")) and case["rules"]["rules"] > 0, "the case names its rules")
    for changing in ("tool", "rules"):
        case.pop(changing)
    return json.dumps(case, indent=1, ensure_ascii=False) + "\n"


def expectation(folder):
    """What the scenario says of its verdict, name=value a line: status, cause, symptom."""
    file = os.path.join(folder, "expect.txt")
    lines = open(file, encoding="utf-8").read().splitlines() if os.path.exists(file) else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def outputs(bundles, wanted):
    """The expected files of one scenario; exit codes stand in one of their own."""
    made, codes = {}, []
    folder = os.path.dirname(bundles[0])
    words = [os.path.basename(bundle) for bundle in bundles]
    symptom = ["--symptom", wanted["symptom"]] if wanted.get("symptom") else []
    for name, command in OUTPUTS.items():
        if name == "events.xml" and os.path.basename(folder) not in XML_SCENARIOS:
            continue
        result = run(*command, *words, *(symptom if command[0] == "triage" else []), cwd=folder)
        check("Sanitizer" not in result.notes and result.code in (0, 3, 4), f"{words}: {command[0]} ends well", result)
        codes.append(f"{command[0]} {command[-1]}: {result.code}\n")
        if name == "report.txt":
            check_commands(words, folder, result.text)
            made["raw"] = result.text
        text = pretty(name, result.text)
        if name == "report.txt":
            check(text.count("\n") <= 110, f"{words}: {text.count(chr(10))} lines are more than two screens of 55")
        if name != "events.jsonl" or text.count("\n") <= MAX_EVENT_LINES:
            made[name] = text
    made["exit.txt"] = "".join(codes)
    made.update(gaps(words, folder))
    return made


def gaps(words, folder):
    """What timelines say of missing records; the same bytes each time. No file where logs only begin late."""
    files = [os.path.join(folder, f"gaps{i}.fltl") for i in range(2)]
    for i, file in enumerate(files):
        run("timeline", "--quiet", *words, "-o", os.path.basename(file), "--jobs", str(i + 1), cwd=folder)
    both = [open(file, "rb").read() for file in files if os.path.exists(file)]
    if len(both) < 2:
        return {}
    check(both[0] == both[1], f"{words}: a timeline has the same bytes for any --jobs")
    lines = run("export", "--quiet", os.path.basename(files[0]), cwd=folder).text.splitlines(keepends=True)
    text = "".join(line for line in lines if '"provider":"faultline"' in line)
    kinds = {json.loads(line)["kind"] for line in text.splitlines()}
    return {"gaps.jsonl": text} if kinds - {"log.overwritten"} else {}


def compare(scenario, name, expected_file, text):
    expected = open(expected_file, encoding="utf-8").read() if os.path.exists(expected_file) else ""
    if expected == text:
        return check(True, "")
    difference = difflib.unified_diff(expected.splitlines(), text.splitlines(), f"tests/golden/{scenario}/{name}", "now", lineterm="")
    print("\n".join(list(difference)[:60]))
    check(False, f"{scenario}: {name} differs; when that is meant: ./dev golden {scenario}")


def check_expectation(scenario, wanted, case):
    if not case.strip():
        return check("status" not in wanted, f"{scenario}: no verdict, expected {wanted.get('status')}")
    whole = json.loads(case)
    verdict = whole["verdict"]
    names = {source["source"] for source in whole["sources"]}
    items = [item for h in verdict["hypotheses"] for item in h["for"] + h["against"] + h["missing"]]
    for item in items + whole["findings"] + whole["attempts"]:
        check(all(event["source"] in names for event in item["events"]), f"{scenario}: a reference without a record: {item}")
    for h in verdict["hypotheses"]:
        for item in h["for"]:
            check(item["events"], f"{scenario}: {h['cause']}: {item['text']}: no record")
    causes = [h["cause"] for h in verdict.get("hypotheses", [])]
    if "status" in wanted:
        check(verdict["status"] == wanted["status"], f"{scenario}: verdict {verdict['status']}, expected {wanted['status']}")
    if "cause" in wanted and wanted["cause"]:
        check(causes[:1] == [wanted["cause"]], f"{scenario}: first cause {causes[:3]}, expected {wanted['cause']}")


def section(report, start, end):
    """The lines from the one that begins with `start` up to the one that begins with `end`, without blank ends."""
    lines = report.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith(start)), 0)
    last = next((i for i, line in enumerate(lines) if i > first and line.startswith(end)), len(lines))
    return "\n".join(lines[first:last]).strip("\n") + "\n"


def readme(report, is_writing):
    """README shows the demo: head, story and first cause, what to do, and what made it."""
    parts = [section(report, "", " 2. "), section(report, "What to do", "How to see"), section(report, "How this was made", "Where")]
    sample = "...\n\n".join(parts)
    file = os.path.join(TOP, "README.md")
    text = open(file, encoding="utf-8").read()
    command = "$ faultline triage demo.zip --symptom 0x904\n"
    before, rest = text.split(command)
    shown, behind = rest.split("```", 1)
    if is_writing:
        with open(file, "w", encoding="utf-8") as out:
            out.write(before + command + sample + "```" + behind)
    else:
        check(pretty("report.txt", shown) == pretty("report.txt", sample), "README.md does not show the demo; ./dev golden demo")


def check_commands(scenario, folder, report):
    """What a report offers to be pasted works: the command makes the report again, the example shows a record."""
    for line in report.splitlines():
        if not re.match("  faultline (triage|show) ", line):
            continue
        done = subprocess.run(line.strip() + " --quiet", shell=True, cwd=folder, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{os.path.dirname(FAULTLINE)}:{os.environ['PATH']}"})
        is_right = "<Event" in done.stdout if "faultline show" in line else done.stdout == report
        check(is_right, f"{scenario}: {line.strip()}: {done.returncode} {done.stderr[:300]}")


def main():
    words = sys.argv[1:]
    is_writing = words[:1] == ["--write"]
    names = words[1:] if is_writing else words
    if not os.path.exists(FIXTURES) or not scenarios():
        skip("no fl-fixtures, or no scenarios")
    for scenario in scenarios():
        name = os.path.basename(scenario)[:-4]
        if names and name not in names:
            continue
        bundles = build(scenario, path(name))
        wanted = expectation(os.path.join(FOLDER, name))
        made = outputs(bundles, wanted)
        raw = made.pop("raw")
        if name == "demo":
            readme(raw, is_writing)
        folder = os.path.join(HERE, name)
        check_expectation(name, wanted, made.get("case.json", ""))
        if is_writing:
            os.makedirs(folder, exist_ok=True)
        for file in sorted(set(OUTPUTS) | {"gaps.jsonl"} | set(made)):
            target = os.path.join(folder, file)
            if is_writing and file in made:
                with open(target, "w", encoding="utf-8") as out:
                    out.write(made[file])
            elif is_writing and os.path.exists(target):
                os.remove(target)
            elif file in made:
                compare(name, file, target, made[file])
    finish()


main()
