"""Attempts through gateway and broker: whose record is whose, what is shown, and how they ended."""
import json
import os
import random

from tool import FIXTURES, SCENARIOS, build, check, finish, path, run, skip, write

if not os.path.exists(FIXTURES):
    skip("no fl-fixtures")

LIB = os.path.relpath(os.path.join(SCENARIOS, "lib"), path(""))
HEAD = f"""use {LIB}/rdp.inc
base 2026-03-10T08:00:00Z
machine CLIENT07 role=client name=CLIENT07.contoso.example
machine GW01 role=gateway name=GW01.contoso.example
machine SRV01 role=server name=SRV01.contoso.example
log RDPClient on CLIENT07 first_id=412
log RDGW on GW01 first_id=90
log RdpCoreTS,RCM,LSM on SRV01 first_id=51230
log System on SRV01 from=t-2d to=t+2h first_id=88120 background=20
log Security on SRV01 from=t-2d to=t+2h first_id=1204410 background=20
"""
INNER = "H=SRV01 C=CLIENT07 target=srv01.contoso.example server=10.20.1.11 ip=10.20.1.9 station=CLIENT07 name=anna dom=CONTOSO acct=CONTOSO\\anna sid=S-1-5-21-1004336348-1177238915-682003330-1107"
GATE = """
t-4s    GW01 evtx RDGW 312 Username=anna IpAddress=198.51.100.77:60120 activity=g0
t-1.5s  GW01 evtx RDGW 312 Username=anna IpAddress=198.51.100.77:60122 activity=g1
t-1.2s  GW01 evtx RDGW 200 Username=CONTOSO\\anna IpAddress=198.51.100.77 activity=g1
t-1.1s  GW01 evtx RDGW 300 Username=CONTOSO\\anna IpAddress=198.51.100.77 Resource=srv01.contoso.example activity=g1
t-100ms GW01 evtx RDGW 302 Username=CONTOSO\\anna IpAddress=198.51.100.77 Resource=srv01.contoso.example activity=g1
"""
END = "t+20m1s GW01 evtx RDGW 303 Username=CONTOSO\\anna IpAddress=198.51.100.77 Resource=srv01.contoso.example BytesReceived=391624 BytesTransfered=8241242 SessionDuration=1201 ErrorCode={code} activity=g1\n"
HOST = f"""
play host_session at=t act=h1 n=51 port=50611 session=4 logon=0xa11f07 {INNER}
play host_close at=t+20m act=h1 n=51 session=4 logon=0xa11f07 {INNER.replace("10.20.1.9", "192.168.7.20")}
"""
DIAL = """
play client_begin at=t-2s act=c1 C=CLIENT07 target=srv01.contoso.example
t+1s CLIENT07 evtx RDPClient 1027 DomainName=CONTOSO SessionId=4 activity=c1
t+20m200ms CLIENT07 evtx RDPClient 1026 Value=1 activity=c1
"""


def triage(name, body, *words, of="CLIENT07 GW01 SRV01"):
    bundles = build(write(f"{name}.scn", HEAD + body + f"\nbundle case.zip zip layout=winevt of {of}\n"), path(name))
    result = run("triage", "--quiet", "--format", "json", *bundles, *words)
    check(result.code in (0, 3), f"{name}: triage ends well", result)  # 3: logs without records
    answer = json.loads(result.text)
    answer["report"] = run("triage", "--quiet", *bundles, *words).text
    return answer


def only(answer, name, n=1):
    tried = [a for a in answer["attempts"] if a["outcome"] != "probe"]
    check(len(tried) == n, f"{name}: {n} attempts, not {[(a['outcome'], a['start']) for a in answer['attempts']]}")
    return tried[-1]


# All three machines: one attempt, the gateway's address is not the client's.
whole = triage("whole", GATE + HOST + DIAL + END.format(code=1226))
a = only(whole, "whole")
check((a["outcome"], a["ended_by"], a["reached"]) == ("ended", "client", "session"), f"whole: {a['outcome']} {a['ended_by']}")
check(a["gateway"]["name"] == "GW01.contoso.example" and a["gateway"]["state"] == "disconnected" and a["gateway"]["code"] == 1226, str(a["gateway"]))
check((a["gateway"]["received"], a["gateway"]["sent"], a["gateway"]["duration_s"]) == (391624, 8241242, 1201), str(a["gateway"]))
check(a["client"]["name"] == "CLIENT07.contoso.example" and a["server"]["name"] == "SRV01.contoso.example" and a["user"], str(a["client"]))
check(a["udp"] is False and a["target"] == "srv01.contoso.example", f"udp {a['udp']}, target {a['target']}")
check(whole["verdict"]["status"] == "no_failure_seen", f"whole: {whole['verdict']['sentence']}")
sources = {e["source"].rsplit("/", 1)[-1].split("%")[0] for e in a["events"]}
check(len(sources) >= 5, f"whole: records of all machines: {sources}")
again = triage("whole-order", END.format(code=1226) + DIAL + HOST + GATE, of="SRV01 CLIENT07 GW01")
check(only(again, "order")["gateway"] == a["gateway"], "the order of the machines does not matter")

