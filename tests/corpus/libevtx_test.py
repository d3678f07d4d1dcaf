"""Both engines over a third of the real logs: values are equal, but for what docs/formats/evtx.md lists.

Which records libevtx reads at all is not the question here: corpus_test.py counts them."""
import collections
import concurrent.futures
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import BUILD, TOP, check, finish, skip  # noqa: E402

CORPUS = os.environ.get("FL_CORPUS", os.path.join(TOP, "..", "shared", "corpus"))
RELEASE = os.path.join(TOP, "build", "release", "faultline")
FAULTLINE = RELEASE if os.path.exists(RELEASE) else os.path.join(BUILD, "faultline")
MOST_BYTES = 1200000
RENDERED = {"level_name", "task_name", "opcode_name", "keyword_names", "message", "message_source"}


def events(*words):
    done = subprocess.run([FAULTLINE, "export", "--quiet", *words], capture_output=True, timeout=300)
    check(done.returncode in (0, 3, 4), f"{words}: exit {done.returncode}: {done.stderr[-300:]!r}")
    return {event["offset"]: event for event in map(json.loads, done.stdout.splitlines())}


def is_number_of(ours, theirs):
    """Hexadecimal numbers have all digits, those of a pointer's size are decimal; fractions have an exponent."""
    try:
        if ours.startswith("0x"):
            return int(ours, 16) == int(theirs, 0 if theirs.startswith("0x") else 10)
        return float(ours) == float(theirs)
    except ValueError:
        return False


def is_same(ours, theirs):
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    ours, theirs = json.dumps(ours) if isinstance(ours, bool) else str(ours), str(theirs)
    if ours == theirs or ours == theirs.strip("{}") or is_number_of(ours, theirs):
        return True
    # Times have nine digits; those that do not say their zone get one.
    return ours[:4].isdigit() and theirs in (ours[:-1] + "00Z" if ours.endswith("Z") else "", ours + "Z")


def is_markup(value):
    """libevtx does not escape a text that looks like XML: it becomes elements."""
    return any("<" in str(item) and ">" in str(item) for item in (value if isinstance(value, list) else [value]))


def differences(ours, theirs):
    if ours.get("message_source") == "own" == theirs.get("message_source"):
        del ours["message"], theirs["message"]  # it quotes the data, which is compared below
    for key in set(ours) | set(theirs):
        if key not in ("flags", "data") and not is_same(ours.get(key), theirs.get(key)):
            if not (key in RENDERED and key not in theirs):  # a second document behind the event is not given
                yield f"{key}: {ours.get(key)!r}, libevtx {theirs.get(key)!r}"
    mine, other = ours.get("data", {}), theirs.get("data", {})
    if any(map(is_markup, mine.values())):
        return
    mine = {name: value for name, value in mine.items() if not name.startswith("RenderingInfo") or name in other}
    if list(mine) != list(other):
        yield f"names {list(mine)}, libevtx {list(other)}"
    for name in mine:
        if name in other and not is_same(mine[name], other[name]):
            yield f"{name}: {mine[name]!r}, libevtx {other[name]!r}"


def look_at(file):
    ours, theirs = events(file), events("--engine", "libevtx", file)
    found = [f"{os.path.basename(file)}@{offset}: not read by our own engine" for offset in set(theirs) - set(ours)]
    for offset in set(ours) & set(theirs):
        found += [f"{os.path.basename(file)}@{offset}: {text}" for text in differences(ours[offset], theirs[offset])]
    return len(set(ours) & set(theirs)), found


def main():
    files = sorted(glob.glob(os.path.join(CORPUS, "evtx", "*.evtx")))[::3]
    files = [file for file in files if os.path.getsize(file) <= MOST_BYTES]
    if not files:
        skip("no folder of real logs; FL_CORPUS names one")
    n_compared, kinds = 0, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for n, found in pool.map(look_at, files):
            n_compared += n
            for text in found:
                kinds[text.split(": ")[1]] += 1
                if kinds.total() < 20:
                    print(text[:300])
    print(f"{len(files)} logs, {n_compared} records compared, {kinds.total()} differences")
    check(n_compared > 1000 or len(files) < 50, f"{n_compared} records were compared")
    check(not kinds, f"differences: {kinds.most_common(10)}")
    finish()


main()
