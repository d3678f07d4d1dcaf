"""Forms of tools' output that scenarios do not write: other switches, other versions, missing parts."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tool import check, finish, run, write  # noqa: E402

HASH = "0123456789abcdef0123456789abcdef01234567"
FORMS = {
    "netstat of one file, with zones, names and words that nobody knows": ("""
  Proto  Local Address          Foreign Address        State
  TCP    [fe80::1%4]:3389       [fe80::2%4]:50123      ESTABLISHED
  TCP    srv01:ms-wbt-server    client7:50124          ESTABLISHED
  TCP    10.0.0.5:445           10.0.0.9:50125         WAAROMNIET      4
  TCP    0.0.0.0:80             0.0.0.0:0              LUISTEREN       4
""", [("state.connection", {"local_address": "fe80::1", "local_port": 3389, "remote_address": "fe80::2"}),
      ("state.connection", {"local_address": "srv01", "local_port": 3389, "remote_port": 50124}),
      ("state.connection", {"tcp_state": "WAAROMNIET", "pid": 4}),
      ("state.listener", {"address": "0.0.0.0", "port": 80, "pid": 4})]),
    "query user": (""" USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME
>administrator         rdp-tcp#2           2  Active          .  8/22/2026 11:04 AM
 anna                                      3  Disc      1+01:06  8/21/2026 1:22 PM
""", [("state.session", {"user": "administrator", "session_name": "rdp-tcp#2", "session_id": 2, "session_state": "active"}),
      ("state.session", {"user": "anna", "session_id": 3, "session_state": "disconnected"})]),
    "qwinsta with wider columns": (""" SESSIONNAME               USERNAME                 ID  STATE   TYPE        DEVICE
 services                                            0  Disc
>console                   Fidel                     1  Active
 rdp-tcp#5                                           2  ConnQ
""", [("state.session", {"session_name": "services", "session_id": 0}),
      ("state.session", {"session_name": "console", "user": "Fidel", "session_state": "active"}),
      ("state.session", {"session_name": "rdp-tcp#5", "session_state": "connected"})]),
    "tasklist /v": ("""
Image Name                     PID Session Name        Session#    Mem Usage Status          User Name                                              CPU Time Window Title
========================= ======== ================ =========== ============ =============== ================================================== ============ ========================================================================
mstsc.exe                     4711 RDP-Tcp#0                  2     45,678 K Running         CORP\\anna                                              0:00:12 srv01
""", [("state.process", {"process": "mstsc.exe", "pid": 4711, "session_id": 2, "memory_kib": 45678, "user": "CORP\\anna"})]),
    "certutil -v": (f"""My "Personal"
================ Certificate 0 ================
X509 Certificate:
Version: 3
Serial Number: 1a2b3c4d5e6f
Signature Algorithm:
    Algorithm ObjectId: 1.2.840.113549.1.1.11 sha256RSA
    Algorithm Parameters:
    05 00
Issuer:
    CN=Issuing CA
    DC=corp
  Name Hash(sha1): {HASH[::-1]}
  Name Hash(md5): 0123456789abcdef0123456789abcdef

 NotBefore: 13/01/2026 10:00
 NotAfter: 02/03/2026 10:00

Subject:
    CN=srv01.corp
  Name Hash(sha1): {HASH[::-1]}

Certificate Extensions: 2
    1.3.6.1.5.5.7.1.1: Flags = 0, Length = 9c
    Authority Information Access
        [1]Authority Info Access
             Alternative Name:
                  URL=http://pki.corp/ca.crt

Root Certificate: Subject matches Issuer
Key Id Hash(rfc-sha1): {HASH[::-1]}
Key Id Hash(sha1): {HASH[::-1]}
Cert Hash(md5): 0123456789abcdef0123456789abcdef
Cert Hash(sha1): {HASH}
Cert Hash(sha256): {HASH}{HASH[:24]}
  CERT_KEY_PROV_INFO_PROP_ID(2):
    Key Container = TSSecKeySet1
  Unique container name: f686aace6942fb7f7ceb231212eef4a4_e64079bf-f1d8-450e-ba59-2f4d921306df
    Provider = Microsoft Software Key Storage Provider
    ProviderType = 0
    Flags = 20 (32)
