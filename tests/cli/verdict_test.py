"""Verdicts on small cases: what may be confirmed, what must stay open, and what the answer says.

Each case is a few lines on top of fixtures/scenarios/lib; goldens show whole reports, this shows many classes."""
import json
import os

from tool import FIXTURES, SCENARIOS, build, check, finish, path, run, skip, write

if not os.path.exists(FIXTURES):
    skip("no fl-fixtures")

LIB = os.path.relpath(os.path.join(SCENARIOS, "lib"), path(""))
HEAD = f"""use {LIB}/rdp.inc
base 2026-03-10T08:00:00Z
machine CLIENT07 role=client name=CLIENT07.contoso.example OFFSET
machine SRV01 role=server name=SRV01.contoso.example
log RDPClient on CLIENT07 first_id=412
log System on CLIENT07 from=t-2d to=t+2h first_id=20113 background=20
log RdpCoreTS on SRV01 first_id=51230
log RCM on SRV01 first_id=7741
log LSM on SRV01 first_id=2904
log System on SRV01 from=t-2d to=t+2h first_id=88120 background=40
log Security on SRV01 from=t-2d to=t+2h first_id=1204410 background=40
log Application on SRV01 from=t-2d to=t+2h first_id=30871 background=6
"""
PAIR = "H=SRV01 C=CLIENT07 target=srv01.contoso.example server=10.20.1.11 dom=CONTOSO"
ANNA = PAIR + r" ip=10.20.4.31 station=CLIENT07 name=anna acct=CONTOSO\anna sid=S-1-5-21-1004336348-1177238915-682003330-1107"
BEN = PAIR + r" ip=10.20.9.77 station=LAPTOP22 name=ben acct=CONTOSO\ben sid=S-1-5-21-1004336348-1177238915-682003330-1108"
START = "play host_start at=t-1d2h H=SRV01\n"
NO_ROLE = "play host_no_role at=t-1d1h59m56s H=SRV01\n"


def case(name, body, *words, of="both", without="", offset="", head=""):
    """Builds a case and returns its triage; ANNA and BEN in the body stand for the two users."""
    text = HEAD.replace("OFFSET", offset) + head + body.replace("ANNA", ANNA).replace("BEN", BEN)
    left_out = f" without={without}" if without else ""
    if of != "server":
        text += "\nbundle client.zip zip layout=msrd of CLIENT07\n"
    if of != "client":
        text += f"\nbundle server.zip zip layout=winevt{left_out} of SRV01\n"
    bundles = build(write(f"{name}.scn", text), path(name))
    result = run("triage", "--quiet", "--format", "json", *bundles, *words)
    check(result.code == 0, f"{name}: triage ends well", result)
    return Case(name, bundles, json.loads(result.text))


class Case:
    def __init__(self, name, bundles, answer):
        self.name, self.bundles, self.answer = name, bundles, answer
        self.verdict = answer["verdict"]

    def again(self, *words):
        result = run("triage", "--quiet", "--format", "json", *self.bundles, *words)
        check(result.code == 0, f"{self.name} {words}: triage ends well", result)
        return Case(f"{self.name} {' '.join(words)}", self.bundles, json.loads(result.text))

    def report(self, *words):
        return run("triage", "--quiet", *self.bundles, *words).text

    def first(self):
        return (self.verdict["hypotheses"] or [{"cause": "", "status": "none"}])[0]

    def of(self, cause):
        return next((h for h in self.verdict["hypotheses"] if h["cause"] == cause), None)

    def expect(self, status, cause=None):
        got = self.verdict["status"], self.first()["cause"]
        check(got[0] == status and cause in (None, got[1]), f"{self.name}: {got}, expected {status} {cause or ''}")
        return self

    def says(self, *words, sentence=False, absent=False):
        """Words of the whole answer, or of the sentence alone."""
        text = self.verdict["sentence"] if sentence else json.dumps(self.answer, ensure_ascii=False)
        for word in words:
            check((word in text) != absent, f"{self.name}: {'' if absent else 'no '}{word!r} in {self.verdict['sentence']!r}")
        return self

    def never(self, *causes, above="undecided"):
        """None of these causes may stand higher than `above`."""
        order = ["confirmed", "likely", "possible", "undecided"]
        for h in self.verdict["hypotheses"]:
            check(h["cause"] not in causes or order.index(h["status"]) >= order.index(above),
                  f"{self.name}: {h['cause']} is {h['status']}, at most {above} was expected")
        return self


