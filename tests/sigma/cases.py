"""What the tests of Sigma share: YAML, events as a log, and one run of match over many cases."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))
from tool import FIXTURES, build, check, finish, path, run, skip, write  # noqa: E402

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed; ./dev setup installs it")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return yaml.load(file, Loader=LOADER)


def dump(*documents):
    return "---\n".join(yaml.safe_dump(document, sort_keys=False, allow_unicode=True) for document in documents)


def uuid(number, kind=0):
    return f"{number:08d}-{kind:04d}-4000-8000-000000000000"


def quoted(value):
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + text.replace("$", "$$") + '"'


def word_of(key):
    name, _, kind = key.partition(":")
    return (quoted(name) if " " in name else name) + ":" + (kind or "str")


def log_of(events, name="cases"):
    """A log with these events, (seconds, {name or name:type: value}), in the order given."""
    if not os.path.exists(FIXTURES):
        skip("fl-fixtures is not built")
    lines = ["base 2026-03-02T10:00:00Z", "machine BOX role=server name=BOX.example.test", "log Types on BOX first_id=1"]
    for seconds, fields in events:
        words = " ".join(f"{word_of(key)}={quoted(value)}" for key, value in fields.items())
        lines.append(f"t+{seconds}s BOX evtx Types 1 {words}")
    lines.append(f"bundle {name} dir layout=flat of BOX")
    scenario = write(f"{name}.scn", "\n".join(lines) + "\n")
    build(scenario, path(name))
    for top, _, names in os.walk(path(name)):
        for file in sorted(names):
            if file.endswith(".evtx"):
                return os.path.join(top, file)
    skip("the scenario holds no log")
    return None


def match(log, rules, *options):
    """The findings, as dictionaries, and the result itself."""
    done = run("match", log, "--rules", rules, "--format", "json", *options)
    return [json.loads(line) for line in done.text.splitlines()], done


def refusal(text, name):
    """The first complaint of `rules check` about a rule, and its grade."""
    done = run("rules", "check", write(name, text), "--format", "json")
    row = json.loads(done.text.splitlines()[0])
    return [error["text"] for error in row["errors"]], [warning["text"] for warning in row["warnings"]], done


__all__ = ["check", "dump", "finish", "load", "log_of", "match", "path", "quoted", "refusal", "run", "skip", "uuid", "write", "yaml"]