Missing stored keyset
CertUtil: -store command completed successfully.
""", [("state.certificate", {"issuer": "CN=Issuing CA, DC=corp", "subject": "CN=srv01.corp", "thumbprint": HASH, "store": "My",
                             "not_before": "2026-01-13T10:00:00.0000000Z", "not_after": "2026-03-02T10:00:00.0000000Z",
                             "has_private_key": False, "key_container": "TSSecKeySet1",
                             "key_provider": "Microsoft Software Key Storage Provider", "is_self_signed": False})]),
    "certutil -verifystore without a key": (f"""Remote Desktop
================ Certificate 0 ================
Serial Number: 1a2b3c4d5e6f
Issuer: CN=srv01.corp
 NotBefore: 2026-01-13 10:00
 NotAfter: 2026-07-13 10:00
Subject: CN=srv01.corp
Signature matches Public Key
Cert Hash(sha1): {HASH}
No key provider information
dwFlags = CA_VERIFY_FLAGS_CONSOLE_TRACE (0x20000000)
ChainFlags = CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT (0x40000000)
-------- CERT_CHAIN_CONTEXT --------
ChainContext.dwErrorStatus = CERT_TRUST_IS_UNTRUSTED_ROOT (0x20)
CertContext[0][0]: dwInfoStatus=10c dwErrorStatus=20
  Issuer: CN=srv01.corp
  NotBefore: 2020-01-13 10:00
  Subject: CN=srv01.corp
  Cert: {HASH[::-1]}
  Element.dwInfoStatus = CERT_TRUST_HAS_NAME_MATCH_ISSUER (0x4)
CertUtil: -verifystore command completed successfully.
My "Personal"
================ Certificate 0 ================
Serial Number: 1a2b3c4d5e6f
Issuer: CN=ca
 NotBefore: 2026-01-13 10:00
 NotAfter: 2026-07-13 10:00
Subject: CN=other
Cert Hash(sha1): {HASH}
CertUtil: -verifystore command completed successfully.
""", [("state.certificate", {"subject": "CN=srv01.corp", "thumbprint": HASH, "has_private_key": False, "key_container": None, "store": "Remote Desktop",
                             "not_before": "2026-01-13T10:00:00.0000000Z", "is_self_signed": True}),
      ("state.certificate", {"subject": "CN=other", "store": "My"})]),
    "certificates as a table": (f"""

   PSParentPath: Microsoft.PowerShell.Security\\Certificate::LocalMachine\\My

Thumbprint                                Subject
----------                                -------
{HASH.upper()}  CN=srv01.corp
""", [("state.certificate", {"thumbprint": HASH, "subject": "CN=srv01.corp", "store": "My"})]),
    "dates that could be either": (f"""Subject      : CN=a, OU=b,
               DC=corp
Issuer       : CN=ca
Thumbprint   : {HASH}
NotBefore    : 2/3/2026 1:00:00 PM
NotAfter     : 4/5/2026 12:00:00 AM
""", [("state.certificate", {"subject": "CN=a, OU=b, DC=corp", "not_before": "2026-02-03T13:00:00.0000000Z",
                             "not_after": "2026-04-05T00:00:00.0000000Z", "date_order_is_assumed": True})]),
    "wmic qfe list": ("""Caption                                     CSName  Description      HotFixID   InstallDate  InstalledBy          InstalledOn\r
http://support.microsoft.com/?kbid=5031364  SRV02   Security Update  KB5031364               NT AUTHORITY\\SYSTEM  10/25/2025\r
""", [("state.update", {"kb": "KB5031364", "installed_on": "2025-10-25T00:00:00.0000000Z"})]),
    "Get-HotFix as a list": ("""