# A refusal of another user in the same second, while nothing ties the client's attempt to one connection of the host.
for code, cause in ((9, "auth.no_right"), (7, "srv.denied"), (0x101, "lic.server_missing")):
    other = START + f"""
play host_to_licensing at=t-1s act=x1 n=51 port=50999 logon=0xa11f07 BEN
play host_refuses at=t+0.3s act=x1 code={code} hex={hex(code)} BEN
play client_fails at=t reason=2308 act=c1 ANNA
play host_accept at=t+120ms act=d1 n=52 port=50211 ANNA
t+131ms SRV01 evtx RdpCoreTS 141 InstanceID=52 activity=d1
play host_cut_early at=t+260ms H=SRV01 act=d1
"""
    found = case(f"another-users-{code}", other, "--symptom", f"0x904/{hex(code)}")
    found.never(cause).expect("undecided").says(f"The host sent {hex(code)} in attempt 1", sentence=True)


def taken(by, winner=True, reason=3):
    """Anna's session is told code 5 after 18 minutes; `by` says from where the next connection came."""
    lines = START + NO_ROLE + f"""
play session at=t act=c1 n=91 port=50911 session=2 logon=0xd41f07 ANNA
t+18m1.5s SRV01 evtx LSM 40 Session=2 Reason=5 activity=c1
play host_refuses at=t+18m1.51s act=c1 code=5 hex=0x5 H=SRV01
t+18m1.62s CLIENT07 evtx RDPClient 1026 Value={reason} activity=c1
t+18m1.7s SRV01 evtx LSM 24 User=CONTOSO\\anna SessionID=2 Address=10.20.4.31 activity=c1
t+18m1.72s SRV01 evtx Security 4779 AccountName=anna AccountDomain=CONTOSO LogonID=0xd41f07 SessionName=RDP-Tcp#91 ClientName=CLIENT07 ClientAddress=10.20.4.31
"""
    ip = by.split(" ip=")[1].split()[0]
    station = by.split(" station=")[1].split()[0]
    return lines + (f"""
play host_to_licensing at=t+18m act=l1 n=92 port=62004 logon=0xd8a130 {by}
play host_licensed at=t+18m673ms act=l1 H=SRV01
t+18m1.45s SRV01 evtx LSM 41 User=CONTOSO\\anna SessionID=2 activity=l1
play host_graphics at=t+18m1.9s act=l1 n=92 session=2 H=SRV01
t+18m2.2s SRV01 evtx Security 4778 AccountName=anna AccountDomain=CONTOSO LogonID=0xd41f07 SessionName=RDP-Tcp#92 ClientName={station} ClientAddress={ip}
t+18m2.4s SRV01 evtx LSM 25 User=CONTOSO\\anna SessionID=2 Address={ip} activity=l1
""" if winner else "")


# Code 5 is sent to whoever loses the session, also to a client that comes back by itself: the winner decides.
LAPTOP = ANNA.replace("10.20.4.31", "10.20.9.77").replace("station=CLIENT07", "station=LAPTOP22")
TABLET = ANNA.replace("station=CLIENT07", "station=TABLET9")
asks = ("--symptom", "0x3/0x5")
case("taken-by-laptop", taken(LAPTOP), *asks).expect("confirmed", "srv.taken_over")
case("taken-at-same-address", taken(TABLET), *asks).expect("confirmed", "srv.taken_over")
same = case("taken-by-itself", taken(ANNA), *asks).never("srv.taken_over").expect("undecided").says("came back by itself")
check(same.of("srv.taken_over")["against"], "taken-by-itself: what speaks against is shown")
case("taken-by-itself-904", taken(ANNA, reason=2308), "--symptom", "0x904").never("srv.taken_over")
case("taken-by-nobody", taken(ANNA, winner=False), *asks).expect("possible", "srv.taken_over")
case("taken-without-core", taken(LAPTOP), *asks, without="RdpCoreTS").expect("confirmed", "srv.taken_over")
case("taken-client-only", taken(LAPTOP), *asks, of="client").never("srv.taken_over", above="possible")

