"""What the tests of the command line share: running the program, and bundles from scenarios."""
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.environ.get("FL_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("FL_BUILD") or os.path.join(TOP, "build", "dev")
FAULTLINE = os.path.join(BUILD, "faultline")
FIXTURES = os.path.join(BUILD, "fl-fixtures")
SCENARIOS = os.path.join(TOP, "fixtures", "scenarios")
FOLDER = tempfile.mkdtemp(prefix="faultline-cli-")
atexit.register(shutil.rmtree, FOLDER, True)

_n_checks = 0
_complaints = []


def path(name):
    return os.path.join(FOLDER, name)


def write(name, data):
    """A file in the test's folder; folders on the way are made."""
    full = path(name)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return full


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.text = done.stdout.decode("utf-8", "replace")
        self.notes = done.stderr.decode("utf-8", "replace")


def run(*words, stdin=None, env=None, cwd=None, user=None):
    surroundings = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", **(env or {}))
    done = subprocess.run([FAULTLINE, *map(str, words)], input=stdin if stdin is not None else b"",
                          capture_output=True, env=surroundings, cwd=cwd or FOLDER, timeout=300, user=user)
    return Result(done)


def check(holds, text, result=None):
    global _n_checks
    _n_checks += 1
    if holds:
        return
    _complaints.append(text)
    print(f"FAIL {text}")
    if result is not None:
        print(f"  exit {result.code}\n  out: {result.text[:600]!r}\n  err: {result.notes[:1200]!r}")


def expect(result, code, *words, err=()):
    """Exit code, words of standard output, words of standard error; a crash is always a complaint."""
    name = f"exit {code}, {words} {err}"
    check("Sanitizer" not in result.notes and "runtime error" not in result.notes, "a sanitizer spoke", result)
    check(result.code == code, name, result)
    for word in words:
        check(word in result.text, f"{word!r} on standard output", result)
    for word in [err] if isinstance(err, str) else err:
        check(word in result.notes, f"{word!r} on standard error", result)
    return result


def scenarios():
    return sorted(glob.glob(os.path.join(SCENARIOS, "*.scn")))


def build(scenario, folder):
    """Builds a scenario; returns its bundles, which are one case together."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run([FIXTURES, scenario, "-o", folder], check=True, stdout=subprocess.DEVNULL)
    bundles = sorted(entry for entry in os.listdir(folder) if entry != "expect.txt")
    if not bundles:
        raise SystemExit(f"{scenario}: no bundle was built")
    return [os.path.join(folder, bundle) for bundle in bundles]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def finish():
    print(f"{_n_checks} checks, {len(_complaints)} complaints")
    sys.exit(1 if _complaints or not _n_checks else 0)
