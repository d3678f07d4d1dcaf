"""Bad input: the exit code, and a sentence that says what is wrong."""
import json
import os
import struct
import subprocess
import zipfile
import zlib

from tool import FAULTLINE, FOLDER, check, expect, finish, path, run, write
import sample

good = sample.log()
data = open(good, "rb").read()


def empty_log():
    """A log with one chunk and no records, as Windows makes it."""
    head = bytearray(4096)
    head[:8] = b"ElfFile\0"
    struct.pack_into("<QQQ", head, 8, 0, 0, 1)
    struct.pack_into("<IHHHH", head, 32, 128, 1, 3, 4096, 1)
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    chunk = bytearray(65536)
    chunk[:8] = b"ElfChnk\0"
    struct.pack_into("<QQQQ", chunk, 8, 1, 2**64 - 1, 2**64 - 1, 2**64 - 1)
    struct.pack_into("<III", chunk, 40, 128, 0, 512)
    struct.pack_into("<I", chunk, 52, zlib.crc32(b""))
    struct.pack_into("<I", chunk, 124, zlib.crc32(bytes(chunk[128:512]), zlib.crc32(bytes(chunk[:120]))))
    return bytes(head + chunk)


# Nothing to read: 4, and no output.
for name, content in {"zero.evtx": b"", "header.evtx": data[:4096], "half-header.evtx": data[:100],
                      "words.txt": b"just words\n", "zeros.evtx": bytes(8192), "old.evt": b"\x30\0\0\0LfLe" + bytes(200)}.items():
    file = write(name, content)
    for command in ("export", "triage", "inspect"):
        expect(run(command, file), 4, err="faultline: ")
    expect(run("timeline", file, "-o", path("never.fltl")), 4)
    check(not os.path.exists(path("never.fltl")), f"{name}: no timeline is left")
    check(not [left for left in os.listdir(FOLDER) if left.endswith(".part")], f"{name}: nothing half-written is left")
expect(run("export", path("missing.evtx")), 4, err="missing.evtx")
os.makedirs(path("empty-folder"))
expect(run("triage", path("empty-folder")), 4)
write("no-logs/a.txt", "words\n")
write("no-logs/b.png", b"\x89PNG\r\n\x1a\n" + bytes(50))
expect(run("triage", path("no-logs")), 4)
check(run("triage", path("empty-folder")).out == b"", "no report of nothing")

# One sentence says what it is and what to do; inspect has the same words below the source, and no others.
for name, words in {"words.txt": "plain text: not read", "old.evt": "wevtutil epl"}.items():
    told = expect(run("export", path(name)), 4, err=(f"unsupported: {name}: ", words))
    check(told.notes.count("\n") == 1, f"{name}: one sentence", told)
    shown = expect(run("inspect", path(name)), 4, words, err="nothing could be read")
    listed = json.loads(run("inspect", "--format", "json", path(name)).text)
    check([note["text"] for note in listed["notes"]] == [told.notes.split(f"{name}: ")[1].strip()], f"{name}: one text", shown)
    check("no parser claims it" not in shown.text, f"{name}: it is claimed", shown)
    expect(run("export", "--quiet", path(name)), 4, err="nothing could be read")

# Sound and empty: 0, with a sentence.
expect(run("export", write("empty.evtx", empty_log())), 0, err="no events")
expect(run("triage", path("empty.evtx")), 0)

# Part of it: 3, and what is whole is there.
whole = run("export", good)
expect(whole, 0)
lines = whole.text.splitlines()
check(len(lines) > 3, "the sample has events", whole)
expect(run("export", good, path("missing.evtx")), 3, lines[0][:40], err="missing.evtx")
cut = expect(run("export", write("cut.evtx", data[:len(data) - 30000])), 3)
flipped = bytearray(data)
flipped[4096 + 512 + 60] ^= 0xFF
expect(run("export", write("flipped.evtx", bytes(flipped))), 3)

# Every note stands below its source, also beyond those that other commands print.
spoilt = bytearray(data)
for chunk in range(4096, len(spoilt) - 65535, 65536):
    spoilt[chunk + 0x34] ^= 0xFF
write("many/a.evtx", bytes(spoilt))
for copy in range(30):
    write(f"many/copy{copy:02d}.evtx", bytes(spoilt))
listed = [json.loads(line) for line in expect(run("inspect", "--format", "json", path("many")), 3).text.splitlines()]
logs = [source for source in listed if source["type"] == "evtx"]
check(len(logs) == 31 and all(source["notes"] for source in logs), "each damaged log has its notes")
check(all({"offset", "severity", "text"} == set(note) for source in logs for note in source["notes"]), "a note's keys")
check("checksum" in logs[0]["notes"][0]["text"], "checksums are told of")
shown = expect(run("inspect", path("many")), 3)
check(shown.text.count("  note     repaired at ") >= 31, "the text has them, too", shown)
check("repaired: " not in shown.notes, "and standard error does not repeat them", shown)
expect(run("inspect", path("zero.evtx"), "-o", path("ledger.txt")), 4)
check("zero.evtx" in open(path("ledger.txt"), encoding="utf-8").read(), "at 4, inspect writes its ledger all the same")