# Gateway and host without the client; the gateway alone; each end of it.
a = only(triage("no-client", GATE + HOST + END.format(code=1226), of="GW01 SRV01"), "no-client")
check(a["gateway"] and a["reached"] == "session" and a["client"]["name"] == "198.51.100.77", f"no-client: {a['client']}")
for code, outcome in ((1226, "ended"), (0, "ended"), (64, "lost")):
    a = only(triage(f"gateway-{code}", GATE + END.format(code=code), of="GW01"), f"gateway-{code}")
    check((a["outcome"], a["ended_by"], a["reached"], a["user"]) == (outcome, None, "tcp", "anna"), f"gateway {code}: {a['outcome']} {a['ended_by']} {a['user']}")
begun = only(triage("begun", END.format(code=1226), of="GW01"), "begun")
check(begun["start"].startswith("2026-03-10T08:00:00"), f"the start comes from the duration: {begun['start']}")
REFUSED = GATE.split("t-1.2s")[0] + "t-1.2s GW01 evtx RDGW 201 Username=CONTOSO\\anna IpAddress=198.51.100.77 activity=g1\n"
refused = triage("refused", REFUSED, of="GW01")
a = only(refused, "refused")
check((a["outcome"], a["ended_by"], a["gateway"]["code"]) == ("failed", "gateway", 23003), f"refused: {a['outcome']} {a['ended_by']}")
check("it refused the user, error 23003" in refused["report"], "the report says so")

# The client's code is one of a gateway: joined by time where the gateway knows no target.
CODE = "t-3s CLIENT07 evtx RDPClient 1024 Value=srv01.contoso.example activity=c1\nt-500ms CLIENT07 evtx RDPClient 1026 Value=50331676 activity=c1\n"
a = only(triage("refused-dial", REFUSED + CODE, of="CLIENT07 GW01"), "refused-dial")
check(a["code"] == "0x300001c" and a["gateway"]["state"] == "refused" and a["ended_by"] == "gateway", f"refused-dial: {a['gateway']}")
a = only(triage("code-alone", CODE, of="CLIENT07"), "code-alone")
check(a["gateway"] == {"name": None, "state": None, "code": None, "protocol": None, "duration_s": None, "received": None, "sent": None}, str(a["gateway"]))
# A direct dial beside somebody else's way through the gateway is not his.
OTHER = CODE.replace("50331676", "2308").replace("srv01", "srv02")
check(len([x for x in triage("other", GATE + END.format(code=1226) + OTHER, of="CLIENT07 GW01")["attempts"] if x["gateway"] and x["code"]]) == 0, "other: not joined")

# The broker: what the host noted stands in its attempt; a refusal alone is an attempt of its own.
BROKER = "log BrokerClient on SRV01 first_id=70\nt-1s SRV01 evtx BrokerClient 1301 param1=CONTOSO\\anna\nt-900ms SRV01 evtx BrokerClient 1296 param1=CONTOSO\\anna param2=2147944122\n"
a = only(triage("broker", BROKER + HOST, of="SRV01"), "broker")
check(a["broker"] and a["broker"]["state"] == "not_ready", f"broker: {a['broker']}")
a = only(triage("broker-alone", "log BrokerClient on SRV01 first_id=70\nt SRV01 evtx BrokerClient 1306 param1=CONTOSO\\anna\n", of="SRV01"), "broker-alone")
check((a["outcome"], a["ended_by"], a["user"], a["broker"]["state"]) == ("failed", "broker", "anna", "failed"), f"broker-alone: {a['broker']} {a['user']}")

