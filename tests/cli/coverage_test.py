"""What the logs cover, in report and JSON: ends, gaps, clears, logs that lack or are switched off."""
import json
import os

from tool import SCENARIOS, build, check, expect, finish, path, run, write

LIB = os.path.relpath(os.path.join(SCENARIOS, "lib"), path(""))
RDPCORE = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"
KEY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels"


def answers(bundles):
    answer = json.loads(expect(run("triage", "--quiet", "--format", "json", *bundles), 0).text)
    text = expect(run("triage", "--quiet", *bundles), 0, "What was read").text
    return answer, " ".join(text.split("What was read")[1].split())


def scenario(name):
    return answers(build(os.path.join(SCENARIOS, name + ".scn"), path(name)))


answer, text = scenario("demo")
for log in answer["coverage"]:
    check(log["first"] and log["last"] and log["first"] <= log["last"], f"{log['channel']} has ends")
check(len(answer["coverage"]) == 9 and text.count(" events 2026-") == 9, f"nine logs are told: {text}")
check(answer["lacking_logs"] == [], "and none lacks")
check("RdpCoreTS 446 events 2026-03-08 09:00 to 2026-03-10 08:06;" in text, text)

answer, text = scenario("cleared-log")
cleared = [log for log in answer["coverage"] if log["cleared"]]
check(cleared and ", cleared 2026-" in text, f"a clear is told: {text}")
answer, text = scenario("gap-in-log")
holed = [log for log in answer["coverage"] if log["gaps"]]
check(holed and " missing, 1 gap" in text, f"a gap is told: {text}")
answer, text = scenario("missing-server-log")
lacking = [(log["host"].split(".")[0], log["channel"], log["absent"], log["disabled"]) for log in answer["lacking_logs"]]
check(("SRV01", RDPCORE, True, False) in lacking and "; RdpCoreTS absent" in text, f"a log lacks: {lacking} {text}")

# The registry says that a channel is off: of the machine that it is of, and of the logs that matter alone.
body = f"""title "A channel is off"
use {LIB}/rdp.inc
use {LIB}/office.inc
log State on SRV01 first_id=1
play host_start at=t-1d23h H=SRV01
play tls_key_failure at=t+4s act=c1 n=61 port=50211 H=SRV01 C=CLIENT07 ip=10.20.4.31 target=srv01.contoso.example
t SRV01 evtx State 65001 key='{KEY}\\{RDPCORE}' name=Enabled value=0 filetime=0x7fffffffffffffff
t SRV01 evtx State 65001 key='{KEY}\\Microsoft-Windows-Kernel-Power/Thermal-Operational' name=Enabled value=0
t SRV01 evtx State 65001 key='{KEY}\\System' name=Enabled value=1
bundle all.zip zip layout=msrd%s of CLIENT07 SRV01
"""
for without, absent, words in (("", False, "; RdpCoreTS switched off when this was collected ["),
                               (" without=RdpCoreTS", True, "; RdpCoreTS absent, switched off when this was collected [")):
    name = f"off{len(without)}"
    answer, text = answers(build(write(f"{name}.scn", body % without), path(name)))
    check([(log["channel"], log["absent"], log["disabled"], len(log["events"])) for log in answer["lacking_logs"]] ==
          [(RDPCORE, absent, True, 1)], f"{name}: {answer['lacking_logs']}")
    check(words in text, f"{name}: {text}")
finish()
