"""Hardening of the release program, and the names that the shared library shows."""
import os
import re
import subprocess
import sys

import source

build = os.environ.get("FL_BUILD", "")
release = build if os.environ.get("FL_BUILD_TYPE") == "Release" else os.path.join(source.TOP, "build", "release")
complaints = []
n = 0


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


library = os.path.join(build, "libfaultline.so")
if os.path.exists(library):
    for line in run("nm", "-D", "--defined-only", library).splitlines():
        name = line.split()[-1].split("@")[0]
        n += 1
        if not name.startswith("fl_") and not re.match(r"_|asan|__", name):
            complaints.append(f"libfaultline.so shows {name}")

program = os.path.join(release, "faultline")
if os.path.exists(program):
    header = run("readelf", "-hW", program)
    segments = run("readelf", "-lW", program)
    dynamic = run("readelf", "-dW", program)
    symbols = run("readelf", "--dyn-syms", "-W", program)
    checks = {
        "position independent": re.search(r"Type:\s+DYN", header),
        "read-only relocations": "GNU_RELRO" in segments,
        "bound at start": re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic),
        "no executable stack": re.search(r"GNU_STACK.*\bRW\s", segments),
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified calls": re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")),
        "no writable code": not re.search(r"LOAD.*\bRWE\b", segments),
    }
    if os.uname().machine == "x86_64":
        # The note of the whole program needs the C library's start files to play along; ours have the marks.
        checks["marked for indirect branches"] = "endbr64" in run("objdump", "-d", "--disassemble=main", program)
    for what, holds in checks.items():
        n += 1
        if not holds:
            complaints.append(f"{program}: not {what}")
if not n:
    print("skipped: neither libfaultline.so nor a release program is built")
    sys.exit(77)
source.finish(complaints, n, "properties")
