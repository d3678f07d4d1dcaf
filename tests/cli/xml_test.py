"""export --format xml: one document that readers take, whatever the input, and nothing that only JSON lines would say."""
import os
import re
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "corpus"))
import event_xml  # noqa: E402
from tool import FAULTLINE, SCENARIOS, build, check, expect, finish, path, run  # noqa: E402


def bundle(name):
    return sorted(build(os.path.join(SCENARIOS, name + ".scn"), path(name)))[-1]


def check_lossless(file, *options):
    """Every value of the XML stands in the JSON line of the same record, and there are as many of them."""
    events = dict(event_xml.ours_json(FAULTLINE, file, *options))
    records = list(event_xml.ours_xml(FAULTLINE, file, *options))
    check(len(records) == len(events) > 0, f"{file}: {len(records)} records as XML, {len(events)} as JSON")
    lost = [(number, event_xml.missing_from_json(event_xml.parse(text), events.get(place, {}))) for number, place, text in records]
    lost = [pair for pair in lost if pair[1]]
    check(not lost, f"{file}: not in the JSON line of {len(lost)} records: {str(lost[:3])[:500]}")


def instructions(text, target):
    return re.findall(rf"<\?faultline-{target}( [^?]*)\?>", text)


types, damaged = bundle("all-types"), bundle("damaged-rdpcorets")
check_lossless(types)
for name in ("value-types", "direct-elements", "damaged-chunks", "localised-tr"):
    check_lossless(bundle(name))
check_lossless(bundle("damaged-chunks"), "--recovered")

whole = expect(run("export", "--format", "xml", types), 0, "<Events>", "</Events>").text
check(len(ET.fromstring(whole.encode()).findall("{*}Event")) == whole.count("faultline-record"), "an Event a record")
check(all(line.startswith("<") for line in whole.splitlines()), "no line begins within a value")

# What is wrong with the input is in the document, too, and what was not read.
notes = instructions(expect(run("export", "--format", "xml", damaged), 3).text, "note")
check(any('severity="damaged"' in note for note in notes), f"notes of damage: {notes}")
first = expect(run("export", "--format", "xml", "--limit", "1", types), 0).text
check(ET.fromstring(first.encode()) is not None and first.count("faultline-record") == 1, "one record")
check(len(instructions(first, "incomplete")) > 0, "a source that was not read to its end is named")
check(not instructions(whole, "incomplete"), "a whole run is not called incomplete")
check(run("export", "--format", "xml", path("missing")).out == b"", "nothing readable, nothing written")
check(run("export", "--format", "xml", types, "--jobs", "3").text == whole, "the same for any number of jobs")

# A timeline has values, no trees: the standard form, in time order, as --sort gives it.
expect(run("timeline", types, "-o", path("types.fltl")), 0)
sorted_text = expect(run("export", "--format", "xml", "--sort", types), 0).text
from_timeline = expect(run("export", "--format", "xml", path("types.fltl")), 0).text
check(from_timeline == sorted_text, "a timeline and --sort give the same")
check(from_timeline.count("faultline-record") == whole.count("faultline-record"), "as many records")
root = ET.fromstring(from_timeline.encode())
ids = [element.text for element in root.findall("{*}Event/{*}System/{*}EventID")]
check({"1", "12", "37"} <= set(ids), f"the standard form has a System: {ids}")
finish()