# What Schannel writes for another program says nothing of Remote Desktop; LSASS must speak in the attempt's seconds.
def tls(event, at="t+240ms"):
    return START + NO_ROLE + f"""
play client_fails at=t reason=2308 act=c1 ANNA
play host_accept at=t+120ms act=c1 n=11 port=50211 ANNA
{at} SRV01 evtx Schannel {event}
play host_cut_early at=t+260ms H=SRV01 act=c1
"""


KEY = "36870 Type=server ErrorCode=0x8009030d ErrorStatus=10001"
VERSION = "36871 Type=server ErrorState=10013"
asks = ("--symptom", "0x904")
for process in ("lsass", "lsass.exe", r'"C:\Windows\System32\lsass.exe"', "svchost.exe", '""'):
    word = f" CallerProcessImageName={process}"
    case("tls-key", tls(KEY + word), *asks).expect("confirmed", "tls.machinekeys")
    case("tls-version", tls(VERSION + word), *asks).expect("confirmed", "tls.version_cipher")
for process in ("w3wp.exe", "MonitoringHost.exe", "sqlservr.exe"):
    word = f" CallerProcessImageName={process}"
    case("tls-key-alien", tls(KEY + word), *asks).expect("undecided").never("tls.machinekeys")
    for event in (VERSION, "36874 Protocol='TLS 1.0'", "36888 AlertDesc=70 ErrorState=1203"):
        case("tls-alien", tls(event + word), *asks).expect("undecided").never("tls.version_cipher")
late = tls(KEY + " CallerProcessImageName=lsass", at="t+9s").replace("t+260ms", "t+10s")
late = case("tls-key-late", late, *asks, of="server").never("tls.machinekeys", above="likely")
check("but not of its connection" in str(late.of("tls.machinekeys")["for"]), "tls-key-late: the record counts")

# A few strangers, or many from inner addresses, are not what a healthy case is about.
SESSION = """
play session at=t act=c1 n=98 port=50313 session=2 logon=0x9a4f21 ANNA
play session_closed at=t+47m act=c1 n=98 session=2 logon=0x9a4f21 ANNA
"""
FEW = "play scan at=t-50m count=4 every=83s H=SRV01 act=scan$i n=${i+100} ip=203.0.113.${i*7%13+40} port=${i*173+40009} name=admin$i station=-\n"
INNER = "play scan at=t-50m count=30 every=83s H=SRV01 act=scan$i n=${i+100} ip=10.99.3.${i*7%13+40} port=${i*173+40009} name=administrator station=-\n"
for of in ("both", "server"):
    case(f"few-strangers-{of}", START + NO_ROLE + FEW + SESSION, of=of).expect("no_failure_seen")
    case(f"inner-strangers-{of}", START + NO_ROLE + INNER + SESSION, of=of).expect("no_failure_seen")
named = case("named-stranger", START + NO_ROLE + INNER + SESSION, "--user", r"CONTOSO\administrator", of="server")
named.expect("confirmed", "auth.bad_creds")
# Users who are refused under names of their own are no strangers: their domain controller may be out.
OUTAGE = INNER.replace("name=administrator", "name=user$i")
case("outage", START + NO_ROLE + OUTAGE + SESSION, of="server").expect("confirmed", "auth.bad_creds")

