"""The arrows between rooms: who may include whom (docs/ARCHITECTURE.md)."""
import re

import source

MAY = {
    "include/faultline": ("faultline",),
    "base": ("faultline", "base"),
    "facts": ("faultline", "base", "facts"),
    "parsers": ("faultline", "base", "parsers"),
    "timeline": ("faultline", "base", "timeline"),
    "rules": ("faultline", "base", "rules"),
    "report": ("faultline", "base", "report"),
    "cli": ("faultline", "cli"),
    "fixtures/gen": ("faultline", "base", "fixtures"),
}

FOLDERS = {room.split("/")[0] for room in MAY} | {"faultline", "gen", "tests"}
complaints = []
paths = source.sources()
for path in paths:
    room = source.room_of(path)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', source.read(path), re.M):
        included = match.group(2)
        if match.group(1) == "<" and included.split("/")[0] not in FOLDERS:
            continue  # the system's
        first = included.split("/")[0] if "/" in included else room.split("/")[0]
        if room == "fixtures/gen" and first == "gen":
            first = "fixtures"
        if first not in MAY[room]:
            line = source.line_of(source.read(path), match.start())
            complaints.append(f"{path}:{line}: {room}/ may not include {included}")
source.finish(complaints, len(paths), "files")