Description         : Update
HotFixID            : KB5031364
InstalledBy         : NT AUTHORITY\\SYSTEM
InstalledOn         : 25.10.2025 00:00:00
""", [("state.update", {"kb": "KB5031364", "installed_on": "2025-10-25T00:00:00.0000000Z"})]),
    "ipconfig whose beginning is missing": ("""   Description . . . . . . . . . . . : vmxnet3
   Physical Address. . . . . . . . . : 00-50-56-01-02-03
   IPv4 Address. . . . . . . . . . . : 10.0.0.5(Preferred)
   Subnet Mask . . . . . . . . . . . : 255.255.255.0
   Default Gateway . . . . . . . . . :
   DNS Servers . . . . . . . . . . . : fe80::53%4
                                       10.0.0.2
PPP adapter Work VPN:

   Connection-specific DNS Suffix  . :
   Description . . . . . . . . . . . : Work VPN
   Physical Address. . . . . . . . . :
   IPv4 Address. . . . . . . . . . . : 172.16.0.9(Preferred)
   Subnet Mask . . . . . . . . . . . : 255.255.255.255
   Default Gateway . . . . . . . . . : 0.0.0.0
""", [("state.address", {"address": "10.0.0.5", "mask": "255.255.255.0", "dns": "fe80::53, 10.0.0.2", "is_vpn": False}),
      ("state.address", {"address": "172.16.0.9", "adapter": "PPP adapter Work VPN", "gateway": "0.0.0.0", "is_vpn": True})]),
    "ipconfig without /all, then /displaydns": ("""
Windows IP Configuration


Ethernet adapter Ethernet0:

   Connection-specific DNS Suffix  . : corp.example
   Link-local IPv6 Address . . . . . : fe80::1234%12
   IPv4 Address. . . . . . . . . . . : 10.0.0.5
   Subnet Mask . . . . . . . . . . . : 255.255.255.0
   Default Gateway . . . . . . . . . : 10.0.0.1

Windows IP Configuration

    www.example.com
    ----------------------------------------
    Record Name . . . . . : www.example.com
    Record Type . . . . . : 1
    Time To Live  . . . . : 64
    A (Host) Record . . . : 192.0.2.7
""", [("state.address", {"address": "fe80::1234", "gateway": "10.0.0.1"}),
      ("state.address", {"address": "10.0.0.5", "mask": "255.255.255.0", "gateway": "10.0.0.1"})]),
    "icacls without rights for others": ("""\\\\srv\\share\\a dir CREATOR OWNER:(OI)(CI)(IO)(F)
                  BUILTIN\\Users:(OI)(CI)(RX)

C:\\x y\\file.txt Everyone:(R)

C:\\x y\\file.txt CORP\\Domain Admins:(M)

Successfully processed 2 files; Failed processing 0 files
""", [("state.acl", {"path": "\\\\srv\\share\\a dir", "account": "CREATOR OWNER", "rights": "(OI)(CI)(IO)(F)"}),
      ("state.acl", {"path": "\\\\srv\\share\\a dir", "account": "BUILTIN\\Users", "rights": "(OI)(CI)(RX)"}),
      ("state.acl", {"path": "C:\\x y\\file.txt", "account": "Everyone", "rights": "(R)"}),
      ("state.acl", {"path": "C:\\x y\\file.txt", "account": "CORP\\Domain Admins", "rights": "(M)"})]),
    "Get-Acl, of two things in one file": ("""

FileSystemRights  : FullControl
AccessControlType : Allow
IdentityReference : VORDEFINIERT\\Administratoren
IsInherited       : False
InheritanceFlags  : None
PropagationFlags  : None

FileSystemRights  : Write, Read, Synchronize
AccessControlType : Deny
IdentityReference : Jeder
IsInherited       : True
InheritanceFlags  : None
PropagationFlags  : None




FileSystemRights  : FullControl
AccessControlType : Allow
IdentityReference : NT-AUTORITÄT\\SYSTEM
IsInherited       : False
""", [("state.acl", {"account": "VORDEFINIERT\\Administratoren", "rights": "FullControl", "access": "Allow", "part": 1}),
      ("state.acl", {"account": "Jeder", "rights": "Write, Read, Synchronize", "access": "Deny", "is_inherited": True, "part": 1}),
      ("state.acl", {"account": "NT-AUTORITÄT\\SYSTEM", "part": 2})]),
    "Get-Acl with its command": ("""Get-Acl -Path 'HKLM:\\SOFTWARE\\a b'

