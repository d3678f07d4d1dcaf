"""Record counts over a folder of real logs: never fewer than any other reader gives.

The readers are the evtx package for Python and evtxexport of libevtx; each that is missing is left out with a line."""
import concurrent.futures
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, TOP, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
try:
    import evtx
except ImportError:
    evtx = None


def ours(file):
    done = subprocess.run([FAULTLINE, "export", "--quiet", file], capture_output=True, timeout=300)
    return done.returncode, done.stdout.count(b"\n")


def evtx_count(file):
    """Records that the package decodes: an iterator that raises goes on behind the record."""
    try:
        records = iter(evtx.PyEvtxParser(file).records_json())
    except (RuntimeError, OSError, ValueError):
        return 0
    n = failed = 0
    while failed < 100000:
        try:
            next(records)
            n += 1
        except StopIteration:
            return n
        except (RuntimeError, OSError, ValueError):
            failed += 1
    return n


def libevtx_count(file):
    done = subprocess.run(["evtxexport", "-m", "items", "-f", "text", file], capture_output=True, timeout=300)
    return done.stdout.count(b"\nEvent number")


def has_program(name):
    return any(os.access(os.path.join(folder, name), os.X_OK) for folder in os.environ.get("PATH", "").split(os.pathsep))


def look_at(file):
    code, n = ours(file)
    others = {}
    if evtx:
        others["evtx"] = evtx_count(file)
    if has_program("evtxexport"):
        others["libevtx"] = libevtx_count(file)
    return os.path.basename(file), code, n, others


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    if not evtx:
        print("the evtx package is missing: not compared with it")
    if not has_program("evtxexport"):
        print("evtxexport is missing: not compared with libevtx")
    n_bad = total = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, code, n, others in pool.map(look_at, files):
            total += n
            more = {reader: count for reader, count in others.items() if count > n}
            if code not in (0, 3, 4) or more:
                n_bad += 1
                print(f"{name}: exit {code}, {n} records; others {others}")
    print(f"{len(files)} logs, {total} records, {n_bad} with fewer than another reader or a bad exit")
    sys.exit(1 if n_bad else 0)


main()
