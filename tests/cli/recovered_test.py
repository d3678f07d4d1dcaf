"""Old records behind the live ones: counted by inspect, given with --recovered, never twice and never as garbage."""
import collections
import json
import os
import re
import struct
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tool import SCENARIOS, build, check, expect, finish, path, run, write  # noqa: E402

HEADER, CHUNK = 4096, 65536


def u32(log, at):
    return struct.unpack_from("<I", log, at)[0]


def logs_of(bundle):
    with zipfile.ZipFile(bundle) as members:
        return {name: members.read(name) for name in members.namelist() if name.endswith(".evtx")}


def events(file, *options):
    result = run("export", file, *options)
    check(result.code in (0, 3), f"export {options}", result)
    return [json.loads(line) for line in result.text.splitlines()]


def inspect(file):
    result = run("inspect", "--format", "json", file)
    check(result.code in (0, 3), "inspect", result)
    return json.loads(result.text.splitlines()[0])


def is_old(event):
    return "slack" in event.get("flags", ())


def values(event):
    return {name: value for name, value in event.items() if name not in ("source", "flags")}


def ranges(source, state):
    sums = collections.Counter()
    for part in source["ledger"]:
        if part["state"] == state:
            sums[part["reason"]] += part["length"]
    return sums


def free_space(log, chunk):
    return HEADER + chunk * CHUNK + u32(log, HEADER + chunk * CHUNK + 48)


def records(log, chunk):
    """(offset, size) of the live records, then of the old ones behind them."""
    at, end = HEADER + chunk * CHUNK + 512, HEADER + (chunk + 1) * CHUNK
    while at + 28 <= end:
        size = u32(log, at + 4) if log[at:at + 4] == b"\x2a\x2a\0\0" else 0
        if size and u32(log, at + size - 4) == size:
            yield at, size
        at += size or 8


def look_at_log(name, damaged, whole):
    file, sound = write(f"{name}.evtx", damaged), write(f"{name}-whole.evtx", whole)
    truth = {event["offset"]: values(event) for event in events(sound)}
    live, both = events(file), events(file, "--recovered")
    old = [event for event in both if is_old(event)]
    check(not any(is_old(event) for event in live), f"{name}: old records are given though nobody asked")
    check([e for e in both if not is_old(e)] == live, f"{name}: live records differ with --recovered")
    check(len(old) + len(live) == len(truth) - 1, f"{name}: {len(old)} old ones of {len(truth)} records, one is overwritten")
    for event in old:
        check(values(event) == truth[event["offset"]], f"{name}: {event} was {truth[event['offset']]}")
    source = inspect(file)
    check(source["recovered"] == len(old) and source["events"] == len(live), f"{name}: counts {source['recovered']}, {source['events']}")
    check(source["damaged"] == 0, f"{name}: damage is reported")
    check(sum(ranges(source, "recovered").values()) == sum(event["length"] for event in old), f"{name}: ledger of old records")
    return file


def definitions(log, chunk):
    """Offsets of all template definitions that the chunk's table names."""
    base = HEADER + chunk * CHUNK
    for bucket in range(32):
        at = u32(log, base + 384 + 4 * bucket)
        while at:
            yield base + at
            at = u32(log, base + at)


def without_templates(log, chunk):
    """The definitions behind free space lose their ids: as if newer records stood there."""
    log = bytearray(log)
    for at in list(definitions(log, chunk)):
        if at >= free_space(log, chunk):
            log[at + 4:at + 8] = b"\xee" * 4
    return bytes(log)


def look_at_lost_templates(log):
    """What another chunk knows is used and said; what none knows leaves the record alone."""
    before = [e["offset"] for e in events(write("own.evtx", log), "--recovered") if is_old(e)]
    file = write("elsewhere.evtx", without_templates(log, 1))
    old = [event for event in events(file, "--recovered") if is_old(event)]
    others = [event for event in old if "recovered" in event["flags"]]
    check(others, "no template came from another chunk")
    check({e["offset"] for e in old} <= set(before), "a record came out of nowhere")
    check("old records, template from another chunk" in ranges(inspect(file), "recovered"), "the ledger does not name the other chunk")