RegistryRights    : ReadKey
AccessControlType : Allow
IdentityReference : Everyone
""", [("state.acl", {"path": "HKLM:\\SOFTWARE\\a b", "rights": "ReadKey"})]),
    "services": ("""
ProcessId DisplayName             StartMode State   Name        PathName                                   StartName
--------- -----------             --------- -----   ----        --------                                   ---------
     1204 Remotedesktopdienste    Manual    Running TermService C:\\Windows\\System32\\svchost.exe -k termsvcs NT Authority\\NetworkService
        0 Überwachung der Drucker Disabled  Stopped Spooler     C:\\Windows\\System32\\spoolsv.exe            LocalSystem

""", [("state.service", {"service": "TermService", "display_name": "Remotedesktopdienste", "start_mode": "Manual",
                         "service_state": "Running", "pid": 1204, "user": "NT Authority\\NetworkService"}),
      ("state.service", {"service": "Spooler", "display_name": "Überwachung der Drucker", "service_state": "Stopped"})]),
    "the grace period": ("""Executing (\\\\SRV01\\root\\CIMV2\\TerminalServices:Win32_TerminalServiceSetting.ServerName="SRV01")->GetGracePeriodDays()
Method execution successful.
Out Parameters:
instance of __PARAMETERS
{
	DaysLeft = 0;
	ReturnValue = 0;
};
""", [("state.grace_period", {"days_left": 0})]),
    "a firewall log of another machine": ("""#Version: 1.5
#Software: Microsoft Windows Firewall
#Time Format: Local
#Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype icmpcode info path pid

2026-02-01 10:11:12 DROP ICMP 10.0.0.9 10.0.0.5 - - 60 - - - - 8 0 - RECEIVE 4
2026-02-01 10:11:13 INFO-EVENTS-LOST - - - - - - - - - - - - 12 - -
2026-02-01 10:11:14 DROP UDP fe80::1 ff02::fb 5353 5353 60 - - - - - - - RECEIVE 4
""", [("firewall.packet", {"proto": "icmp", "client_ip": "10.0.0.9", "server_ip": "10.0.0.5", "pid": 4}),
      ("firewall.packet", {"proto": "udp", "client_ip": "fe80::1", "server_port": 5353})]),
    "systeminfo with a name that no collector gave": ("""
Hostnaam:                  SRV09
Besturingssysteemnaam:     Microsoft Windows Server 2019 Standard
Versie besturingssysteem:  10.0.17763 N.v.t. Build 17763
Oorspronkelijke datum:     13-1-2026, 10:00:00
Opstarttijd:               2-3-2026, 07:30:00
Tijdzone:                  (UTC+01:00) Amsterdam
Domein:                    corp.example
Aanmeldingsserver:         \\\\DC01
Hotfix(es):                1 hotfix(es) geinstalleerd.
                           [01]: KB5031361
""", [("state.system", {"name": "SRV09", "os_build": "17763", "boot_time": "2026-03-02T07:30:00.0000000Z", "domain": "corp.example"}),
      ("state.update", {"kb": "KB5031361"})]),
}

# Languages that scenarios do not write, in the code page of their console.
OTHERS = {
    "gbk": (""" 会话名            用户名                   ID  状态    类型        设备
>services                                    0  断开
 console           wang                      1  运行中
 rdp-tcp                                 65536  侦听

Windows IP 配置

   主机名  . . . . . . . . . . . . . : SRV05
   主 DNS 后缀 . . . . . . . . . . . : corp.example

