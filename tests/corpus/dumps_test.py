"""Crash dumps of real programs: streams, modules, exception and registers as two other readers see them.

skelsec's minidump and udmp-parser are the other readers; what they refuse is not compared. The one small kernel dump is
held against what is written down of it. Differences that are known stand in KNOWN with their reason."""
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import TOP, check, finish, run, skip  # noqa: E402

n_registers = [0]
FOLDER = os.path.join(os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus")), "dumps")


def event_of(path):
    result = run("export", "--quiet", path)
    check("Sanitizer" not in result.notes and result.code in (0, 3, 4), f"{path}: ends well", result)
    lines = result.text.splitlines()
    return json.loads(lines[0])["data"] if lines else None


def number(text):
    return int(text, 16)


def compare(name, what, ours, theirs):
    check(ours == theirs, f"{name}: {what}: {ours!r}, the other reader has {theirs!r}")


def base_name(path):
    return path.replace("/", "\\").split("\\")[-1]


def modules_of(event):
    """Name, base and size; names may hold blanks."""
    rows = [row.split(" 0x") for row in event.get("modules", [])]
    return [(row[0], number(row[1]), number(row[2].split()[0])) for row in rows]


def compare_registers(name, path, event, place, system):
    """Those of the exception: the list of threads has those of the writer of the dump."""
    from minidump.streams.ContextStream import CONTEXT, WOW64_CONTEXT
    kinds = {"x64": (CONTEXT, 0x4D0), "x86": (WOW64_CONTEXT, 0x2CC)}
    if event.get("architecture") not in kinds or not event.get("registers"):
        return
    kind, size = kinds[event["architecture"]]
    if place.DataSize < size:
        return
    with open(path, "rb") as file:
        file.seek(place.Rva)
        context = kind.parse(file)
    for row in event["registers"]:
        ours, value = row.split("=")
        compare(name, ours, number(value), getattr(context, ours.capitalize()))
        n_registers[0] += 1


def compare_skelsec(name, path, event):
    import logging
    logging.disable(logging.CRITICAL)
    from minidump.minidumpfile import MinidumpFile
    try:
        dump = MinidumpFile.parse(path)
    except Exception:  # noqa: BLE001 - it raises whatever it likes
        return 0
    types = [d.StreamType.value if hasattr(d.StreamType, "value") else int(d.StreamType) for d in dump.directories]
    own = [number(row.split("(")[1].split(")")[0]) for row in event.get("streams", [])]
    known = [t for t in own if t in types]
    compare(name, "streams", [t for t in types if t], known if len(known) == len(own) else [t for t in own if t in types])
    if dump.modules and "modules" in event and len(dump.modules.modules) <= 512:
        theirs = [(base_name(m.name), m.baseaddress, m.size) for m in dump.modules.modules]
        compare(name, "modules", modules_of(event), theirs)
    if dump.threads:
        compare(name, "threads", event.get("n_threads"), len(dump.threads.threads))
    if dump.exception and dump.exception.exception_records:
        record = dump.exception.exception_records[0]
        code = record.ExceptionRecord.ExceptionCode_raw
        compare(name, "exception", number(event["exception"]), code)
        compare(name, "thread of the exception", event.get("thread", record.ThreadId), record.ThreadId)
        compare_registers(name, path, event, record.ThreadContext, dump.sysinfo)
    if dump.misc_info and dump.misc_info.ProcessId is not None:
        compare(name, "process", event.get("pid"), dump.misc_info.ProcessId)
    return 1


def compare_udmp(name, path, event):
    import udmp_parser
    parser = udmp_parser.UserDumpParser()
    try:
        if not parser.Parse(__import__("pathlib").Path(path)):
            return 0
    except Exception:  # noqa: BLE001
        return 0
    compare(name, "modules in udmp", len(modules_of(event)), min(len(parser.Modules()), 512))
    for own, base in [(row, row[1]) for row in modules_of(event)]:
        theirs = parser.Modules().get(base)
        check(theirs is not None, f"{name}: {own[0]} at {base:#x} is unknown to udmp")
    return 1


def check_triage(event):
    compare("triage_x64", "stop code", event["bugcheck"], "0x1000007e")
    compare("triage_x64", "fault", event["fault"], "amdppm.sys+0x334c")
    compare("triage_x64", "drivers", event["n_drivers"], 151)
    compare("triage_x64", "last driver", event["last_driver"], "rdpbus.sys")


def main():
    paths = sorted(glob.glob(os.path.join(FOLDER, "*dmp")))
    if not paths:
        skip("no crash dumps in the corpus; FL_CORPUS names its folder")
    try:
        import minidump  # noqa: F401
        import udmp_parser  # noqa: F401
    except ImportError:
        skip("no package minidump or udmp_parser in the tests' Python")
    n = {"skelsec": 0, "udmp": 0, "kernel": 0}
    for path in paths:
        name = os.path.basename(path)
        event = event_of(path)
        if event is None:
            continue
        if "bugcheck" in event:
            n["kernel"] += 1
            if "triage_x64" in name:
                check_triage(event)
            continue
        n["skelsec"] += compare_skelsec(name, path, event)
        n["udmp"] += compare_udmp(name, path, event)
    check(n["skelsec"] > 30 and n["udmp"] > 30, f"few files were compared: {n}")
    check(n_registers[0] > 100, f"{n_registers[0]} registers were compared")
    print(n, n_registers)
    finish()


main()
