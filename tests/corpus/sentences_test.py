"""Rows of facts/events against real records: their fields are real, and their sentences come out the same both ways.

A row whose provider and number occur in the logs must find at least one of the names of each of its fields in them."""
import collections
import csv
import glob
import io
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FAULTLINE, TOP, check, finish, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
PROGRAM = RELEASE if os.path.exists(RELEASE) else FAULTLINE
ROW = re.compile(r'FL_EVENT\(\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),\s*(\d+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+),'
                 r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*(true|false),\s*("(?:[^"\\]|\\.)*")\)')
NEWER = {("time.changed", "process")}  # a later version of the event than the logs at hand have


def text(literals):
    return "".join(json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', literals))


def rows():
    for name in sorted(glob.glob(os.path.join(TOP, "facts", "events", "*.def"))):
        with open(name, encoding="utf-8") as file:
            for kind, provider, number, fields, sentence, _, source in ROW.findall(file.read()):
                yield (text(provider).lower(), int(number)), text(kind), text(fields), text(sentence), text(source)


def plain(name):
    return name.replace(" ", "").lower()


def items(fields):
    """Our name and theirs, constants left out."""
    for ours, theirs in re.findall(r'(\w+)=("[^"]*"|\S+)', fields):
        if not theirs.startswith('"'):
            yield ours, theirs.rsplit(":", 1)[0].split("|")


def has(names, n_unnamed, theirs):
    if theirs == "#bin":
        return "binary" in names
    if theirs.startswith("#"):
        return int(theirs[1:]) <= n_unnamed
    return plain(theirs) in names


class Seen:
    def __init__(self):
        self.n = self.n_unnamed = 0
        self.names = set()
        self.places = set()

    def add(self, data):
        self.n += 1
        self.names.update(plain(name) for name in data)
        unnamed = data.get("Data")
        self.n_unnamed = max(self.n_unnamed, len(unnamed) if isinstance(unnamed, list) else unnamed is not None)


def export(file, form):
    return subprocess.run([PROGRAM, "export", "--quiet", "--format", form, file], capture_output=True, timeout=300).stdout


def look_at(file, seen):
    """Returns how many sentences differ between the two ways that they are made: from rows, from events."""
    events = [json.loads(line) for line in export(file, "jsonl").splitlines()]
    for event in events:
        for name in {event.get("provider", "").lower(), event.get("event_source_name", "").lower()}:
            seen[(name, event.get("event_id", -1))].add(event.get("data", {}))
    own = [event.get("message", "") for event in events if event.get("message_source") == "own"]
    table = list(csv.DictReader(io.StringIO(export(file, "csv").decode(), newline="")))
    shown = [row["MapDescription"] for row in table if row["MessageSource"] == "own"]
    is_same = len(own) == len(shown)
    plain_pairs = [(a, b.lstrip("'")) for a, b in zip(own, shown) if "\\" not in b and a.isprintable()]
    differ = [pair for pair in plain_pairs if pair[0] != pair[1]]
    check(is_same and not differ, f"{os.path.basename(file)}: {len(own)} and {len(shown)} sentences, {differ[:1]}")
    return len(own)


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")) +
                   glob.glob(os.path.join(CORPUS, "evtx-sets", "*", "*.evtx")) +
                   glob.glob(os.path.join(CORPUS, "sigma", "regression_data", "**", "*.evtx"), recursive=True))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    seen = collections.defaultdict(Seen)
    n_own = sum(look_at(file, seen) for file in files)
    n_met = 0
    for key, kind, fields, _, source in rows():
        record = seen.get(key)
        if not record:
            continue
        n_met += 1
        for ours, theirs in items(fields):
            if (kind, ours) in NEWER:
                continue
            found = any(has(record.names, record.n_unnamed, name) for name in theirs)
            check(found, f"{kind} {key[1]} ({source}): no record of {record.n} has {ours}={'|'.join(theirs)}; "
                         f"they have {sorted(record.names)} and {record.n_unnamed} unnamed")
    print(f"{len(files)} logs, {n_own} sentences, {n_met} rows met")
    finish()


main()
