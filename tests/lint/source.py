"""What the lint tests share: the tree's files, C text without comments, and complaints."""
import os
import re
import subprocess
import sys

TOP = os.environ.get("FL_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("base", "facts", "parsers", "timeline", "rules", "report", "cli", "fixtures/gen", "include/faultline")


def files(*suffixes):
    """Paths below the top that belong to the project, sorted."""
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = sorted(f for f in folders if f not in ("build", ".git", "__pycache__"))
        for name in names:
            if not suffixes or name.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(folder, name), TOP))
    return sorted(f for f in found if not f.endswith((".part", ".pyc")) and f not in ignored())


_ignored = None


def ignored():
    """Untracked files that git ignores; none where there is no git."""
    global _ignored
    if _ignored is None:
        try:
            out = subprocess.run(["git", "-C", TOP, "ls-files", "-oi", "--exclude-standard"],
                                 capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            out = ""
        _ignored = set(out.split("\n"))
    return _ignored


def room_of(path):
    return next((room for room in ROOMS if path.startswith(room + "/")), None)


def sources(*rooms):
    return [f for f in files(".c", ".h") if room_of(f) and (not rooms or room_of(f) in rooms)]


def read(path):
    """The text of a file; nothing for one that is not there."""
    if not os.path.exists(os.path.join(TOP, path)):
        return ""
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def code(path):
    """C text with comments, strings and characters blanked; line numbers and columns stay."""
    def blank(match):
        text = match.group(0)
        kept = text[0] if text[0] in "\"'" else ""
        return kept + re.sub(r"[^\n]", " ", text[len(kept):len(text) - len(kept)]) + kept

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, read(path), flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def finish(complaints, n_checked, what):
    for complaint in complaints:
        print(complaint)
    print(f"{n_checked} {what} checked, {len(complaints)} complaints")
    sys.exit(1 if complaints or not n_checked else 0)
