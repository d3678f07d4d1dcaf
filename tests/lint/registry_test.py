"""Every line of a .def registry has its file, and every command its page and its tests."""
import os
import re

import source

REGISTRIES = {  # registry -> its macro
    "parsers/parsers.def": "FL_PARSER",
    "report/exporters.def": "FL_EVENT_FORMAT",
    "cli/commands.def": "FL_COMMAND",
}
complaints = []
n = 0


def ids(registry, macro):
    return re.findall(rf"^{macro}\((\w+)", source.read(registry), re.M)


def has_file(registry, name):
    """A file of its own, or a table row in one that several share."""
    folder = registry.rsplit("/", 1)[0]
    if os.path.exists(os.path.join(source.TOP, folder, name + ".c")):
        return True
    shared = [f for f in source.files(".c") if f.startswith(folder + "/")]
    return any(re.search(rf"\b(?:fl_parser_|fl_report_format_|fl_event_format_){name}\b|^\w+\({name}\b", source.read(f), re.M)
               for f in shared)


for registry, macro in REGISTRIES.items():
    found = ids(registry, macro)
    n += len(found)
    if not found:
        complaints.append(f"{registry}: no {macro}() line")
    for name in found:
        if not has_file(registry, name):
            complaints.append(f"{registry}: {name} has no file")
    for name in {name for name in found if found.count(name) > 1}:
        complaints.append(f"{registry}: {name} stands twice")

pages = "".join(source.read(f) for f in source.files(".md") if f.startswith("docs/formats/"))
for name in re.findall(r'^FL_PARSER\(\w+, "(\w+)"', source.read("parsers/parsers.def"), re.M):
    n += 1
    if not re.search(rf"\b{name}\b", pages):
        complaints.append(f"docs/formats: no word of {name}")

page = source.read("docs/cli.md")
for name in ids("cli/commands.def", "FL_COMMAND"):
    n += 1
    if f"faultline {name}" not in page:
        complaints.append(f"docs/cli.md: no word of {name}")
options = dict(re.findall(r'^FL_OPTION\((\w+), "([\w-]+)"', source.read("cli/options.def"), re.M))
taken = set()
for row in re.findall(r"^FL_COMMAND\(.*?\)$", source.read("cli/commands.def"), re.M | re.S):
    taken.update(re.findall(r"[\w-]+", "".join(re.findall(r'"([^"]*)"', row)[2:])))
for name in options.values():
    n += 1
    if f"`--{name}" not in page:
        complaints.append(f"docs/cli.md: no word of --{name}")
    if name not in taken:
        complaints.append(f"cli/options.def: no command takes --{name}")
for name in taken - set(options.values()):
    complaints.append(f"cli/commands.def: {name} is no option")
source.finish(complaints, n, "lines")
