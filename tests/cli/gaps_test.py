"""Gaps of logs: events of a timeline, lines of inspect, and nothing in exports of inputs."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tool import FIXTURES, build, check, finish, path, run, scenarios, skip  # noqa: E402


def lines(*arguments, **options):
    return [json.loads(line) for line in run(*arguments, **options).text.splitlines()]


def main():
    scenario = [s for s in scenarios() if os.path.basename(s) == "log-gaps.scn"] if os.path.exists(FIXTURES) else []
    if not scenario:
        skip("no fl-fixtures, or no scenario log-gaps")
    bundle = build(scenario[0], path("gaps"))[0]
    folder = os.path.dirname(bundle)

    def kinds(*arguments):
        run("timeline", "--quiet", bundle, "-o", "out.fltl", *arguments, cwd=folder)
        return [e.get("kind", "") for e in lines("export", "--quiet", "out.fltl", cwd=folder)]

    sources = lines("inspect", "--quiet", "--format", "json", bundle)
    n_events = sum(s["events"] for s in sources)
    found = [g for s in sources for g in s["gaps"]]
    for words in (["export"], ["export", "--sort"]):
        events = lines(*words, "--quiet", bundle)
        check(len(events) == n_events, f"{words}: one line a record")
        check(not any("gap" in e.get("flags", []) for e in events), f"{words}: no gaps")
    check({"kind", "host", "channel", "time", "offset", "data", "text"} == set(found[0]), f"inspect: keys of a gap: {found[0]}")
    check(all("gaps" not in s for s in lines("inspect", "--quiet", "--digest", "--format", "json", bundle)), "inspect --digest: none looked for")

    everything = kinds()
    gaps = [k for k in everything if k.startswith("log.") and k != "log.cleared"]
    # Only together with the System log is it known why Application begins late.
    check(len(everything) == n_events + len(found) - 1, f"timeline: records and gaps: {len(everything)}")
    check(gaps.count("log.gap") == 3 and gaps.count("log.filtered") == 1, f"timeline: kinds {gaps}")
    check(kinds("--where", 'kind == "log.gap"') == ["log.gap"] * 3, "--where chooses gaps")
    some = kinds("--where", "event_id == 6013")
    check(some and not any(k.startswith("log.") for k in some), f"--where makes no gaps: {some}")
    late = kinds("--since", "2026-03-10T07:20:00Z")
    check(late.count("log.gap") == 1 and "log.overwritten" not in late, f"--since makes and shows no earlier gaps: {late}")
    run("triage", "--quiet", bundle, "--timeline", "case.fltl", cwd=folder)
    kinds()
    both = [open(os.path.join(folder, name), "rb").read() for name in ("case.fltl", "out.fltl")]
    check(both[0] == both[1], "triage --timeline and timeline write the same")
    finish()


main()
