"""SIGINT, SIGPIPE and full disks: what is left behind."""
import os
import signal
import subprocess
import time

import sample
from tool import FAULTLINE, check, expect, finish, path, run

log = sample.log()

folder = path("out")
os.makedirs(folder)
target = os.path.join(folder, "cut.jsonl")


def interrupted(number, *words):
    """A run that waits for more of its standard input when the signal comes."""
    child = subprocess.Popen([FAULTLINE, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(open(log, "rb").read()[:4096])
    child.stdin.flush()
    time.sleep(0.5)
    child.send_signal(number)
    try:
        child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        check(False, f"signal {number} ends {words} although the input goes on")
        child.kill()
    child.communicate()
    return child.returncode


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    for words in (("export", "-", "-o", target), ("timeline", "-", "-o", target), ("triage", "-", "-o", target)):
        code = interrupted(number, *words)
        check(code == 128 + number, f"{words[0]}: signal {int(number)} ends with {128 + number}, not {code}")
        check(os.listdir(folder) == [], f"{words[0]}: signal {int(number)} leaves {os.listdir(folder)}")

# A file of the user beside the target is nobody's to write to, and a link is not followed.
for name in ("cut.jsonl.part", "victim"):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write("mine")
os.symlink("victim", target)
expect(run("export", log, "-o", target), 0)
check(open(os.path.join(folder, "cut.jsonl.part"), encoding="utf-8").read() == "mine", "FILE.part stays the user's")
check(open(os.path.join(folder, "victim"), encoding="utf-8").read() == "mine", "a link is not followed")
check(not os.path.islink(target) and open(target, "rb").read() == run("export", log).out, "it is replaced")
check(sorted(os.listdir(folder)) == ["cut.jsonl", "cut.jsonl.part", "victim"], "and nothing else is left")

# Two runs with one -o: whichever ends last, its output is whole.
runs = [subprocess.Popen([FAULTLINE, "export", "-", "-o", target], stdin=subprocess.PIPE) for _ in range(2)]
data = open(log, "rb").read()
for half in (data[:50000], data[50000:]):
    for one in runs:
        one.stdin.write(half)
        one.stdin.flush()
for one in runs:
    one.communicate(timeout=60)
check([one.returncode for one in runs] == [0, 0], "two runs with one output both end well")
check(open(target, "rb").read() == run("export", "-", stdin=data).out, "and the output is that of one")

# A reader that goes away is no error to talk about.
done = subprocess.run(["sh", "-c", f'"{FAULTLINE}" export "{log}" "{log}" "{log}" | head -n 1'], capture_output=True, text=True)
check(done.returncode == 0 and len(done.stdout.splitlines()) == 1 and done.stderr == "", f"a closed pipe is quiet: {done.stderr}")
finish()
