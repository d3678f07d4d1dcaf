"""Output of Windows tools as text: the same facts in every language and encoding, and what text is left alone."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tool import FIXTURES, SCENARIOS, build, check, expect, finish, path, run, skip, write  # noqa: E402

LANGUAGES = ("en", "de", "fr", "es", "ja", "tr", "ru")
ENCODINGS = ("oem", "ansi", "utf8", "utf8bom", "utf16", "utf16bare", "utf16be")


def events(*inputs):
    return [json.loads(line) for line in run("export", "--quiet", *inputs).text.splitlines()]


def facts(bundle):
    """What the facts say, without what is recorded in the language of Windows."""
    found = []
    for e in events(bundle):
        if e["provider"] != "faultline-state":
            continue
        data = {k: v for k, v in e["data"].items() if k != "state_text"}
        if "adapter" in data:
            data["adapter"] = re.search("VPN|Ethernet0", data["adapter"]).group(0)
        found.append((os.path.basename(e["source"]), e["host"], e["kind"], e["time"], data))
    return found


def languages():
    """One scenario in all languages and encodings."""
    text = open(os.path.join(SCENARIOS, "tool-output.scn"), encoding="utf-8").read()
    first = None
    for language in LANGUAGES:
        for encoding in ENCODINGS:
            words = re.sub(r"(?m)^(output \w+ on SRV01).*$", rf"\1 lang={language} encoding={encoding}", text)
            words = words.replace("bundle tools.zip zip", "bundle tools dir")
            scenario = write("tool-output.scn", words)
            found = facts(build(scenario, path(f"{language}-{encoding}"))[0])
            first = first or found
            check(len(found) == 33, f"{language} {encoding}: {len(found)} facts")
            difference = [pair for pair in zip(first, found) if pair[0] != pair[1]]
            check(found == first, f"{language} {encoding}: not as in English: {difference[:2]}")


def place(bundle):
    """Facts stand where they say, are no duplicates of each other, and know when they were collected."""
    found = [e for e in events(bundle) if e["provider"] == "faultline-state"]
    check(all(e["host"] in ("SRV01", "SRV01.corp.example") for e in found), "host")
    folder, name = os.path.split(bundle)
    sessions = [e for e in found if "20260203_100500" in e["source"]]
    check(len(sessions) == 8 and {e["time"] for e in sessions} == {"2026-02-03T10:05:00.000000000Z"}
          and all(e["data"]["time_is_local"] for e in sessions), f"time of the collection: {sessions[:1]}")
    check(all("time_invalid" in e["flags"] for e in found if e["kind"] == "state.listener"), "no time: time_invalid")
    expect(run("timeline", "--quiet", name, name, "-o", "twice.fltl", cwd=folder), 0)
    for e in events(os.path.join(folder, "twice.fltl")):
        check(e["provider"] != "faultline-state" or "duplicate" not in e.get("flags", []), f"no duplicate: {e}")
    for e in found[:3]:
        shown = expect(run("show", f"{e['source']}@{e['offset']}", name, "--format", "json", cwd=folder), 0)
        record = json.loads(shown.text)
        check(len(bytes.fromhex(record["bytes"])) == e["length"] and record["kind"] == e["kind"], "show", shown)


def inspect(bundle):
    sources = [json.loads(line) for line in run("inspect", "--quiet", "--format", "json", bundle).text.splitlines()]
    details = {os.path.basename(s["source"]): s.get("detail") for s in sources if s["type"] == "text"}
    check(details["SRV01_Netstat.txt"] == "netstat 6", f"inspect: detail {details}")
    check(details["SRV01_Sessions.txt"] == "sessions 5, tasklist 3", f"inspect: two outputs in one file {details}")
    netstat = next(s for s in sources if s["source"].endswith("Netstat.txt"))
    states = {r["state"] for r in netstat["ledger"]}
    check(states == {"parsed", "skipped"}, f"lines are parsed or skipped: {states}")
    check(sum(r["length"] for r in netstat["ledger"]) == netstat["bytes"], "the ledger tiles")


def other_text():
    """Text that nobody claims stays as it was; output without anything to use is said."""
    plain = write("notes.txt", "Notes of a call: TCP and UDP are open: yes.\r\nA list . . . of dots\r\n")
    result = expect(run("inspect", plain), 4, "text, not read")
    check("unsupported" in result.text, "plain text is unsupported", result)
    empty = write("SRV01_Tasklist.txt", "\r\n========================= ======== ================ =========== ============\r\n")
    expect(run("inspect", empty), 0, "type     text: tasklist 0", "output of tasklist without anything to use")
    for name, text in {
        "table of contents": "   Chapter one . . . . . . 5\r\n   Chapter two . . . . . . 9\r\n",
        "a log with ports": "2026-02-03 10:00:00 connected TCP 10.0.0.1:55 to 10.0.0.2:66\r\n",
        "a banner": "======== Section 1 ========\r\nvalue: 1\r\n",
        "a heading about TCP": "TCP settings\r\n--------------------------\r\nThe port is 3389.\r\n",
        "a script": "wmic qfe get HotFixID, InstalledOn\r\nGet-HotFix | select HotFixID | more\r\n",
        "markdown": "| a | b |\r\n| --- | --- |\r\n| TCP | 1 |\r\n",
    }.items():
        check("not read" in run("inspect", write("other.txt", text)).text, f"{name} is no output of a tool")


def concatenated():
    """All outputs in one file, in both orders: each is found."""
    text = open(os.path.join(SCENARIOS, "tool-output.scn"), encoding="utf-8").read()
    lines = re.sub(r"(?m)^(output \w+ on SRV01).*$", r"\1 path=all.txt", text).replace("bundle tools.zip zip", "bundle tools dir")
    lines = lines.replace("output netstat", "output pfirewall on SRV01 path=all.txt\noutput netstat")
    outputs = re.findall(r"(?m)^output .*\n", lines)
    for order in (outputs, outputs[::-1]):
        words = re.sub(r"(?m)^output .*\n", "", lines).replace("state listener", "".join(order) + "state listener", 1)
        bundle = build(write("all.scn", words), path(f"all{order is outputs}"))[0]
        sources = [json.loads(line) for line in run("inspect", "--quiet", "--format", "json", bundle).text.splitlines()]
        detail = next(s["detail"] for s in sources if s["source"].endswith("all.txt"))
        check(detail == "netstat 6, ipconfig 3, sessions 5, tasklist 3, systeminfo 2, certutil 2, certificates 1, icacls 3, "
              "pfirewall 2, portrange 1, hotfixes 1, getacl 1", f"all in one file: {detail}")


def damage():
    """Cut and changed anywhere: no crash, the ledger tiles, and what stands before the damage stays."""
    scenario = os.path.join(SCENARIOS, "tool-output.scn")
    words = open(scenario, encoding="utf-8").read().replace("bundle tools.zip zip", "bundle tools dir")
    bundle = build(write("damage.scn", words), path("damage"))[0]
    files = sorted(os.path.join(root, name) for root, _, names in os.walk(bundle) for name in names if not name.endswith(".evtx"))
    for file in files:
        whole = open(file, "rb").read()
        offsets = [e["offset"] + e["length"] for e in events(file)]
        for i in range(1, 13):
            n = len(whole) * i // 13
            cut = write(os.path.join("cut", os.path.basename(file)), whole[:n])
            found = [e["offset"] + e["length"] for e in events(cut)]
            stays = [o for o in offsets if o + 600 < n]
            check(set(stays) <= set(found) or "Certificate" in file, f"{file} cut at {n}: {len(found)} of {len(stays)}")
        for i in range(16):
            at, bit = (i * 7919) % len(whole), i % 8
            flipped = bytearray(whole)
            flipped[at] ^= 1 << bit
            result = run("inspect", write(os.path.join("flip", os.path.basename(file)), bytes(flipped)))
            check(result.code in (0, 3, 4) and "Sanitizer" not in result.notes, f"{file}: bit {bit} at {at}", result)


def main():
    if not os.path.exists(FIXTURES):
        skip("no fl-fixtures")
    bundle = build(os.path.join(SCENARIOS, "tool-output.scn"), path("tools"))[0]
    languages()
    place(bundle)
    inspect(bundle)
    other_text()
    concatenated()
    damage()
    finish()


main()
