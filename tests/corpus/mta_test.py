"""Message texts that Windows exported: each equals what Event Viewer shows for the same event.

A folder `mta` of real files holds NAME.evtx, NAME_LCID.MTA and NAME.csv (Event Viewer's own export, newest event
first). Other files of the kind are compared in number: every event of a log with a text file has a text."""
import csv
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FAULTLINE, TOP, check, finish, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))


def claim(text, holds, detail=""):
    check(holds, text if holds else f"{text}: {detail}")


def lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def export(path):
    done = subprocess.run([FAULTLINE, "export", "--quiet", path], capture_output=True, timeout=300)
    claim(f"{os.path.basename(path)}: exit", done.returncode in (0, 3), done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ledger_is_parsed(path):
    done = subprocess.run([FAULTLINE, "inspect", "--format", "json", path], capture_output=True, timeout=300)
    source = json.loads(done.stdout.splitlines()[0])
    claim(f"{os.path.basename(path)}: type", source["type"] == "mta", source["type"])
    states = {part["state"] for part in source["ledger"]}
    claim(f"{os.path.basename(path)}: every byte is parsed", states == {"parsed"}, source["ledger"][:9])


def compare(events, table):
    """The rows stand newest first; events of one second in any order."""
    with open(table, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    name = os.path.basename(table)
    shown = sorted((row[2], int(row[3]), lines(row[-1])) for row in rows)
    ours = sorted((e["provider"], e["event_id"], lines(e.get("message", ""))) for e in events)
    claim(f"{name}: {len(rows)} rows, {len(events)} events", len(rows) == len(events))
    equal = sum(a == b for a, b in zip(shown, ours))
    claim(f"{name}: {equal} of {len(rows)} texts are equal", equal == len(rows) == len(ours),
          next(((a, b) for a, b in zip(shown, ours) if a != b), None))
    in_order = [lines(row[-1]) for row in rows]
    by_id = [lines(e.get("message", "")) for e in sorted(events, key=lambda e: -e["record_id"])]
    claim(f"{name}: in the same order", in_order == by_id,
          next(((a, b) for a, b in zip(in_order, by_id) if a != b), None))


def look_at(log):
    stem = os.path.splitext(os.path.basename(log))[0]
    found = sorted(glob.glob(os.path.join(os.path.dirname(log), glob.escape(stem) + "_*.MTA")) +
                   glob.glob(os.path.join(os.path.dirname(log), "LocaleMetaData", glob.escape(stem) + "_*.MTA")))
    if not found:
        return
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "LocaleMetaData"))
        shutil.copy(log, folder)
        for file in found:
            shutil.copy(file, os.path.join(folder, "LocaleMetaData"))
            ledger_is_parsed(file)
        events = export(folder)
        claim(f"{stem}: every message is the exported one",
              all(e.get("message_source") in ("mta", "rendering") for e in events))
        claim(f"{stem}: a folder and the log by itself agree",
              [e.get("message") for e in events] ==
              [e.get("message") for e in export(os.path.join(folder, os.path.basename(log)))])
        archive = shutil.make_archive(os.path.join(folder, "..", os.path.basename(folder)), "zip", folder)
        claim(f"{stem}: a zip archive agrees",
              [e.get("message") for e in events] == [e.get("message") for e in export(archive)])
        os.remove(archive)
    table = os.path.join(os.path.dirname(log), stem + ".csv")
    if os.path.exists(table):
        compare(events, table)


def main():
    logs = sorted(glob.glob(os.path.join(CORPUS, "mta", "**", "*.evtx"), recursive=True))
    if not logs:
        skip("no real text files of logs; FL_CORPUS names a folder with a folder mta")
    for log in logs:
        look_at(log)
    finish()


main()
