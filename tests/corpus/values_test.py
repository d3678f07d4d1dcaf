"""Values over a folder of real logs: each value that another reader gives stands in our line of that record.

Readers: the evtx package for Python (JSON) and evtxexport of libevtx (XML); each that is missing is left out with a
line. Forms differ between readers (case, braces, zeros in front, decimals), so values are compared by what they mean."""
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, TOP, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
OURS_ONLY = {"source", "offset", "length", "kind", "flags", "time_written"}
try:
    import evtx
except ImportError:
    evtx = None


def meaning(value):
    """What a value means, whatever its form; None where it says nothing."""
    text = str(value).strip().rstrip("\0").lower()
    if re.fullmatch(r"\{[0-9a-f-]{36}\}", text):
        return text[1:-1]
    if re.fullmatch(r"0x[0-9a-f]+", text):
        return str(int(text, 16))
    if re.fullmatch(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(\.\d+)?( utc|z)?", text):
        whole, _, rest = text.replace("utc", "").replace("z", "").replace(" ", "t", 1).strip().partition(".")
        return f"{whole}.{rest.strip()[:6].rstrip('0')}"
    if re.fullmatch(r"-?\d+", text):
        return str(int(text))
    if re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?", text):
        return repr(float(text))
    return " ".join(text.split()) or None


def leaves(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if not name.startswith("xmlns"):
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def bag(values):
    return collections.Counter(m for m in map(meaning, values) if m is not None)


def ours(file):
    """Record id -> bags of values, one for each record that bears it."""
    done = subprocess.run([FAULTLINE, "export", "--quiet", file], capture_output=True, timeout=300)
    records = collections.defaultdict(list)
    for line in done.stdout.decode("utf-8").splitlines():
        event = json.loads(line)
        values = bag(v for name, inner in event.items() if name not in OURS_ONLY for v in leaves(inner))
        for name in {event.get("record_id"), event.get("header_record_id")} - {None}:
            records[int(name)].append(values)
    return records


def evtx_records(file):
    try:
        records = iter(evtx.PyEvtxParser(file).records_json())
    except (RuntimeError, OSError, ValueError):
        return
    failed = 0
    while failed < 1000:
        try:
            record = next(records)
        except StopIteration:
            return
        except (RuntimeError, OSError, ValueError):
            failed += 1
            continue
        yield record["event_record_id"], bag(leaves(json.loads(record["data"], strict=False)))


def xml_values(element):
    yield from (v for name, v in element.attrib.items() if not name.endswith("xmlns"))
    if element.text:
        yield element.text
    for child in element:
        yield from xml_values(child)


def libevtx_records(file):
    done = subprocess.run(["evtxexport", "-m", "items", "-f", "xml", file], capture_output=True, timeout=300)
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", done.stdout.decode("utf-8", "replace"))
    for part in re.findall(r"<Event .*?</Event>", text, re.S):
        try:
            event = ET.fromstring(part)
        except ET.ParseError:
            continue
        number = event.find(".//{*}EventRecordID")
        system = event.find("{*}System")
        if system is not None and number is not None and number.text:
            yield int(number.text), bag(xml_values(system))


def compare(reader, known, records, complaints):
    n = 0
    for number, values in records:
        n += 1
        if not any(not values - candidate for candidate in known.get(number, [])):
            best = min((values - c for c in known.get(number, [])), key=len, default="no such record")
            complaints.append(f"record {number}: {reader} has {str(dict(best) if best else best)[:200]}")
    return n


def look_at(file):
    known, complaints, n = ours(file), [], 0
    if evtx:
        n += compare("evtx", known, evtx_records(file), complaints)
    n += compare("libevtx", known, libevtx_records(file), complaints)
    return os.path.basename(file), n, complaints


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")) + glob.glob(os.path.join(CORPUS, "evtx-sets", "*", "*.evtx")))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    if not evtx:
        print("the evtx package is missing: not compared with it")
    total = n_bad = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, n, complaints in pool.map(look_at, files):
            total += n
            n_bad += len(complaints)
            for complaint in complaints[:5]:
                print(f"{name}: {complaint}")
    print(f"{len(files)} logs, {total} records of other readers compared, {n_bad} that differ")
    sys.exit(1 if n_bad else 0)


main()
