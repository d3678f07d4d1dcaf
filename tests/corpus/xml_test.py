"""XML over a folder of real logs: equal to what the other readers give, record by record, and nothing of it is missing
from the JSON line.

The readers are evtx_dump (build/tools/bin or PATH) or else the evtx package for Python, and evtxexport of libevtx. All
outputs are brought into one canonical form; what still differs must belong to a class of docs/formats/xml.md."""
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
sys.path.insert(0, HERE)
import event_xml  # noqa: E402
from tool import BUILD, TOP, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
OWN_DUMP = os.path.join(TOP, "build", "tools", "bin", "evtx_dump")
DUMP = os.environ.get("FL_EVTX_DUMP") or (OWN_DUMP if os.path.exists(OWN_DUMP) else shutil.which("evtx_dump"))
EVTXEXPORT = shutil.which("evtxexport")
try:
    import evtx
except ImportError:
    evtx = None


def dump_records(file):
    done = subprocess.run([DUMP, "-t", "1", "-o", "xml", file], capture_output=True, timeout=600)
    parts = re.split(r"(?m)^Record (\d+)\n(?=<\?xml)", done.stdout.decode("utf-8", "replace"))
    for i in range(1, len(parts), 2):
        yield int(parts[i]), parts[i + 1]


def wheel_records(file):
    try:
        records = iter(evtx.PyEvtxParser(file).records())
    except (RuntimeError, OSError, ValueError):
        return
    failed = 0
    while failed < 1000:
        try:
            record = next(records)
            yield record["event_record_id"], record["data"]
        except StopIteration:
            return
        except (RuntimeError, OSError, ValueError):
            failed += 1


def libevtx_records(file):
    """By EventRecordID: evtxexport does not print the number of the record's header."""
    done = subprocess.run([EVTXEXPORT, "-m", "items", "-f", "xml", file], capture_output=True, timeout=600)
    for part in re.findall(r"<Event .*?</Event>", done.stdout.decode("utf-8", "replace"), re.S):
        number = re.search(r"<EventRecordID>(\d+)</EventRecordID>", part)
        if number:
            yield int(number[1]), part


def readers():
    if DUMP or evtx:
        yield "evtx", dump_records if DUMP else wheel_records
    if EVTXEXPORT:
        yield "libevtx", libevtx_records


class Outcome:
    def __init__(self, file):
        self.name = os.path.basename(file)
        self.n_ours = self.n_compared = 0
        self.classes = collections.Counter()
        self.complaints = []


def compare(reader, known, record, outcome):
    """One record of the other reader against ours with the same number; the best of them counts."""
    number, text = record
    theirs = event_xml.parse(text)
    if not theirs:
        outcome.classes[f"{reader}: no XML"] += 1
        return
    outcome.n_compared += 1
    if number not in known:
        outcome.complaints.append(f"record {number}: missing, {reader} has it")
        return
    outcome.classes[f"{reader}: later documents"] += max(map(len, known[number])) > len(theirs)
    found = [list(event_xml.differences(ours[0], event_xml.node_of(theirs[0]))) for ours in known[number]]
    best = min(found, key=lambda d: (sum(x[0] is None for x in d), len(d)))
    for name, path, ours, theirs in best:
        if name:
            outcome.classes[f"{reader}: {name}"] += 1
        else:
            outcome.complaints.append(f"record {number}: {path}: {str(ours)[:160]!r}, {reader} {str(theirs)[:160]!r}")


def look_at(file):
    outcome = Outcome(file)
    known = {"evtx": collections.defaultdict(list), "libevtx": collections.defaultdict(list)}
    try:
        events = dict(event_xml.ours_json(FAULTLINE, file))
        for number, place, text in event_xml.ours_xml(FAULTLINE, file):
            documents = event_xml.parse(text)
            outcome.n_ours += 1
            lost = event_xml.missing_from_json(documents, events.get(place, {}))
            if lost:
                outcome.complaints.append(f"record {number}: not in the JSON line: {str(lost)[:300]}")
            nodes = [event_xml.node_of(document) for document in documents]
            known["evtx"][number].append(nodes)
            own_number = re.search(r"<EventRecordID>(\d+)</EventRecordID>", text)
            known["libevtx"][int(own_number[1]) if own_number else number].append(nodes)
    except (ET.ParseError, ValueError) as error:
        outcome.complaints.append(str(error))
    for reader, read in readers():
        for record in read(file):
            compare(reader, known[reader], record, outcome)
    return outcome


def main():
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")) +
                                   glob.glob(os.path.join(CORPUS, "evtx-sets", "*", "*.evtx")))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    if not DUMP and not evtx:
        print("neither evtx_dump nor the evtx package is here: not compared with it")
    if not EVTXEXPORT:
        print("evtxexport is not here: not compared with libevtx")
    classes, n_ours, n_compared, n_bad = collections.Counter(), 0, 0, 0
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for outcome in pool.map(look_at, files):
            classes.update(outcome.classes)
            n_ours += outcome.n_ours
            n_compared += outcome.n_compared
            n_bad += len(outcome.complaints)
            for complaint in outcome.complaints[:5]:
                print(f"{outcome.name}: {complaint}")
    for name, n in sorted((+classes).items()):
        print(f"class {name}: {n} values")
    print(f"{len(files)} logs, {n_ours} records of ours, {n_compared} compared, {n_bad} complaints")
    sys.exit(1 if n_bad else 0)


if __name__ == "__main__":
    main()