以太网适配器 以太网:

   连接特定的 DNS 后缀 . . . . . . . :
   描述. . . . . . . . . . . . . . . : vmxnet3
   物理地址. . . . . . . . . . . . . : 00-50-56-01-02-03
   IPv4 地址 . . . . . . . . . . . . : 10.0.0.5(首选)
   子网掩码  . . . . . . . . . . . . : 255.255.255.0
   默认网关. . . . . . . . . . . . . : 10.0.0.1
   DNS 服务器  . . . . . . . . . . . : 10.0.0.2
""", ["disconnected", "active", "listening", "SRV05", "10.0.0.1"]),
    "cp850": (""" NOMESESSIONE      NOMEUTENTE               ID  STATO   TIPO        DISPOSITIVO
 services                                    0  Disc
>console           lucia                     1  Attivo
 rdp-tcp                                 65536  Ascolto

Configurazione IP di Windows

   Nome host . . . . . . . . . . . . : SRV05
   Suffisso DNS primario . . . . . . : corp.example

Scheda Ethernet Ethernet:

   Suffisso DNS specifico per connessione:
   Descrizione . . . . . . . . . . . : vmxnet3
   Indirizzo fisico. . . . . . . . . : 00-50-56-01-02-03
   Indirizzo IPv4. . . . . . . . . . : 10.0.0.5(Preferenziale)
   Subnet mask . . . . . . . . . . . : 255.255.255.0
   Gateway predefinito . . . . . . . : 10.0.0.1
   Server DNS . . . . . . . . . . .  : 10.0.0.2
""", ["disconnected", "active", "listening", "SRV05", "10.0.0.1"]),
    "cp1252": (""" NOME DA SESSÃO    NOME DE USUÁRIO          ID  ESTADO  TIPO        DISPOSITIVO
 services                                    0  Desc
>console           joão                      1  Ativo
 rdp-tcp                                 65536  Escutar

Configuração de IP do Windows

   Nome do host. . . . . . . . . . . : SRV05
   Sufixo DNS primário . . . . . . . : corp.example

Adaptador Ethernet Ethernet:

   Sufixo DNS específico de conexão. :
   Descrição . . . . . . . . . . . . : vmxnet3
   Endereço Físico . . . . . . . . . : 00-50-56-01-02-03
   Endereço IPv4. . . . . . . .  . . : 10.0.0.5(Preferencial)
   Máscara de Sub-rede . . . . . . . : 255.255.255.0
   Gateway Padrão. . . . . . . . . . : 10.0.0.1
   Servidores DNS. . . . . . . . . . : 10.0.0.2
""", ["disconnected", "active", "listening", "SRV05", "10.0.0.1"]),
}


def others():
    for encoding, (text, expected) in OTHERS.items():
        file = write("other.txt", text.replace("\n", "\r\n").encode(encoding))
        found = [e["data"] for e in map(json.loads, run("export", "--quiet", file).text.splitlines())]
        seen = [d.get("session_state") or d.get("gateway") or d.get("name") for d in found]
        check(seen == expected, f"{encoding}: {seen}, expected {expected}")
        user = [d["user"] for d in found if "user" in d]
        check(user == [u for u in ("wang", "lucia", "joão") if f" {u} " in text], f"{encoding}: {user}")
        check(found[-1].get("dns") == "10.0.0.2" and found[-1]["mask"] == "255.255.255.0", f"{encoding}: {found[-1]}")


def main():
    others()
    for name, (text, expected) in FORMS.items():
        file = write("form.txt", text if "\r\n" in text else text.replace("\n", "\r\n"))
        result = run("export", "--quiet", file)
        found = [json.loads(line) for line in result.text.splitlines()]
        check([e["kind"] for e in found] == [kind for kind, _ in expected], f"{name}: {[e['kind'] for e in found]}", result)
        for e, (kind, data) in zip(found, expected):
            wrong = {k: e["data"].get(k) for k, v in data.items() if e["data"].get(k) != v}
            check(not wrong, f"{name}: {kind}: {wrong}, expected {data}")
            lines = open(file, "rb").read()[:e["offset"]].count(b"\n") + 1
            check(e["record_id"] == lines, f"{name}: line {e['record_id']}, stands in {lines}")
    finish()


main()