# Whose log is in the case and covers the time, the failures of others are not his.
OTHERS = """
play scan at=t+20m H=SRV01 act=b1 n=99 ip=10.20.9.77 port=40009 name=ben station=LAPTOP22
t+3h CLIENT07 evtx RDPClient 1024 Value=fs02.contoso.example activity=c7
t+3h1s CLIENT07 evtx RDPClient 1026 Value=516 activity=c7
"""
own = START + NO_ROLE + SESSION + OTHERS
found = case("others", own, "--server", "SRV01").expect("no_failure_seen").says("Of other clients", sentence=True)
found.again("--user", "ben").expect("confirmed", "auth.bad_creds")
found.again("--client", "10.20.9.77").expect("confirmed", "auth.bad_creds")
case("others-server-only", own, of="server").expect("confirmed", "auth.bad_creds")

# A connection that had ended before the client dialled is not the client's.
ENDED = START + """
play host_to_licensing at=t-1s act=x1 n=51 port=50999 logon=0xa11f07 BEN
play host_licensed at=t-0.3s act=x1 H=SRV01
play host_refuses at=t+0.3s act=x1 code=9 hex=0x9 BEN
play client_fails at=t+5s reason=2308 act=c1 ANNA
"""
case("ended-before", ENDED, "--symptom", "0x904").expect("undecided").never("auth.no_right")

# A question that nothing fits is not answered by the health of the rest; an attempt asked for is answered itself.
PROBE = """
play client_fails at=t-30s act=p1 reason=263 ANNA
play host_probe at=t-29.9s act=p1 n=97 port=50311 ANNA
"""
healthy = case("healthy", START + NO_ROLE + PROBE + SESSION).expect("no_failure_seen")
for words in (("--client", "NOPE"), ("--server", "NOPE"), ("--attempt", "99"), ("--at", "2026-03-10T18:00:00Z")):
    found = healthy.again(*words).expect("undecided")
    check("fits what was asked" in found.verdict["sentence"] or "There is no attempt 99" in found.verdict["sentence"], f"{words}: {found.verdict['sentence']}")
healthy.again("--attempt", "1").expect("no_failure_seen").says("Attempt 1", "first leg", sentence=True)
healthy.again("--attempt", "2").expect("no_failure_seen").says("Attempt 2", "orderly", sentence=True)
check("Error 0x107" not in healthy.report("--attempt", "1"), "a first leg's code is no error in the title")

# The title names no cause under a code that the attempt did not end with.
asked = case("asked-other", tls(KEY + " CallerProcessImageName=lsass"), "--symptom", "0x204").expect("likely")
asked.says("a decisive fact shows it, but this speaks against it: the code in question is 0x204", sentence=True)
title = asked.report("--symptom", "0x204").splitlines()[0]
check("attempt 1 ended with 0x904" in title and "Error 0x204 - " not in title, f"the title {title!r}")
# What a client sees by itself needs no other side.
NAME = "t CLIENT07 evtx RDPClient 1024 Value=srv07 activity=c9\nt+4s CLIENT07 evtx RDPClient 1026 Value=260 activity=c9\n"
case("name-alone", NAME, "--symptom", "0x104", of="client").expect("likely", "net.dns")
# The host by its address, and what was pasted instead of a code.
denied = START + """
play client_signs_in at=t act=c1 ANNA
play host_to_licensing at=t+120ms act=c1 n=51 port=50611 logon=0xa11f07 ANNA
play host_licensed at=t+793ms act=c1 H=SRV01
play host_refuses at=t+1.62s act=c1 code=7 hex=0x7 H=SRV01
t+1.71s CLIENT07 evtx RDPClient 1026 Value=2308 activity=c1
"""
found = case("denied", denied, "--symptom", "Extended error code: 0x7\nError code: 0x904").expect("confirmed", "srv.denied")
found.again("--server", "10.20.1.11").expect("confirmed", "srv.denied")
found.again("--symptom", "An internal error has occurred.").expect("confirmed", "srv.denied").says("names no code", sentence=True)
found.again("--symptom", "it just does not work").says("holds no code that is known", sentence=True)
found.again("--symptom", "error 2308").expect("confirmed", "srv.denied")

