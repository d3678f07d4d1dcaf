"""Registry values: the same facts from every form, nothing silently lost, and clear words about damage."""
import json
import os
import re
import subprocess

from tool import FIXTURES, build, check, finish, path, run, skip, write

SCENARIO = r"""title "one registry, five files"
base 2026-03-10T08:00:00Z
machine SRV01 role=server
%s
bundle b dir of SRV01
"""
KEYS = r"""key @TS on SRV01 fDenyTSConnections=1 Path="C:\\x" Strings:multi="a|b" Big:qword=0x100000001 "Two words"=x
key @RDP-Tcp on SRV01 PortNumber=3390 SSLCertificateSHA1Hash:bin=A0B1C2D3E4F5060708090A0B0C0D0E0F10111213
key "@Schannel\Protocols\TLS 1.0\Client" on SRV01 Enabled=0xffffffff DisabledByDefault=0
key "@Services\TermService" on SRV01 Start=4
key "@Lsa\MSV1_0" on SRV01 RestrictSendingNTLMTraffic=2
"""
FORMS = {
    "reg": ("", "reg"), "reg, UTF-8": ("encoding=utf8", "reg"), "reg4": ("form=reg4", "reg"), "query": ("form=query", "txt"),
    "query, German": ("form=query lang=de", "txt"), "query, UTF-16": ("form=query encoding=utf16", "txt"),
    "hive": ("form=hive", "hiv"), "hive, dirty": ("form=hive dirty=yes", "hiv"),
}


def made(name, lines):
    folder = path(name)
    build(write(name + ".scn", SCENARIO % lines), folder)
    return os.path.join(folder, "b")


def facts(file):
    result = run("export", "--quiet", file)
    return [json.loads(line) for line in result.text.splitlines()], result


def told(file):
    """What the facts of a file say, without where they stand; Select is a hive's own."""
    return sorted((json.dumps(fact["data"], sort_keys=True), fact["kind"]) for fact in facts(file)[0]
                  if "Select" not in fact["data"].get("key", ""))


def same_from_every_form():
    expected = None
    for number, (form, (options, end)) in enumerate(FORMS.items()):
        file = os.path.join(made(f"form{number}", f"registry R on SRV01 {options}\n{KEYS}"), f"SRV01_R.{end}")
        found = told(file)
        expected = expected or found
        check(len(found) == 11 and found == expected, f"{form}: {len(found)} facts, not those of the export: {found[:2]}")
        renamed = write(f"renamed{number}.bin", open(file, "rb").read())
        check(told(renamed) == found, f"{form}: another name makes other facts")
    values = {fact["setting"]: fact for fact in (json.loads(text) for text, kind in expected if kind == "setting.rdp")
              if "setting" in fact}
    check(values["fDenyTSConnections"]["value"] == 1 and values["fDenyTSConnections"]["layer"] == "local", "a number, local")
    check(values["PortNumber"]["listener"] == "RDP-Tcp", "the listener is told")
    check(values["SSLCertificateSHA1Hash"]["value"] == "a0b1c2d3e4f5060708090a0b0c0d0e0f10111213", "a thumbprint is lower case")
    check(values["ServiceStart"]["service"] == "TermService", "the service is told")
    schannel = [json.loads(text) for text, _ in expected if "SchannelProtocol" in text]
    check({(f["protocol"], f["side"], f.get("enabled"), f.get("disabled_by_default")) for f in schannel} ==
          {("TLS 1.0", "client", 1, None), ("TLS 1.0", "client", None, 0)}, f"SCHANNEL: {schannel}")


def places():
    """`show` finds each fact again, at bytes that hold its name."""
    for options, end, codec in (("", "reg", "utf-16-le"), ("form=hive", "hiv", "latin-1"), ("form=query", "txt", "latin-1")):
        file = os.path.join(made("place" + end, f"registry R on SRV01 {options}\n{KEYS}"), f"SRV01_R.{end}")
        data = open(file, "rb").read()
        for fact in facts(file)[0]:
            bytes_of = data[fact["offset"]:fact["offset"] + fact["length"]].decode(codec, "replace")
            check(fact["data"]["name"] in bytes_of, f"{end}: {fact['data']['name']} is not at {fact['offset']}")
        shown = run("show", f"{os.path.basename(file)}@{fact['offset']}", file)
        check(shown.code == 0 and "faultline-state" in shown.text, f"{end}: show finds the fact", shown)


