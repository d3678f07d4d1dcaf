"""SIGINT, SIGPIPE and full disks: what is left behind."""
import os
import signal
import subprocess
import time

import sample
from tool import FAULTLINE, check, finish, path

log = sample.log()

# Standard input that never ends: the program is reading when the signal comes.
child = subprocess.Popen([FAULTLINE, "export", "-", "-o", path("cut.jsonl")], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
child.stdin.write(open(log, "rb").read()[:4096])
child.stdin.flush()
time.sleep(0.5)
child.send_signal(signal.SIGINT)
time.sleep(0.2)
child.stdin.close()
child.stdin = None
child.communicate(timeout=60)
check(child.returncode in (130, -signal.SIGINT), f"SIGINT ends with 130, not {child.returncode}")
check(not os.path.exists(path("cut.jsonl")), "an interrupted run leaves no output of the final name")

# A reader that goes away is no error to talk about.
done = subprocess.run(["sh", "-c", f'"{FAULTLINE}" export "{log}" "{log}" "{log}" | head -n 1'], capture_output=True, text=True)
check(done.returncode == 0 and len(done.stdout.splitlines()) == 1 and done.stderr == "", f"a closed pipe is quiet: {done.stderr}")
finish()
