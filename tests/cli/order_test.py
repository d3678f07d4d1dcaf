"""export --sort and a timeline give the streamed lines in order: time, source name, place in the source."""
import glob
import json
import os

from tool import SCENARIOS, build, check, expect, finish, path, run

NAMES = ("two-bundles-skew", "demo", "gap-in-log", "damaged-chunks", "cleared-log", "all-types", "localised-tr")


def lines(*words):
    """Of events that are recorded; those that are made when a timeline is written have no place in a stream."""
    result = run("export", "--quiet", *words)
    expect(result, result.code if result.code in (0, 3) else 0)
    events = [(json.loads(line), line) for line in result.text.splitlines()]
    return [(event, line) for event, line in events if "gap" not in event.get("flags", [])]


def by_time(pairs):
    """A sort of our own: Python's is stable, so that lines of one time and source stay in their order."""
    return sorted(pairs, key=lambda pair: (pair[0]["time"], pair[0]["source"].encode()))


def without_marks(pairs):
    """Duplicates are known only when all is in order: the mark is left out of the comparison."""
    events = [dict(event) for event, _ in pairs]
    for event in events:
        flags = [flag for flag in event.get("flags", []) if flag != "duplicate"]
        event.pop("flags", None)
        if flags:
            event["flags"] = flags
    return events


def first_difference(found, wanted):
    for i, (a, b) in enumerate(zip(found, wanted)):
        if a != b:
            return f"line {i + 1}: {a}\n  wanted {b}"
    return f"{len(found)} lines, wanted {len(wanted)}"


n_moved = 0
for name in NAMES:
    bundles = build(os.path.join(SCENARIOS, name + ".scn"), path(name))
    streamed = lines(*bundles)
    check(len(streamed) > 3, f"{name} has events")
    wanted = by_time(streamed)
    n_moved += [line for _, line in streamed] != [line for _, line in wanted]
    wanted = without_marks(wanted)
    file = path(name + ".fltl")
    result = run("timeline", "--quiet", "-o", file, *bundles)
    expect(result, result.code if result.code in (0, 3) else 0)
    for how, found in (("--sort", lines("--sort", *bundles)), ("a timeline", lines(file)),
                       ("--sort of a timeline", lines("--sort", file))):
        found = without_marks(found)
        check(found == wanted, f"{name}: {how} is a sort of the stream: {first_difference(found, wanted)}")
check(n_moved >= 2, "some streams are out of order, so that a sort has something to do")

# Temporary files go where TMPDIR says, and none stays.
folder = path("temporary")
os.mkdir(folder)
bundles = build(os.path.join(SCENARIOS, "demo.scn"), path("demo-again"))
ordered = run("export", "--quiet", "--sort", *bundles, env={"TMPDIR": folder})
check(ordered.text and not os.listdir(folder), "nothing stays in TMPDIR", ordered)
expect(run("export", "--quiet", "--sort", *bundles, env={"TMPDIR": path("not-there")}), 5, err="not-there")
check(not glob.glob(path("not-there*")), "a folder that is missing is not made")
finish()
