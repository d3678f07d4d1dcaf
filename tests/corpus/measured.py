"""What the tests of damaged logs share: the program that damages them, and runs with time and memory measured."""
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("FL_TOP") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("FL_BUILD") or os.path.join(TOP, "build", "dev")
CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
MUTATOR = os.environ.get("FL_MUTATOR", os.path.join(TOP, "..", "shared", "tools", "mutate.py"))
# A sanitizer's build is watched for what it says: its time and what it keeps of freed memory are not the program's.
SANITIZER_SECONDS, SANITIZER_MIB = 10, 2048
sys.dont_write_bytecode = True


def load_mutator():
    """The module, or None where it is missing."""
    if not os.path.exists(MUTATOR):
        return None
    spec = importlib.util.spec_from_file_location("mutator", MUTATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def default_builds():
    """The build under test, and the release beside it, whose time and memory count."""
    release = os.path.join(TOP, "build", "release")
    both = [BUILD]
    if os.path.exists(os.path.join(release, "faultline")) and not os.path.samefile(release, BUILD):
        both.append(release)
    return both


class Build:
    """One program, what it may take, and the most that it took."""

    def __init__(self, folder, most_seconds, most_mib):
        self.program = os.path.join(folder, "faultline")
        self.name = os.path.basename(os.path.normpath(folder))
        with open(self.program, "rb") as file:
            self.has_sanitizer = b"__asan_init" in file.read()
        self.most_seconds = SANITIZER_SECONDS if self.has_sanitizer else most_seconds
        self.most_mib = SANITIZER_MIB if self.has_sanitizer else most_mib
        self.seconds = self.mib = 0

    def run(self, *words):
        """(exit code, output, notes, complaint) of one run. Time is the processor's, so that a busy machine does not
        matter; memory is the largest that was resident, never less than what this Python has."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([self.program, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            limit = int(self.most_seconds) + 1
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (limit, limit + 1))
            _, status, used = os.wait4(process.pid, 0)
            code = process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            output, notes = out.read(), err.read().decode("utf-8", "replace")
        seconds, mib = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        self.seconds, self.mib = max(self.seconds, seconds), max(self.mib, mib)
        return code, output, notes, self.complaint(code, notes, seconds, mib)

    def complaint(self, code, notes, seconds, mib):
        if "Sanitizer" in notes or "runtime error" in notes:
            return f"a sanitizer spoke: {notes[:1500]}"
        if code not in (0, 3, 4):
            return f"exit {code}: {notes[:300]}"
        if seconds > self.most_seconds:
            return f"took {seconds:.2f} s, expected at most {self.most_seconds}"
        if mib > self.most_mib:
            return f"took {mib:.0f} MiB, expected at most {self.most_mib}"
        return ""