# Folders and archives.
write("mixed/logs/a.evtx", data)
write("mixed/picture.png", b"\x89PNG\r\n\x1a\n" + bytes(50))
mixed = expect(run("export", path("mixed")), 0, '"source":"mixed/logs/a.evtx"')
check(len(mixed.text.splitlines()) == len(lines), "a picture beside a log costs nothing", mixed)
with zipfile.ZipFile(path("logs.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write(good, "deep/a.evtx")
expect(run("export", path("logs.zip")), 0, '"source":"logs.zip!/deep/a.evtx"')
with zipfile.ZipFile(path("nested.zip"), "w") as archive:
    archive.write(path("logs.zip"), "logs.zip")
expect(run("export", path("nested.zip")), 0, '"source":"nested.zip!/logs.zip!/deep/a.evtx"')
write("broken.zip", open(path("logs.zip"), "rb").read()[:2000])
check(run("export", path("broken.zip")).code in (3, 4), "a cut archive is noticed")
if subprocess.run(["sh", "-c", "command -v zip"], capture_output=True).returncode == 0:
    subprocess.run(["zip", "-q", "-j", "-P", "secret", path("locked.zip"), good], check=True)
    expect(run("export", path("locked.zip")), 4, err="locked.zip")
expect(run("export", good, good), 0, '#2"')

# What may not be read. Root may read everything, so as root another user does it.
write("closed/secret/a.evtx", data)
write("closed/open.evtx", data)
write("closed/locked.evtx", data)
os.chmod(FOLDER, 0o755)
os.chmod(path("closed/locked.evtx"), 0)
os.chmod(path("closed/secret"), 0)
somebody = 65534 if os.geteuid() == 0 else None
try:
    expect(run("export", path("closed"), user=somebody), 3, "open.evtx", err=("secret", "locked.evtx"))
    expect(run("export", path("closed/locked.evtx"), user=somebody), 4, err="locked.evtx")
except PermissionError:
    print("not run: nobody else may start the program from here")
os.chmod(path("closed/secret"), 0o755)

# What the sentence names: the thing and what is wrong with it.
for name, words in {"zero.evtx": "0 bytes", "header.evtx": "no chunk", "empty-folder": "no files",
                    "missing.evtx": "No such file"}.items():
    expect(run("export", path(name)), 4, err=(name, words))
check("(offset 0)" not in run("export", path("missing.evtx")).notes, "no offset where none helps")
expect(run("show", f'{path("missing.evtx")}@4608'), 4, err=("missing.evtx", "No such file"))
expect(run("show", f'{path("zero.evtx")}@4608'), 4, err="0 bytes")

# Standard input.
expect(run("export", "-", stdin=data), 0, lines[0][:30])
expect(run("export", "-", stdin=b""), 4)

# Outputs that cannot be written.
expect(run("export", good, "-o", path("no/such/folder/x.jsonl")), 5, err="x.jsonl")
expect(run("export", good, "-o", "/dev/full"), 5)
expect(run("timeline", good, "-o", path("no/such/x.fltl")), 5)
for words in (("export", good), ("triage", good), ("inspect", good), ("explain", "0x904"), ("rules", "list"),
              ("rules", "check"), ("help",), ("version",), ("show", f"{good}@4608")):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([FAULTLINE, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 5 and "No space left" in done.stderr, f"{words[0]} on a full disk: {done.returncode} {done.stderr}")
# The sentence names the target and the reason, and stands there once, however much is written.
big = [good] * 40
for words, target in ((("export", *big), "standard output"), (("export", "--format", "csv", *big), "standard output"),
                      (("export", *big, "-o", "/dev/full"), "/dev/full"), (("inspect", *big), "standard output")):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([FAULTLINE, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    sentence = f"faultline: {target}: cannot write: No space left on device\n"
    check(done.returncode == 5 and done.stderr == sentence, f"{words[0]} on {target}: {done.returncode} {done.stderr}")
expect(run("timeline", good, "-o", "/dev/full"), 5, err="No space left")
expect(run("triage", good, "--timeline", "/dev/full"), 5, err="No space left")
expect(run("export", good, "-o", path("mixed")), 5, err=("mixed", "is a folder"))
expect(run("export", good, "-o", ""), 5, err="is empty")

# An output never replaces an input, however it is spelt; and two outputs need two names.
own = write("own.evtx", data)
for words in (("export", own, "-o", own), ("inspect", own, "-o", path("mixed/../own.evtx")),
              ("timeline", own, "-o", own), ("triage", own, "--timeline", own)):
    expect(run(*words), 2, err="is an input")
check(open(own, "rb").read() == data, "an input stays as it was")
expect(run("triage", own, "-o", path("one"), "--timeline", path("one")), 2, err="one place")
expect(run("triage", own, "--timeline", "-"), 2, err="one place")
finish()