def refused(at="t", dial="c1", code=7, hex="0x7"):
    return f"""
play client_signs_in at={at} act={dial} ANNA
play host_to_licensing at=t+120ms act=c1 n=51 port=50611 logon=0xa11f07 ANNA
play host_licensed at=t+793ms act=c1 H=SRV01
play host_refuses at=t+1.62s act=c1 code={code} hex={hex} H=SRV01
t+1.71s CLIENT07 evtx RDPClient 1026 Value=2308 activity={dial}
"""


# Another user's session goes on beside the attempt; an address known from yesterday decides as well.
BUSY = "play host_session at=t-4s act=b1 n=50 port=50102 session=5 logon=0x9c0012 BEN\n"
YESTERDAY = """
play session at=t-1d act=y1 n=2 port=49873 session=2 logon=0x71b20c ANNA
play session_closed at=t-22h act=y1 n=2 session=2 logon=0x71b20c ANNA
"""
# Here the other's connection dies in the same seconds, so that it does not tell itself apart.
CUT = """
play host_accept at=t-1s act=b1 n=50 port=50102 BEN
play host_cut_early at=t+1s H=SRV01 act=b1
"""
asks = ("--symptom", "0x904")
case("busy", START + BUSY + refused(dial="zz"), *asks).expect("confirmed", "srv.denied")
case("known-address", START + YESTERDAY + CUT + refused(dial="zz"), *asks).expect("confirmed", "srv.denied")

# A clock that is minutes off, and only one pair left: possible, and the assumption is named.
skewed = case("skewed", START + refused(dial="zz"), *asks, offset="offset=+4m10s").expect("possible", "srv.denied")
skewed.says("is assumed", "4 min", sentence=True)
skewed.again("--symptom", "0x904/0x7").expect("likely", "srv.denied").says("is assumed", sentence=True)
two = START + refused(dial="zz") + "play host_accept at=t+2m act=d1 n=52 port=50700 BEN\nplay host_cut_early at=t+2m100ms H=SRV01 act=d1\n"
case("skewed-two", two, "--symptom", "0x904/0x7", offset="offset=+4m10s").expect("undecided").says("The host sent 0x7 in attempt", sentence=True)

# The service crashes: the language of Windows, a record without the key, the crash report alone; and the host dies.
APP = ("t+25m SRV01 evtx AppError 1000 application=svchost.exe_TermService version=10.0.20348.1 module=termsrv.dll "
       "module_version=10.0.20348.1 code=c0000005 offset=000000000003e6f1 pid=49c path='C:\\\\Windows\\\\System32\\\\svchost.exe'\n")
OPEN = START + NO_ROLE + "play session at=t act=c1 n=91 port=50911 session=2 logon=0xd41f07 ANNA\n"
GONE = "t+25m1s CLIENT07 evtx RDPClient 1026 Value=2308 activity=c1\n"


def scm(name, more=""):
    return f't+25m600ms SRV01 evtx SCM 7031 param1="{name}" {more}\n'


for name in ("Remote Desktop Services", "Remotedesktopdienste", "Services Bureau \u00e0 distance", "Servicios de Escritorio remoto"):
    case("crash-by-name", OPEN + scm(name) + GONE, "--symptom", "0x904").expect("confirmed", "srv.process_crash")
case("crash-by-key", OPEN + scm("whatever", "Binary:bin16=TermService"), of="server").expect("confirmed", "srv.process_crash")
case("crash-of-another", OPEN + scm("Print Spooler", "Binary:bin16=Spooler") + GONE, "--symptom", "0x904").expect("undecided")
case("crash-report", OPEN + APP + GONE, "--symptom", "0x904").expect("likely", "srv.process_crash")
case("crash-report-only", OPEN + APP + GONE, "--symptom", "0x904", without="System").expect("confirmed", "srv.process_crash")
case("crash-early", OPEN + APP.replace("t+25m", "t+9m") + GONE, "--symptom", "0x904").never("srv.process_crash", above="possible")
DEAD = """
t+25m SRV01 evtx KernelPower 41 BugcheckCode=209
t+25m1s SRV01 evtx EventLog 6008
"""
dead = case("dead", OPEN + DEAD, of="server").expect("likely", "srv.bugcheck").says("24 min 59 s", sentence=True)

