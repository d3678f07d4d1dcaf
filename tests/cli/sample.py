"""One sound log for the tests: a client log built by fl-fixtures."""
import os

from tool import FIXTURES, build, path, skip

# Forty connections from one client, a minute apart, that all fail in the same way.
SCENARIO = """title "a sample"
base 2026-03-02T10:00:00Z
machine PC1 role=client name=PC1.example.test
log RDPClient on PC1 first_id=1
sequence attempt
t+1s PC1 evtx RDPClient 1024 Value=host1
t+3s PC1 evtx RDPClient 1026 Value=2308
end
play attempt at=t count=40 every=1m
bundle sample dir layout=flat of PC1
"""

_log = None


def log():
    global _log
    if _log:
        return _log
    if not os.path.exists(FIXTURES):
        skip("fl-fixtures is not built")
    folder = path("sample")
    scenario = path("sample.scn")
    with open(scenario, "w", encoding="utf-8") as file:
        file.write(SCENARIO)
    build(scenario, folder)
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".evtx"):
                _log = os.path.join(top, name)
                return _log
    skip("the sample scenario holds no log")
