"""What no file of the project holds: paths of one machine, merge marks, blanks at line ends."""
import re

import source

# Pieces, so that this file does not complain about itself.
PATTERNS = {
    "a path of one machine": r"(?<![\w.<$}])/(?:home/\w+|root|work|Users/\w+)/[\w.]",
    "a merge mark": r"^(?:<{7}|>{7}) ",
    "work left open": r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b",
}
TEXT = (".c", ".h", ".def", ".py", ".sh", ".md", ".txt", ".cmake", ".in", ".flr", ".scn", ".json", ".csv", "dev", "run")


def cites(path):
    return path.endswith((".c", ".h", ".def", ".md")) and not path.startswith("tests/")


complaints = []
documents = {f.rsplit("/", 1)[-1] for f in source.files(".md")}
paths = [f for f in source.files(*TEXT) if f != "LICENSE"]
for path in paths:
    text = source.read(path)
    for what, pattern in PATTERNS.items():
        for match in re.finditer(pattern, text, re.M):
            complaints.append(f"{path}:{source.line_of(text, match.start())}: {what}: {match.group(0)}")
    for match in re.finditer(r"[\w-][\w.-]*\.md\b", text) if cites(path) else ():
        if match.group(0) not in documents:
            complaints.append(f"{path}:{source.line_of(text, match.start())}: a document that is not there: "
                              f"{match.group(0)}")
    if "/golden/" not in path:
        for match in re.finditer(r"[ \t]+$", text, re.M):
            complaints.append(f"{path}:{source.line_of(text, match.start())}: blanks at the end of the line")
            break
source.finish(complaints, len(paths), "files")
