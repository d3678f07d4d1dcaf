"""Dumps of our own writer as two foreign readers see them: what the scenario asked for is in the file.

skelsec's minidump and udmp-parser are the other readers; without them this is skipped."""
import logging
import os
import pathlib
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FIXTURES, build, check, finish, path, skip, write  # noqa: E402

CODES = {"av": 0xC0000005, "failfast": 0xC0000409, "none": None}
MODULES = (r"C:\Windows\System32\svchost.exe", r"C:\Windows\System32\ntdll.dll", r"C:\Windows\System32\rdpcorets.dll")
FORMS = {f"{arch}{full}{code}.dmp": (arch, full, code) for arch in ("x64", "x86") for full in ("", "full") for code in CODES}


def scenario():
    lines = ['title "dumps"', "base 2026-03-10T08:00:00Z", "machine SRV01 role=server name=SRV01.contoso.example",
             "log Application on SRV01 first_id=1 from=t-1h to=t+1h background=4"]
    for name, (arch, full, code) in FORMS.items():
        lines.append(f"minidump {name} on SRV01 at=t started=t-1d arch={arch} pid=1320 tid=4711 module=rdpcorets.dll offset=0x613d4 "
                     f"code={CODES[code] or 0} subcode=5 {full}".rstrip())
        lines += [f"module {name} {module}" for module in MODULES]
    return write("dumps.scn", "\n".join(lines + ["bundle dumps.zip zip layout=msrd of SRV01", ""]))


def check_skelsec(name, file, code):
    from minidump.minidumpfile import MinidumpFile
    dump = MinidumpFile.parse(file)
    modules = dump.modules.modules
    check([m.name for m in modules] == list(MODULES), f"{name}: modules {[m.name for m in modules]}")
    check(dump.misc_info.ProcessId == 1320, f"{name}: process {dump.misc_info.ProcessId}")
    check([t.ThreadId for t in dump.threads.threads] == [4711], f"{name}: one thread")
    check(dump.sysinfo.BuildNumber == 20348, f"{name}: build {dump.sysinfo.BuildNumber}")
    check(bool(code) == bool(dump.exception), f"{name}: an exception only where one was asked for")
    if not code:
        return
    record = dump.exception.exception_records[0]
    check(record.ThreadId == 4711, f"{name}: thread {record.ThreadId}")
    check(record.ExceptionRecord.ExceptionCode_raw == code, f"{name}: code {record.ExceptionRecord.ExceptionCode_raw:#x}")
    check(record.ExceptionRecord.ExceptionAddress == modules[2].baseaddress + 0x613D4, f"{name}: address")


def check_udmp(name, file, full):
    import udmp_parser
    parser = udmp_parser.UserDumpParser()
    check(parser.Parse(pathlib.Path(file)), f"{name}: udmp-parser reads it")
    check(sorted(m.ModuleName for m in parser.Modules().values()) == sorted(MODULES), f"{name}: modules in udmp-parser")
    check(list(parser.Threads()) == [4711], f"{name}: threads in udmp-parser {list(parser.Threads())}")
    if full:
        check(0x10000 in parser.Memory() and bytes(parser.ReadMemory(0x11FFC, 12) or b"")[:4] == b"spli", f"{name}: memory in udmp-parser")


def main():
    if not os.path.exists(FIXTURES):
        skip("no fl-fixtures")
    try:
        import minidump  # noqa: F401
        import udmp_parser  # noqa: F401
    except ImportError:
        skip("no package minidump or udmp_parser in the tests' Python")
    logging.disable(logging.CRITICAL)
    folder = path("dumps")
    with zipfile.ZipFile(build(scenario(), path("bundle"))[0]) as bundle:
        bundle.extractall(folder)
    found = {file.name: str(file) for file in pathlib.Path(folder).rglob("*.dmp")}
    check(sorted(found) == sorted(FORMS), f"the bundle holds {sorted(found)}")
    for name, (_, full, code) in FORMS.items():
        check_skelsec(name, found[name], CODES[code])
        check_udmp(name, found[name], full)
    finish()


main()
