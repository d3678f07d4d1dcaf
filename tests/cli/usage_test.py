"""The command line itself: commands, options, hints, help, version."""
import json
import re

from tool import TOP, check, expect, finish, run, write

log = write("not-a-log.txt", "plain words\n")

expect(run(), 2, err="help")
expect(run("exprot"), 2, err='did you mean "faultline export"')
expect(run("frobnicate"), 2, err="lists the commands")
expect(run("export", "--formt", "jsonl", log), 2, err="did you mean --format")
expect(run("export", "--symptom", "0x904", log), 2, err="takes no option --symptom")
expect(run("export", "-o"), 2, err="needs a value")
expect(run("export", "--format", "docx", log), 2, err="jsonl")
expect(run("triage", "--format", "docx", log), 2, err="text")
expect(run("inspect", "--format", "csv", log), 2, err="text or json")
expect(run("show", "--format", "csv", "a@1"), 2, err="xml")
expect(run("show", "no-offset"), 2, err="SOURCE@OFFSET")
expect(run("export", "--jobs", "0", log), 2, err="--jobs 0")
expect(run("export", "--jobs", "two", log), 2, err="--jobs two")
expect(run("export", "--hash", "md5", log), 2, err="auto, all, none")
expect(run("export", "--engine", "libevt", log), 2, err="libevtx")
expect(run("export", "--since", "yesterday", log), 2, err="--since yesterday")
expect(run("export", "--since", "2026-03-02T00:00:00Z", "--until", "2026-03-01T00:00:00Z", log), 2, err="later")
expect(run("export", "--since", "-2h", "-"), 2, err="twice")
expect(run("export", "--where", "event_id ==", log), 2, err="--where")
expect(run("triage", "--role", "PC1=printer", log), 2, err="HOST=")
expect(run("triage", "--exit-code=terrible", log), 2, err="critical")
expect(run("triage", "--at", "noon", log), 2, err="--at noon")
expect(run("triage", "--symptom", "0x90y", log), 2, err="--symptom")
expect(run("timeline", log), 2, err="-o FILE")
expect(run("triage", "--tz", "Berlin", log), 2, err="--tz Berlin")
expect(run("export", "--tz", ".5Z", log), 2, err="offset from UTC")
expect(run("export", "--limit", "-5", log), 2, err="--limit -5")
expect(run("export", "--jobs", "99999999999999999999", log), 2, err="--jobs 9999")
expect(run("triage", "--attempt", "0", log), 2, err="--attempt 0")
expect(run("show", "a.evtx@99999999999999999999999"), 2, err="SOURCE@OFFSET")
expect(run("version", "extra"), 2, err="extra is one word too many")
expect(run("help", "export", "twice"), 2, err="twice is one word too many")

# A caret stands below the place of the mistake, also behind letters of two bytes.
for expression in ("event_id = = 5", 'host == "\u00e9" and = 5', "event_id == 5 or )"):
    lines = expect(run("export", "--where", expression, log), 2, err="--where:1:").notes.splitlines()
    check(len(lines) >= 3 and lines[1].endswith(expression) and lines[2].endswith("^"), f"{expression}: a caret")
    column = len(lines[2]) - len(lines[1].replace(expression, "")) - 1
    check(expression[column] in "=)", f"{expression}: the caret is below {expression[column]!r}")
check("^" not in run("export", "--where", "event_id\n== ", log).notes, "no caret below several lines")
for command in ("triage", "timeline", "export", "inspect", "show", "explain", "rules"):
    expect(run(command), 2, err="usage")

expect(run("help"), 0, "triage", "timeline", "130")
expect(run("--help"), 0, "triage")
expect(run("help", "nothing"), 2, err="no command")
for line in re.findall(r'^FL_COMMAND\((\w+), "([^"]*)"', open(f"{TOP}/cli/commands.def", encoding="utf-8").read(), re.M):
    shown = expect(run("help", line[0]), 0, f"usage: faultline {line[0]}", line[1])
    check(shown.out == run(line[0], "--help").out, f"{line[0]} --help is help {line[0]}")

# What every command takes that reads inputs (docs/cli.md).
for command in ("triage", "timeline", "export", "inspect", "show"):
    expect(run("help", command), 0, *(f"--{option} " for option in
           ("since", "until", "where", "recovered", "hash", "engine", "jobs", "quiet", "tz")))

expect(run("version"), 0, "faultline ", "evtx", "jsonl")
version = json.loads(expect(run("version", "--format", "json"), 0).text)
check("evtx" in version["inputs"] and "jsonl" in version["exports"], "version lists formats")
check("\x1b" not in run("help").text, "no colour")

control = run("bad\x1b[31mname\u202e")
check(control.code == 2 and "\x1b" not in control.notes and "\u202e" not in control.notes,
      "control characters of the command line stay off the terminal", control)
finish()