# What changed between the last good connection and the failure; noise is counted, not listed.
YESTERDAY = f"""
play host_session at=t-1d act=y1 n=11 port=50411 session=2 logon=0x71b20c {INNER}
play host_close at=t-22h act=y1 n=11 session=2 logon=0x71b20c {INNER}
"""
CHANGED = """
t-23h  SRV01 evtx WindowsUpdate 19 updateTitle="Cumulative Update before (KB5000001)" updateGuid=0f7cbe9c-2a27-4a39-9a4a-11c5f0b6f9d1
t-9h   SRV01 evtx WindowsUpdate 19 updateTitle="Cumulative Update (KB5122882)" updateGuid=0f7cbe9c-2a27-4a39-9a4a-11c5f0b6f9d2
t-8h   SRV01 evtx KernelGeneral 12 StartTime=t-8h
t-7h   SRV01 evtx WindowsUpdate 19 updateTitle="Sicherheitsinformationen (KB2267602)" updateGuid=0f7cbe9c-2a27-4a39-9a4a-11c5f0b6f9d3
t-6h   SRV01 evtx SCM 7045 ServiceName=FilterX ImagePath=filterx.sys ServiceType="kernel mode driver" StartType="boot start"
t-5h   SRV01 evtx GroupPolicy 1502 DCName=DC01
t-299m SRV01 evtx GroupPolicy 1502 DCName=DC01
t-4h   SRV01 evtx SCM 7040 param1="Remote Desktop Services" param2="auto start" param3=disabled param4=TermService
t-3h   SRV01 evtx KernelGeneral 1 NewTime=t-3h OldTime=t-3h1s
t-2h   SRV01 evtx KernelGeneral 1 NewTime=t-2h OldTime=t-3h
"""
FAILS = f"""
play host_accept at=t act=f1 n=51 port=50611 {INNER}
play host_cut_early at=t+200ms act=f1 H=SRV01
"""
changed = triage("changed", YESTERDAY + CHANGED + FAILS, of="SRV01")
what = changed["changes"]
check([x["what"] for x in what["items"]] == ["update", "restart", "service", "policy", "service", "clock"], f"changes: {[(x['what'], x['text']) for x in what['items']]}")
check(what["since_last_good"] and what["signature_updates"] == 1 and what["routine"] > 0, f"counted: {what['signature_updates']} {what['routine']}")
check(what["items"][3]["count"] == 2 and "KB5122882" in what["items"][0]["text"], "the policy is one change, the update is the later one")
check("What changed since it last worked" in changed["report"] and "Setup, Windows Firewall of SRV01" in changed["report"], "the report tells what changed and what it cannot see")
late = triage("changed-late", YESTERDAY + FAILS, "--attempt", "1", of="SRV01")
check(late["changes"] is None and late["compared"] is None, "nothing failed, nothing is asked")
never = triage("never", CHANGED + FAILS, of="SRV01")
check(not never["changes"]["since_last_good"] and len(never["changes"]["items"]) == 7, f"a week: {len(never['changes']['items'])}")

# The last good connection beside the failed one.
lines = {x["what"]: x for x in changed["compared"]["lines"]}
check(changed["compared"]["good"] == 1 and lines["session"]["now"] == "not reached" and not lines["session"]["same"], str(lines.get("session")))
check(lines["address"]["same"] and lines["tcp"]["same"] and lines["udp"]["same"], "address, TCP and UDP are the same")
check(never["compared"] is None, "nothing worked before")
check("Beside attempt 1, the last that worked" in changed["report"], "the report compares")
md = run("triage", "--quiet", "--format", "md", path("changed/case.zip")).text
check("## Beside attempt 1" in md and "## What changed since it last worked" in md, "Markdown has both")

# The client's log alone: undecided, the refusal first for code 7, and what would prove it.
def alone(code, *words):
    dial = f"t CLIENT07 evtx RDPClient 1024 Value=srv01.contoso.example activity=c1\nt+200ms CLIENT07 evtx RDPClient 1028 TraceMessage=true activity=c1\nt+410ms CLIENT07 evtx RDPClient 1026 Value={code} activity=c1\n"
    return triage(f"alone-{code}{len(words)}", dial, *words, of="CLIENT07")