def hand_written():
    """What no writer of ours makes: odd spaces, comments, open quotes, broken lines, other texts around."""
    file = write("odd.txt", "noise\r\n\r\nWindows Registry Editor Version 5.00\r\n; a comment\r\n"
                 "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server]\r\n"
                 "  \"fDenyTSConnections\" = dword:1 \r\n\"a\\\\\\\"b\"=\"x\"\r\n\"two\"=\"line\r\nlines\"\r\n\"open\"=\"never closed\r\n"
                 "[HKEY_CURRENT_USER\\Software\\X]\r\n\"cut\"=hex:01,02,\\\r\n\"next\"=dword:00000005\r\n\"bad\"=dword:zz\r\n"
                 "\"typed\"=str(2):\"%x%\"\r\n\"odd\"=hex(18):01\r\n@=-\r\n[no key]\r\n\"lost\"=dword:1\r\n")
    found, result = facts(file)
    names = {fact["data"].get("name", "@"): fact["data"] for fact in found}
    check(names["fDenyTSConnections"]["value"] == 1, "blanks do not matter", result)
    check(names['a\\"b']["value"] == "x" and names["two"]["value"] == "line\nlines", "escapes and line ends in texts", result)
    check(names["open"].get("is_cut") and names["cut"].get("is_cut"), "what does not end is cut, and says so", result)
    check(names["next"]["value"] == 5 and names["next"]["key"] == "HKCU\\Software\\X", "the next value is not eaten", result)
    check(names["typed"]["type"] == "REG_EXPAND_SZ" and names["odd"]["type"] == "REG_0x18", "types by number", result)
    check(names["@"]["deleted"] is True, "a deleted default value", result)
    check("lost" not in names and "bad" not in names, "values without a key or with bad numbers are none", result)
    inspected = run("inspect", file)
    check(re.search(r"cannot be read: 2\b", inspected.text) and inspected.code == 3, "they are counted", inspected)


def power_shell():
    text = ("\r\n\r\nfDenyTSConnections : 0\r\nName               : caf\u00e9\r\n"
            "PSPath             : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal\r\n"
            "                     Server\r\nPSChildName        : Terminal Server\r\n\r\n")
    for encoding in ("utf-16", "utf-8", "cp1252"):
        found, result = facts(write(f"ps-{encoding}.txt", text.encode(encoding)))
        check([fact["data"]["value"] for fact in found] == [0, "caf\u00e9"], f"{encoding}: both values", result)
        check(found and found[0]["data"].get("setting") == "fDenyTSConnections", f"{encoding}: the key is put together", result)


def among_other_outputs():
    netstat = ("Proto  Local Address          Foreign Address        State           PID\r\n"
               "  TCP    0.0.0.0:3389           0.0.0.0:0              LISTENING       1204\r\n\r\n")
    query = ("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\r\n"
             "    fDenyTSConnections    REG_DWORD    0x1\r\n\r\n")
    for name, text in (("front", netstat + query), ("between", netstat + query + netstat), ("twice", netstat + query + netstat + query)):
        found, result = facts(write(f"mix-{name}.txt", text))
        kinds = [fact["kind"] for fact in found]
        wanted = text.count("LISTENING"), text.count("REG_DWORD")
        check((kinds.count("state.listener"), kinds.count("setting.rdp")) == wanted, f"{name}: both outputs are read", result)


