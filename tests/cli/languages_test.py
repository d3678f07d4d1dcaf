"""The same failure on a Windows of another language has the same verdict.

Scenarios whose records hold words of Windows are built once for each language, with those words translated: names of
services, states, the address LOCAL, texts of a status, the end that Schannel speaks of."""
import glob
import json
import os
import re

from tool import FIXTURES, SCENARIOS, build, check, finish, path, run, skip

if not os.path.exists(FIXTURES):
    skip("no fl-fixtures")

LANGUAGES = ("en", "de", "tr", "fr", "ja")
MOST = 24
WORDS = [('"Remote Desktop Services"', "$TERMSERVICE"), ('"Access is denied."', "$ACCESS_DENIED"), ("Type=server", "Type=$SERVER"),
         ("Type=client", "Type=$CLIENT"), ("param2=running", "param2=$RUNNING"), ("param2=stopped", "param2=$STOPPED")]
ANYTHING = re.compile(r"\$(TERMSERVICE|ACCESS_DENIED|LOCAL|RUNNING|STOPPED)|Schannel 368(70|71|80)|Remote Desktop Services|Access is denied")


def used(scenario):
    files, at = [scenario], 0
    while at < len(files):
        folder = os.path.dirname(files[at])
        for name in re.findall(r"^use (\S+)", open(files[at], encoding="utf-8").read(), re.M):
            full = os.path.normpath(os.path.join(folder, name))
            if full not in files:
                files.append(full)
        at += 1
    return files


def translated(text, language, is_scenario):
    for word, name in WORDS:
        text = text.replace(word, name)
    # Where the table of the writer would put the English word.
    text = re.sub(r"^(.* evtx Schannel 368(?:70|71|80)\b)(?!.*Type=)", r"\1 Type=$SERVER", text, flags=re.M)
    text = re.sub(r"^lang .*\n", "", text, flags=re.M)
    return re.sub(r"^(title .*)$", rf"\1\nlang {language}", text, count=1, flags=re.M) if is_scenario else text


def solve(scenario, language, without=""):
    name = f"{os.path.basename(scenario)}.{language}{len(without)}"
    for file in used(scenario):
        copy = path(os.path.join(name, os.path.relpath(file, SCENARIOS)))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as out:
            out.write(translated(open(file, encoding="utf-8").read(), language, file == scenario).replace(without or "\0", ""))
    bundles = build(path(os.path.join(name, os.path.relpath(scenario, SCENARIOS))), path(name + ".out"))
    expected = path(name + ".out/expect.txt")
    symptom = re.search(r"^symptom=(.*)$", open(expected, encoding="utf-8").read(), re.M) if os.path.exists(expected) else None
    result = run("triage", "--quiet", "--format", "json", *bundles, *(["--symptom", symptom.group(1)] if symptom else []))
    check(result.code in (0, 3), f"{name}: triage ends well", result)
    verdict = json.loads(result.text)["verdict"]
    return verdict["status"], verdict["attempt"], [(h["cause"], h["status"], h["score"]) for h in verdict["hypotheses"]]


def texts_of(scenario):
    return "".join(open(file, encoding="utf-8").read() for file in [scenario] + [f for f in used(scenario) if "play tls" in open(scenario, encoding="utf-8").read()])


everything = [s for part in ("", "rules", "causes") for s in sorted(glob.glob(os.path.join(SCENARIOS, part, "*.scn")))]
wordy = [s for s in everything if ANYTHING.search(texts_of(s)) and "exported-texts" not in s]
chosen = wordy[::max(1, -(-len(wordy) // MOST))]
check(len(chosen) >= 8, f"{len(chosen)} scenarios with words of Windows")
for scenario in chosen:
    english = solve(scenario, "en")
    for language in LANGUAGES[1:]:
        other = solve(scenario, language)
        check(other == english, f"{os.path.basename(scenario)} in {language}: {other}, in English {english}")

# A record without the key of its service has the display name alone.
crash = os.path.join(SCENARIOS, "localised-de.scn")
english = solve(crash, "en", " Binary:bin16=TermService")
check(english[2] and english[2][0][0] == "srv.process_crash", f"the name alone will do: {english}")
for language in LANGUAGES[1:]:
    other = solve(crash, language, " Binary:bin16=TermService")
    check(other == english, f"the service's name in {language}: {other}, in English {english}")
finish()