refusal = alone(2308, "--symptom", "0x904/0x7")
check(refusal["verdict"]["status"] == "undecided" and refusal["verdict"]["hypotheses"][0]["cause"] == "srv.denied", refusal["verdict"]["sentence"])
wanted = refusal["verdict"]["collect"]
check([any(log in line for line in wanted[:3]) for log in ("RdpCoreTS", "System", "LocalSessionManager")] == [True] * 3, str(wanted[:3]))
check("SetErrorInfo(0x7)" in wanted[0] and "disprove" in wanted[0], wanted[0])
order = [refusal["report"].find(words) for words in ("the host refused the connection: code 7", "a proxy, gateway or inspecting firewall", "belong to different attempts")]
check(-1 not in order and order == sorted(order), f"the order of the hypotheses: {order}")
tls = [h for h in refusal["verdict"]["hypotheses"] if h["cause"].startswith("tls.")]
check(all(any("behind the TLS handshake" in e["text"] for e in h["against"]) for h in tls), "code 7 speaks against TLS")
for code, words in ((516, "stealth mode"), (264, "OnStartLicensing"), (3, "the extended code")):
    found = alone(code)
    check(found["verdict"]["status"] == "undecided" and "What would tell these apart" in found["report"] and words in found["report"], f"{code}: {found['verdict']['sentence']}")
    check("SetErrorInfo(0x7)" not in str(found["verdict"]["collect"]), f"{code}: 0x7 was not asked for")

# The order of what a host writes within one second is chance: neither the order of the records nor their times decide.
BURST = """SRV01 evtx RdpCoreTS 228 ErrorCode=7 activity=h1
SRV01 evtx RdpCoreTS 72 MethodName=PreDisconnect(7) activity=h1
SRV01 evtx RdpCoreTS 72 MethodName=SetErrorInfo(0x7) activity=h1
SRV01 evtx RdpCoreTS 103 ReasonCode=7 activity=h1
SRV01 evtx RdpCoreTS 143 error=64 activity=h1
SRV01 evtx RdpCoreTS 142 error=64 activity=h1
SRV01 evtx RdpCoreTS 226 activity=h1
SRV01 evtx RdpCoreTS 102 activity=h1
SRV01 evtx RdpCoreTS 72 MethodName="OnDisconnected(server initiated)" activity=h1"""
CUT = BURST.replace("ErrorCode=7", "ErrorCode=3489660929").replace("PreDisconnect(7)", "PreDisconnect(-805306367)").replace("0x7", "0xd0000001").replace("ReasonCode=7", "ReasonCode=14")
CLOSED = BURST.replace("ErrorCode=7", "ErrorCode=0").replace("PreDisconnect(7)", "PreDisconnect(0)").replace("0x7", "0x0").replace("ReasonCode=7", "ReasonCode=13") + "\nSRV01 evtx RdpCoreTS 107 activity=h1\nSRV01 evtx LSM 40 Session=4 Reason=0 activity=h1"
TO_LICENSING = f"play host_to_licensing at=t act=h1 n=51 port=50611 logon=0xa11f07 {INNER}\nplay host_licensed at=t+673ms act=h1 H=SRV01\n"
WHOLE = f"play host_session at=t act=h1 n=51 port=50611 session=4 logon=0xa11f07 {INNER}\n"


def told(answer):
    a = answer["attempts"][-1]
    first = answer["verdict"]["hypotheses"][:1]
    keys = ("outcome", "ended_by", "reached", "host_code", "end_reason_103", "socket_error", "session_reason", "udp")
    return answer["verdict"]["status"], [(h["cause"], h["score"]) for h in first], [a[key] for key in keys]


chance = random.Random(7)
for name, start, burst, at in (("refused", TO_LICENSING, BURST, "2"), ("cut", WHOLE, CUT, "600"), ("closed", WHOLE, CLOSED, "600")):
    lines, seen = burst.split("\n"), []
    for turn in range(9):
        same_time = turn % 2
        text = start + "".join(f"t+{at}s{0 if same_time else 40 * i}ms {line}\n" for i, line in enumerate(lines))
        seen.append(told(triage(f"order-{name}-{turn}", text, of="SRV01")))
        chance.shuffle(lines)
    check(all(one == seen[0] for one in seen), f"{name}: {[one for one in seen if one != seen[0]][:1]} is not {seen[0]}")
    check(seen[0][2][0] == {"refused": "failed", "cut": "lost", "closed": "ended"}[name], f"{name}: {seen[0]}")

# Strangers are counted and left out.
STORM = "play scan at=t-50m count=30 every=43s H=SRV01 act=scan$i n=${i+100} ip=203.0.113.${i*7%13+40} port=${i*173+40009} name=administrator station=-\n"
storm = triage("storm", STORM + HOST, of="SRV01")
check(storm["noise"] == 30 and storm["verdict"]["status"] == "no_failure_seen", f"{storm['noise']} strangers, {storm['verdict']['sentence']}")
check("30" in [line for line in storm["report"].splitlines() if "noise" in line or "stranger" in line or "scanner" in line][0], "the report counts the strangers")
finish()