def rdp_files():
    text = "screen mode id:i:2\r\nfull address:s:[2001:db8::5]:3391\r\ndomain:s:B\u00fcro\r\npassword 51:b:0102\r\nserver port:i:3390\r\n"
    for encoding in ("utf-16", "utf-8", "utf-8-sig", "cp1252"):
        found, result = facts(write(f"x-{encoding}.rdp", text.encode(encoding)))
        by_name = {fact["data"]["name"]: fact["data"] for fact in found}
        check(len(found) == 5 and by_name["domain"]["value"] == "B\u00fcro", f"{encoding}: all lines", result)
        check((by_name["full address"]["server"], by_name["full address"]["port"]) == ("2001:db8::5", 3391), f"{encoding}: the target")
        check(by_name["password 51"]["value"] == "(withheld)" and by_name["server port"]["value"] == 3390, f"{encoding}: values")
    check(run("inspect", write("notes.txt", "a:b:c\nname:x:y\n")).text.count("setting") == 0, "not every colon makes an .rdp file")


def hives():
    file = os.path.join(made("hive", f"registry R on SRV01 form=hive\n{KEYS}"), "SRV01_R.hiv")
    data = open(file, "rb").read()
    whole = told(file)
    result = run("export", "--quiet", "--engine", "own", file)
    check(result.code == 4, "no process, no hive", result)
    check("process" in run("inspect", "--engine", "own", file).text, "and that is said")
    changed = bytearray(data)
    changed[300] ^= 1
    check(told(write("sum.hiv", bytes(changed))) == whole, "a wrong checksum loses nothing")
    check(run("inspect", path("sum.hiv")).code == 3, "but is told")
    grown = data + data[4096:] + bytes(100)
    check(told(write("tail.hiv", grown)) == whole, "what lies behind the bins is not looked at")
    changed = bytearray(data)
    changed[4096:4100] = b"nobi"
    found, result = facts(write("bin.hiv", bytes(changed)))
    check(result.code in (3, 4) and "Sanitizer" not in result.notes, "the only bin is lost", result)
    log = run("inspect", write("SYSTEM.LOG1", data[:28] + b"\6\0\0\0" + data[32:]))
    check(log.code == 0 and "not replayed" in log.text, "changes beside a hive are named", log)
    short = run("inspect", write("short.hiv", data[:100]))
    check(short.code == 4 and "cut short" in short.text, "less than a header", short)
    other = run("inspect", os.path.join(made("none", "registry R on SRV01 form=hive root=HKLM\\X\nkey HKLM\\X\\Y on SRV01 a=1"),
                                        "SRV01_R.hiv"))
    check("none of the keys" in other.text, "a hive of nothing known says so", other)


def loops():
    """A key that is its own child, and lists that name the key again, end."""
    data = bytearray(open(os.path.join(path("hive"), "b", "SRV01_R.hiv"), "rb").read())
    spots = [at for at in range(4096, len(data) - 8) if data[at:at + 2] == b"lh"]
    check(len(spots) > 3, "the hive has lists")
    for spot in spots:
        changed = bytearray(data)
        for entry in range(int.from_bytes(changed[spot + 2:spot + 4], "little")):
            changed[spot + 4 + 8 * entry:spot + 8 + 8 * entry] = data[36:40]  # the root
        result = run("export", "--quiet", write("loop.hiv", bytes(changed)))
        check(result.code in (0, 3, 4) and "Sanitizer" not in result.notes, f"a loop at {spot} ends", result)


def foreign_readers():
    """regfexport and reglookup, where they are, read what our writer makes."""
    file = os.path.join(path("hive"), "b", "SRV01_R.hiv")
    for tool, mark in (("regfexport", "RestrictSendingNTLMTraffic"), ("reglookup", "RestrictSendingNTLMTraffic,DWORD,0x00000002")):
        try:
            done = subprocess.run([tool, file], capture_output=True, text=True, timeout=60)
        except FileNotFoundError:
            print(f"{tool} is not installed: our hives are not read by it")
            continue
        check(done.returncode == 0 and mark in done.stdout, f"{tool} reads our hive: {done.stderr[:300]}")


if not os.path.exists(FIXTURES):
    skip("fl-fixtures is not built")
for test in (same_from_every_form, places, hand_written, power_shell, among_other_outputs, rdp_files, hives, loops, foreign_readers):
    test()
finish()
