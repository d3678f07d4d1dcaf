"""mutants.py FROM TO [BUILD...]: damages real logs; none may crash, hang, eat memory or lose whole records silently.

Seed s damages log s modulo the number of logs, so that none is left out. The program that damages them is not ours; it
also says which records are still whole (FL_MUTATOR names it). Without it or without real logs this is skipped.
Every BUILD, a folder with `faultline` in it, exports the same mutants; the first one also has to account for each byte."""
import argparse
import collections
import glob
import json
import os
import re
import sys
import tempfile
import time

from measured import CORPUS, Build, default_builds, load_mutator

MOST_SECONDS, MOST_MIB = 10, 256
MOST_LOST = 1 / 1000
# The one in the record's header comes last, if both are there; names behind "data" are the log's own.
RECORD_ID = re.compile(rb'"(?:header_)?record_id":"?(\d+)')


class Loss:
    """What one build lost."""

    def __init__(self, folder):
        self.build = Build(folder, MOST_SECONDS, MOST_MIB)
        self.n_must = self.n_lost = self.n_silent = 0


def record_ids(output):
    """How often each id stands in the headers of exported records."""
    columns = (line.split(b'"data":', 1)[0] for line in output.splitlines())
    return collections.Counter(int((RECORD_ID.findall(line) or [b"-1"])[-1]) for line in columns)


def hole_in_ledger(output, size):
    """What is wrong with the ledger of the one source that was inspected, or nothing."""
    at = 0
    for item in json.loads(output.splitlines()[0])["ledger"]:
        if item["offset"] != at or item["length"] <= 0:
            return f"the ledger has a hole or an overlap at {at}"
        at += item["length"]
    return "" if at == size else f"the ledger ends at {at}, the log at {size}"


class Hunt:
    """Some seeds, read by some builds."""

    def __init__(self, mutator, folders):
        self.mutator = mutator
        self.losses = [Loss(folder) for folder in folders]
        self.logs = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))
        self.folder = tempfile.TemporaryDirectory(prefix="faultline-mutants-")
        self.bad = []

    def complain(self, name, text):
        self.bad.append(name)
        print(f"FAIL {name}: {text}", flush=True)

    def export(self, loss, name, file, must):
        build = loss.build
        code, output, notes, complaint = build.run("export", file)
        if complaint:
            self.complain(name, f"{build.name}: export: {complaint}")
        lost = must - record_ids(output)
        n_lost = sum(lost.values())
        loss.n_must += sum(must.values())
        loss.n_lost += n_lost
        if n_lost and code == 0:
            loss.n_silent += n_lost
            self.complain(name, f"{build.name}: {n_lost} records are lost silently: {sorted(lost)[:8]}")
        elif n_lost:
            print(f"{name}: {build.name}: {n_lost} of {sum(must.values())} lost, {sorted(lost)[:8]}: {notes[:300]}",
                  flush=True)

    def inspect(self, build, name, file, size):
        code, output, _, complaint = build.run("inspect", "--format", "json", file)
        complaint = complaint or (size and hole_in_ledger(output, size))
        if complaint:
            self.complain(name, f"{build.name}: inspect: exit {code}: {complaint}")

    def seed(self, seed):
        log = self.logs[seed % len(self.logs)]
        with open(log, "rb") as stream:
            mutant, oracle = self.mutator.mutate(stream.read(), seed, "evtx")
        file = os.path.join(self.folder.name, f"{seed}.evtx")
        with open(file, "wb") as stream:
            stream.write(mutant)
        name = f"seed {seed} of {os.path.basename(log)}"
        must = collections.Counter(oracle["must"])
        for loss in self.losses:
            self.export(loss, name, file, must)
        self.inspect(self.losses[0].build, name, file, len(mutant))
        os.remove(file)

    def verdict(self, n_seeds):
        for loss in self.losses:
            build = loss.build
            print(f"{build.name}: {n_seeds} mutants; {loss.n_must} records had to survive, {loss.n_lost} did not, "
                  f"{loss.n_silent} of them silently; at most {build.seconds:.2f} s and {build.mib:.0f} MiB")
            if loss.n_lost > MOST_LOST * loss.n_must:
                self.complain(build.name, f"lost more than {MOST_LOST:.1%} of the records")
        return 1 if self.bad or not n_seeds else 0


def arguments():
    parser = argparse.ArgumentParser(description="mutants of real logs")
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("builds", nargs="*", default=default_builds())
    return parser.parse_args()


def main():
    words = arguments()
    mutator = load_mutator()
    if not mutator or not glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")):
        print("skipped: no folder of real logs (FL_CORPUS) or no program that damages them (FL_MUTATOR)")
        return 77
    hunt = Hunt(mutator, words.builds)
    start = time.monotonic()
    for seed in range(words.first, words.last + 1):
        hunt.seed(seed)
        if seed % 1000 == 0:
            print(f"seed {seed}: {time.monotonic() - start:.0f} s, {len(hunt.bad)} bad", flush=True)
    return hunt.verdict(words.last + 1 - words.first)


if __name__ == "__main__":
    sys.exit(main())