# Two facts that stand together make a cause likely, where the host's own code is not in the case.
def licence(code="0xd0000001", number="-805306367", reason=2308):
    return START + f"""
play client_signs_in at=t act=c1 ANNA
play host_to_licensing at=t+120ms act=c1 n=71 port=50711 logon=0xb21f07 ANNA
t+1.4s SRV01 evtx TermService 1128
play host_refuses at=t+1.45s act=c1 code={number} hex={code} H=SRV01
t+1.52s CLIENT07 evtx RDPClient 1026 Value={reason} activity=c1
"""


case("licence-904", licence(), "--symptom", "0x904/0x0").expect("likely", "lic.server_missing")
case("licence-no-core", licence("0x101", "257", 2056), "--symptom", "0x808/0x101", without="RdpCoreTS").expect("likely", "lic.server_missing")
DRAIN = r"t+1.6s SRV01 evtx TermService 1070 account=CONTOSO\\anna" + "\n"
case("drain-no-core", START + refused() + DRAIN, "--symptom", "0x904/0x7", without="RdpCoreTS").expect("likely", "srv.denied")
case("drain-of-ben", START + refused() + DRAIN.replace("anna", "ben"), "--symptom", "0x904/0x7", without="RdpCoreTS").never("srv.denied", above="possible")

# The host's log disproves the code of the dialog; a connection that never was has no TLS to fail.
for code, number in (("0x0", "0"), ("0xd0000001", "-805306367")):
    found = case("disproved", START + refused(code=number, hex=code), "--symptom", "0x904/0x7").expect("undecided").never("srv.denied")
    found.says(f"disproves the extended code 0x7 for this attempt: the host sent {code}", sentence=True)
NEVER = "t CLIENT07 evtx RDPClient 1024 Value=srv01.contoso.example activity=c9\nt+21s CLIENT07 evtx RDPClient 1026 Value=516 activity=c9\n"
never = case("never-connected", START + NO_ROLE + NEVER, "--symptom", "0x204")
check(not never.of("tls.machinekeys") and not never.of("tls.version_cipher"), "no TLS cause for 0x204")

# What to collect: what is missing of these seconds first, and no log that is there.
def collected(of):
    return "\n".join(of.verdict["collect"])


whole = case("collect-whole", START + NO_ROLE + "play client_fails at=t reason=2308 act=c1 ANNA\nplay host_accept at=t+120ms act=c1 n=11 port=50211 ANNA\nplay host_cut_early at=t+260ms H=SRV01 act=c1\n", "--symptom", "0x904")
for line in whole.verdict["collect"]:
    is_log = line.startswith(("Host: System (", "Host: Microsoft", "Client: Microsoft")) and ";" not in line.split(")")[-1]
    is_log = is_log and "WLAN" not in line  # which is not there
    check(not is_log, f"a log that is there: {line}")
check("certutil" in collected(whole), "commands stay")
gap = START + NO_ROLE + "gap 400 System on SRV01 at=t-10m\nplay client_fails at=t reason=2308 act=c1 ANNA\nplay host_accept at=t+120ms act=c1 n=11 port=50211 ANNA\nplay host_cut_early at=t+260ms H=SRV01 act=c1\n"
gap = case("collect-gap", gap, "--symptom", "0x904")
check(gap.verdict["collect"][0].startswith("System of SRV01.contoso.example: records between 2026-03-10 07:"), f"{gap.verdict['collect'][0]}")
gap.again("--user", "NOBODY").says("that it is NOBODY's is not shown", sentence=True)
finish()