def look_at_other_logs(needy, other):
    """Another log of the run may have the template, wherever it stands in the order; the row keeps its own machine."""
    lost = write("b-needy.evtx", without_templates(needy, 0))
    before, after = write("a-other.evtx", other), write("c-other.evtx", other)
    alone = [event for event in events(lost, "--recovered") if is_old(event)]
    truth = {event["record_id"]: event for event in events(before)}
    outputs = []
    for inputs in ((before, lost), (lost, after)):
        lines = [json.loads(line) for line in run("export", "--recovered", *inputs).text.splitlines()]
        old = [event for event in lines if is_old(event) and event["source"] == "b-needy.evtx"]
        check(len(old) > len(alone), f"{len(old)} old records with another log, {len(alone)} without")
        for event in old:
            there = truth[event["record_id"]]
            check(all(event.get(name) == there.get(name) for name in ("time", "provider", "event_id", "data")), f"{event} was {there}")
            check(event.get("host") in (None, there["host"]), f"the other log's machine is given: {event}")
        outputs.append(old)
        text = run("inspect", "--recovered", "--format", "json", *inputs).text
        check("template from " + os.path.basename((set(inputs) - {lost}).pop()) in text, "the ledger does not name the other log")
    check(outputs[0] == outputs[1], "the order of the inputs changes what comes back")


def look_at_copies(log):
    """A live record that stands behind the live ones again is counted, not repeated."""
    copied, end = bytearray(log), HEADER + 2 * CHUNK
    at, size = next(records(log, 0))
    copied[end - size:end] = log[at:at + size]
    file = write("copied.evtx", bytes(copied))
    check(ranges(inspect(file), "slack").get("copies of live records") == size, "the copy is not in the ledger")
    ids = [event["record_id"] for event in events(file, "--recovered")]
    check(len(ids) == len(set(ids)), "a record is given twice")
    twice = bytearray(log)
    at, size = list(records(log, 1))[25]
    twice[end - size:end] = log[at:at + size]
    file = write("twice.evtx", bytes(twice))
    check(ranges(inspect(file), "slack").get("copies of recovered records") == size, "the second copy is not in the ledger")
    ids = [event["record_id"] for event in events(file, "--recovered")]
    check(len(ids) == len(set(ids)), "an old record is given twice")


def look_at_garbage(log):
    """Whatever is overwritten: what comes back has the id, the time and the source that it had."""
    truth = {event["offset"]: event for event in events(write("before.evtx", log), "--recovered") if is_old(event)}
    for step in range(1, 12):
        broken = bytearray(log)
        for number, at in enumerate(sorted(truth)):
            to = at + (number * 7 + step * 13) % (truth[at]["length"] - 16)
            broken[to:to + 12] = bytes((number * 31 + step * 17 + k * 89) & 255 for k in range(12))
        for event in events(write("broken.evtx", bytes(broken)), "--recovered"):
            before = truth.get(event["offset"])
            if is_old(event) and before:
                same = all(event.get(name) == before.get(name) for name in ("record_id", "time", "provider", "event_id", "channel"))
                check(same, f"garbage is given as a record: {event}, it was {before}")


def main():
    bundle = build(os.path.join(SCENARIOS, "old-records.scn"), path("old"))[0]
    scenario = open(os.path.join(SCENARIOS, "old-records.scn"), encoding="utf-8").read()
    sound = build(write("sound.scn", re.sub(r"(?m)^damage .*\n", "", scenario)), path("sound"))[0]
    damaged, whole = logs_of(bundle), logs_of(sound)
    check(len(damaged) == 2 and set(damaged) == set(whole), f"two logs: {sorted(damaged)} {sorted(whole)}")
    for number, name in enumerate(sorted(damaged)):
        look_at_log(f"log{number}", damaged[name], whole[name])
    long = max(damaged.values(), key=len)
    early = build(write("early.scn", scenario.replace("record=20", "record=1")), path("early"))[0]
    look_at_lost_templates(max(logs_of(early).values(), key=len))
    early = max(logs_of(early).values(), key=len)
    alone = early[:HEADER] + early[HEADER + CHUNK:HEADER + 2 * CHUNK]
    look_at_other_logs(alone, whole[max(whole, key=lambda name: len(whole[name]))])
    look_at_copies(long)
    look_at_garbage(long)
    text = run("inspect", bundle).text
    check("more recovered" in text, f"inspect says nothing of old records: {text}")
    expect(run("triage", "--quiet", bundle), 0)
    for options, is_asked in ((), False), (("--recovered",), True):
        sources = json.loads(run("triage", "--quiet", "--format", "json", *options, bundle).text)["sources"]
        check(any(source["recovered"] for source in sources) == is_asked, f"triage {options}: {sources}")
    finish()


main()
