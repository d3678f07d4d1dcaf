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

complaints = []
paths = source.sources()
for path in paths:
    room = source.room_of(path)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', source.read(path), re.M):
        included = match.group(1)
        first = included.split("/")[0] if "/" in included else room.split("/")[0]
        if room == "fixtures/gen" and first == "gen":
            first = "fixtures"
        if first not in MAY[room]:
            line = source.line_of(source.read(path), match.start())
            complaints.append(f"{path}:{line}: {room}/ may not include {included}")
source.finish(complaints, len(paths), "files")
