"""What each option does, and the forms of the machine outputs."""
import csv
import io
import json
import os
import re
import sys

import sample
from tool import SCENARIOS, TOP, build, check, expect, finish, path, run, write

log = sample.log()


def events(*words):
    return [json.loads(line) for line in expect(run("export", *words), 0).text.splitlines()]


everything = events(log)
name = os.path.basename(log)
check(len(everything) > 50, "the sample has events")
keys = {"time", "host", "source", "record_id", "offset", "provider", "channel", "event_id"}
check(all(keys <= set(event) for event in everything), f"every line has {sorted(keys)}")
check(all(event["source"] == name for event in everything), "the source is the input's basename")
check(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event["time"]) for event in everything), "UTC, RFC 3339")
check(len({event["offset"] for event in everything}) == len(everything), "offsets are references")

# Windows of time, expressions, limits.
times = sorted(event["time"] for event in everything)
newest, middle = times[-1], times[len(times) // 2]
check([e["time"] for e in events(log, "--since", middle)] == [t for t in times if t >= middle], "--since")
check([e["time"] for e in events(log, "--until", middle)] == [t for t in times if t <= middle], "--until")
late = events(log, "--since", "-10m")
check(0 < len(late) < len(everything) and late[-1]["time"] == newest, "--since -10m counts from the newest event")
# A time without a zone is UTC, or in that of --tz.
plain = middle[:19]
hour = f"{(int(middle[11:13]) + 2) % 24:02d}"
shifted = f"{middle[:11]}{hour}{middle[13:19]}"
wanted = events(log, "--since", plain + "Z")
check(events(log, "--since", plain) == wanted, "a time without a zone is UTC")
check(events(log, "--since", shifted, "--tz", "+02:00") == wanted, "--tz gives the zone of --since")
check(events(log, "--until", shifted, "--tz", "+02:00") == events(log, "--until", plain + "Z"), "and of --until")
check(events(log, "--since", plain + "Z", "--tz", "+02:00") == wanted, "a zone in the text wins")
expect(run("export", log, "--tz", "+02:00"), 0, err="changes nothing")
# The spellings that people use: a blank for T, no seconds, a bare date as the whole day.
half = "2026-03-02T10:20:00Z"
for text in ("2026-03-02 10:20:00Z", "2026-03-02 10:20", "2026-03-02T10:20", "2026-03-02 10:20Z", "2026-03-02 12:20+02:00",
             "2026-03-02 10:20:00"):
    check(events(log, "--since", text) == events(log, "--since", half), f"--since {text}")
check(events(log, "--since", "2026-03-02 12:20", "--tz", "+02:00") == events(log, "--since", half), "no seconds, and --tz")
check(events(log, "--since", "2026-03-02", "--until", "2026-03-02") == everything, "a bare date is the whole day")
check(not run("export", log, "--since", "2026-03-03").out and not run("export", log, "--until", "2026-03-01").out, "and no other")
check(events(log, "--until", "2026-03-02", "--tz", "-14:00") == everything, "of the zone that --tz names")
for text in ("2026-03-02 10", "2026-03-02 10:2", "2026-03-02x10:20", "2026-03-02 10:20x", "2026-13-02", "2026-03-02 24:30", "10:20"):
    expect(run("export", log, "--since", text), 2, err="--since")
failed = events(log, "--where", "event_id == 1026")
check(len(failed) >= 1 and all(event["event_id"] == 1026 for event in failed), "--where")
# What is left out before it is decoded whole is what a look at every event leaves out.
bundle = build(os.path.join(SCENARIOS, "two-bundles-skew.scn"), path("where"))
whole = events(*bundle)
for text, holds in {
    "event_id == 131": lambda e: e["event_id"] == 131,
    'channel == "system" and event_id == 7040': lambda e: e["channel"].lower() == "system" and e["event_id"] == 7040,
    "not event_id in (131, 1026)": lambda e: e["event_id"] not in (131, 1026),
    'level <= 3 or host startswith "client"': lambda e: e["level"] <= 3 or e["host"].lower().startswith("client"),
    "activity_id exists": lambda e: "activity_id" in e,
    'data.ClientIP exists and event_id == 131': lambda e: "ClientIP" in e.get("data", {}) and e["event_id"] == 131,
    'kind == "rdp.client.disconnect"': lambda e: e.get("kind") == "rdp.client.disconnect",
}.items():
    wanted = [e for e in whole if holds(e)]
    check(0 < len(wanted) < len(whole) and events("--where", text, *bundle) == wanted, f"--where {text}")
check(len(events(log, "--limit", "3")) == 3, "--limit")
check(events(log, "--sort") == sorted(everything, key=lambda e: e["time"]) or
      [e["time"] for e in events(log, "--sort")] == times, "--sort")
check([e["time"] for e in events(log, "--sort", "--limit", "5")] == times[:5], "--sort --limit gives the first of all")
check(run("export", log).out == run("export", log, "--jobs", "1").out == run("export", log, "--jobs", "8").out,
      "--jobs changes nothing")
check(run("export", "--quiet", log).notes == "", "--quiet is quiet")
other = events(log, "--engine", "libevtx")
check([e["record_id"] for e in other] == [e["record_id"] for e in everything], "both engines read the same records")
expect(run("export", log, "--where", "event_id == 1"), 0, err="no events pass")

# CSV: one header, as many columns in every row.
table = list(csv.reader(io.StringIO(expect(run("export", "--format", "csv", log), 0).out.decode("utf-8-sig"))))
check(len(table) == len(everything) + 1, "one row an event")
check(len({len(row) for row in table}) == 1, "every row has every column")

# -o, and nothing half-written.
expect(run("export", log, "-o", path("out.jsonl")), 0)
check(open(path("out.jsonl"), "rb").read() == run("export", log).out, "-o writes what standard output shows")
write("keep.jsonl", "old\n")
expect(run("export", path("missing"), "-o", path("keep.jsonl")), 4)
check(open(path("keep.jsonl")).read() == "old\n", "a failed run leaves an old output alone")

# inspect: the ledger tiles the source; equal logs have equal digests.
for line in expect(run("inspect", "--format", "json", os.path.dirname(log)), 0).text.splitlines():
    source = json.loads(line)
    check({"source", "type", "bytes", "events", "ledger"} <= set(source), "inspect's keys")
    at = 0
    for part in source["ledger"]:
        check(part["offset"] == at and part["length"] > 0, "the ledger has no gap and no overlap")
        at = part["offset"] + part["length"]
    check(at == source["bytes"] or source["type"] == "dir", "the ledger ends at the last byte")
expect(run("inspect", log), 0, name, "evtx")
digest = expect(run("inspect", "--digest", log), 0, "digest ").text
check(digest == run("inspect", "--digest", log).text, "a digest is stable")
check(f"over {len(everything)} events" in digest, "a digest covers every event")
copy = bytearray(open(log, "rb").read())
write("copy.evtx", bytes(copy))
sums = [re.search("digest ([0-9a-f]+)", run("inspect", "--digest", f).text).group(1) for f in (log, path("copy.evtx"))]
check(sums[0] == sums[1], "equal logs have equal digests")

# show: the record that an export names, alone, in a folder, by path.
event = failed[0]
ref = f'{event["source"]}@{event["offset"]}'
folder = os.path.dirname(log)
expect(run("show", f'{log}@{event["offset"]}'), 0, "1026", "<Event")
expect(run("show", ref, log), 0, "1026")
expect(run("show", ref, cwd=folder), 0, "1026")
expect(run("show", ref, "--format", "xml", cwd=folder), 0, "<EventID", "1026")
shown = json.loads(expect(run("show", ref, "--format", "json", cwd=folder), 0).text)
check("1026" in json.dumps(shown), "show --format json")
inside = events(folder, "--where", "event_id == 1026")[0]
expect(run("show", f'{inside["source"]}@{inside["offset"]}', folder), 0, "1026")
expect(run("show", f"{log}@1"), 4, err="no record at offset 1")
expect(run("show", "other.evtx@4608", log), 4, err="other.evtx")

expect(run("show", "other.evtx@4608", folder, "--format", "json"), 4, err="no source")

# explain.
expect(run("explain", "0x904"), 0, "904")
check(run("explain", "2308").code == 0, "decimal")
check(run("explain", "0x904", "0x7").out == run("explain", "0x904/0x7").out, "two spellings of a pair")
expect(run("explain", "-2146893007"), 0, "80090331", err=())
expect(run("explain", "0xC000006D"), 0)
expect(run("explain", "0x12345678"), 0, "not documented")
expect(run("explain", "904"), 0, "Did you mean 0x904")
expect(run("explain", "904/7"), 0, "Did you mean 0x904", "ServerDenied")
check(json.loads(run("explain", "204", "--format", "json").text)["did_you_mean"] == "0x204", "the prefix is offered")
expect(run("explain", "0x904", "0x7"), 0, "exclude each other")


def explained_as(*words):
    return json.loads(expect(run("explain", *words, "--format", "json"), 0).text)


# A number in the first place is a primary reason, in the second an extended one; they never mix.
for words, documented, space, symbol in (
        (["7"], True, "extended", "exDiscReasonServerDeniedConnection"),
        (["7", "0x0"], False, None, None),
        (["0x101", "0x7"], False, None, None),
        (["0x107"], True, "disconnect", None),
        (["0x404", "0x404"], True, "disconnect", "disconnectReasonSocketRecvFailed"),
        (["0x80004005", "0x0"], True, "hresult", "E_FAIL"),
        (["primary:5"], False, None, None),
        (["win32:5"], True, "win32", "ERROR_ACCESS_DENIED")):
    answer = explained_as(*words)
    check((answer["documented"], answer["space"], answer["symbol"]) == (documented, space, symbol), f"{words}: {answer}")
    check(documented or (answer["layer"] is None and not answer["causes"] and not answer["cause_ids"]
                         and answer["meaning"].startswith("not documented")), f"{words}: nothing is guessed")
    check(answer["assumed"], f"{words}: what was assumed is said")
check(explained_as("0x404", "0x404")["extended"]["symbol"] == "ERRINFO_CB_REDIRECTING_TO_DESTINATION", "the second place is extended")
check(explained_as("0x904", "0x904")["extended"]["documented"] is False, "a primary number is no extended one")
check(any(row["space"] == "misplaced" for row in explained_as("0x105")["also"]), "tables of others are named")
check("not documented" in explained_as("0x101")["assumed"], "0x101 is no primary reason")
for words in (["0x904"], ["0x904", "0x7"], ["0x204"], ["0x108"], ["0x3"], ["0x4"], ["0x4", "0x0"], ["0x708"], ["0x509"]):
    check(len(explained_as(*words)["separating_evidence"]) >= 2, f"{words}: what would tell causes apart")
check(explained_as("0x904", "0x7")["extended"]["cause_ids"][0] == "srv.denied", "the cause behind 0x7")
check("auth.bad_creds" in explained_as("0xC000006D")["cause_ids"], "the cause behind a status")
expect(run("explain", "STATUS_LOGIN_FAILURE"), 2, err="near it: STATUS_LOGON_FAILURE")
expect(run("explain", "0x904", "exDiscReasonServerDenied_Conection"), 2, err="near it: exDiscReasonServerDeniedConnection")
check("exclude" not in run("explain", "0x904", "0x0").text, "code 0 excludes nothing")
expect(run("explain", "0x80072EFD"), 0, "0x80072efd = 2147954429", "Win32 error 12029")
for code in ("0x1104", "1326", "0x80090305", "0xC000006D", "0x3000010"):
    expect(run("explain", code), 0, "what tells them apart")
for word in ("hello world", "error", "user", "connection"):
    expect(run("explain", word), 2)
explained = json.loads(expect(run("explain", "0x904", "0x7", "--format", "json"), 0).text)
check({"code", "meaning", "causes"} <= set(explained), "explain's keys")
expect(run("explain", "1", "2", "3"), 2)

# triage.
for form in ("text", "md", "json"):
    expect(run("triage", "--format", form, log), 0)
case = json.loads(run("triage", "--format", "json", log).text)
check({"schema", "verdict", "attempts", "coverage", "findings", "sources", "notes"} <= set(case), "the case's keys")
expect(run("triage", log, "--symptom", "0x904/0x7", "--role", "PC1=client", "--at", "2026-03-02T11:00:00",
           "--tz", "+01:00", "--user", "alice", "--client", "PC1", "--server", "host1", "--recovered", "--hash", "all"), 0)
expect(run("triage", log, "--no-packs"), 0)
expect(run("triage", log, "--role", "NOSUCH=client"), 0, err=("no machine of the case", "PC1"))
check("no machine" not in run("triage", log, "--role", "PC1=client").notes, "a role for a machine that is there")
at = [json.loads(run("triage", "--format", "json", log, *words).text)["verdict"] for words in
      (("--at", "2026-03-02T10:10:00Z"), ("--at", "2026-03-02T10:10:00"), ("--at", "2026-03-02T12:10:00", "--tz", "+02:00"))]
check(at[0] == at[1] == at[2], "--at with a zone, without, and with --tz")
of_day = [json.loads(run("triage", "--format", "json", log, "--at", day).text)["verdict"] for day in ("2026-03-02", "2026-03-01")]
check(of_day[0]["attempt"] == 40 and of_day[1]["attempt"] is None, "--at with a bare date takes the last that failed that day")
check("from 2026-03-01 00:00:00 UTC to 2026-03-01 23:59:59 UTC" in of_day[1]["sentence"], of_day[1]["sentence"])
check(run("triage", log, "--exit-code=info").code in (0, 1), "--exit-code")
check(run("triage", log).out == run("triage", log).out, "a report is the same each time")

# A report says what made it and how to make it again, and nothing of where files lie here.
made = json.loads(run("triage", "--format", "json", log, "--user", "o'brien, x", "--role", "PC1=client", "--role", "host1=server",
                      "--no-packs", "--jobs", "2", "--quiet", "--symptom", "0x104", "--symptom", "0x904").text)
wanted = f"faultline triage {name} --symptom 0x904 --user 'o'\\''brien, x' --role PC1=client --role host1=server --no-packs"
check(made["command"] == wanted, f"the command: {made['command']!r}, not {wanted!r}")
check(made["tool"]["name"] == "faultline" and made["rules"]["rules"] == 0, "the tool and its rules")
check(case["rules"]["rules"] > 0 and re.fullmatch("[0-9a-f]{64}", case["rules"]["sha256"]), "the packs have a checksum")
check(json.loads(run("triage", "--format", "json", name, cwd=os.path.dirname(log)).text) == case, "a relative path says the same")
for form in ("text", "md", "json"):
    check(os.path.dirname(log) not in run("triage", "--format", form, log).text, f"{form}: no absolute path")

# What a window or an expression leaves out, the report says.
window = ("--since", "2026-03-02T10:10:00Z", "--until", "2026-03-02T10:12:30Z")
expect(run("triage", log, *window), 0, "from 2026-03-02 10:10:00.000 UTC to", "- as asked, only")
narrowed = json.loads(run("triage", "--format", "json", log, *window).text)
check(len(narrowed["attempts"]) < len(case["attempts"]) and narrowed["window"]["since"].startswith("2026-03-02T10:10"),
      "a window narrows the case, and stands in it")
check(case["window"] is None, "no window, nothing said")
expect(run("triage", log, "--since", "2030-01-01T00:00:00Z"), 0, "found in these logs since 2030-01-01 00:00:00 UTC")
expect(run("triage", log, "--until", "2020-01-01T00:00:00Z"), 0, "found in these logs until 2020-01-01 00:00:00 UTC")
expect(run("triage", log, "--since", "2026-03-02T00:00:00Z", "--until", "2026-03-01T00:00:00Z"), 2, err="--since is later")
ends = json.loads(expect(run("triage", log, "--where", "event_id == 1026", "--format", "json"), 0).text)
check(ends["window"]["where"] == "event_id == 1026" and ends["window"]["taken"] == len(failed) and
      ends["window"]["events"] == len(everything), "--where narrows the case, and stands in it")
check(ends["coverage"] == case["coverage"], "coverage sees every row")
check({e["record_id"] for a in ends["attempts"] for e in a["events"]} <= {e["record_id"] for e in failed},
      "the case sees what passes alone")
expect(run("triage", log, "--where", "event_id == 1"), 0, "in the events that --where takes", "where event_id == 1\n",
       err="no events pass")
expect(run("triage", log, "--where", "event_id =="), 2, err="--where")
expect(run("triage", log, "--where", "event_id == 1026", "--timeline", path("ends.fltl")), 0)
check(len(events(path("ends.fltl"))) == len(failed), "a timeline beside it holds what passes")
for words in (("--since", "-2h"), ("--where", "event_id == 1"), ("--until", "2020-01-01")):
    expect(run("show", f"{log}@4608", *words), 0, "<Event", err="whatever --since")
check(run("show", f"{log}@4608", "--since", "-2h", "--quiet", "--recovered", "--hash", "none", "--jobs", "1").notes == "",
      "show takes the common options")
check(run("export", log, "--tz", "+02:00", "--quiet").notes == "", "--quiet silences what changes nothing")

# A timeline in the same pass is the timeline of a pass of its own; and reads back.
expect(run("timeline", log, "-o", path("own.fltl")), 0)
expect(run("triage", log, "--timeline", path("same.fltl")), 0)
check(open(path("own.fltl"), "rb").read() == open(path("same.fltl"), "rb").read(), "one pass, one timeline")
back = events(path("own.fltl"))
check([e["time"] for e in back] == times, "a timeline is in time order")
same = {e["offset"]: e for e in everything}
check(all(e == same[e["offset"]] for e in back), "export answers the same on INPUT and TIMELINE")
expect(run("triage", path("own.fltl")), 0)
expect(run("inspect", path("own.fltl")), 0, name)
expect(run("timeline", path("own.fltl"), "-o", path("again.fltl")), 0)
check(events(path("again.fltl")) == back, "a timeline of a timeline holds the same events")
expect(run("show", ref, path("own.fltl")), 0, ref, "1026", "<Event")
expect(run("show", f"{name}@1", path("own.fltl")), 4, err="no record at offset 1")
expect(run("export", path("own.fltl"), log), 2, err="alone")
cut = open(path("own.fltl"), "rb").read()
check(run("export", write("cut.fltl", cut[:len(cut) * 2 // 3])).code in (3, 4), "a cut timeline is noticed")
# Every byte of its blocks turned over: it is a timeline, but nobody may call it sound.
spoilt = run("export", write("spoilt.fltl", cut[:100] + bytes(255 - b for b in cut[100:])))
check(spoilt.code in (3, 4) and "sound" not in spoilt.notes and "no events: none could be read" in spoilt.notes,
      "a damaged timeline is not called sound", spoilt)

# The reader that the format's document prints.
sys.path.insert(0, os.path.join(TOP, "docs"))
try:
    import read_fltl
    read = list(read_fltl.events(path("own.fltl")))
    check([e["record_id"] for e in read] == [e["record_id"] for e in back], "docs/read_fltl.py reads the same records")
    check([e["data"].get("Value") for e in read] == [e["data"].get("Value") for e in back], "and the same values")
except ImportError as missing:
    print(f"docs/read_fltl.py was not run: {missing}")
finish()
