"""clang-format 14 with the repository's file has the last word on layout."""
import shutil
import subprocess
import sys

import source

tool = shutil.which("clang-format-14")
if not tool:
    print("skipped: clang-format-14 is not installed; ./dev setup installs it")
    sys.exit(77)
paths = source.sources() + [f for f in source.files(".c") if f.startswith("tests/")]
complaints = []
for path in paths:
    done = subprocess.run([tool, "--output-replacements-xml", path], cwd=source.TOP, capture_output=True, text=True)
    n = done.stdout.count("<replacement ")
    if done.returncode or n:
        complaints.append(f"{path}: {n} places differ; ./dev format mends them")
source.finish(complaints, len(paths), "files")
