"""Correlations of Sigma: each case of correlations.yml, and that no order of inputs shows."""
import re

from cases import check, dump, finish, load, log_of, match, path, refusal, uuid, write

BASE = "abcd"
cases = load("correlations.yml")


def rename(value, number, names):
    """The words of a case are made its own: a of case 7 is a_7."""
    if isinstance(value, str) and (value in names or re.search(r"\b(and|or|not)\b", value)):
        return re.sub(r"\b(" + "|".join(map(re.escape, names)) + r")\b", lambda m: f"{m.group(1)}_{number}", value)
    if isinstance(value, list):
        return [rename(item, number, names) for item in value]
    if isinstance(value, dict):
        return {rename(key, number, names) if key in names else key: rename(item, number, names) for key, item in value.items()}
    return value


def documents(number, case):
    names = list(BASE) + list(case.get("inner", {}))
    for i, letter in enumerate(BASE):
        yield {"title": f"base {letter} of {number}", "id": uuid(number, i + 1), "name": f"{letter}_{number}",
               "logsource": {"product": "windows"},
               "detection": {"selection": {"Case": str(number), "Kind|contains": letter}, "condition": "selection"}}
    for i, (name, inner) in enumerate(case.get("inner", {}).items()):
        yield {"title": f"{name} of {number}", "id": uuid(number, 10 + i), "name": f"{name}_{number}",
               "correlation": rename(inner, number, names)}
    yield {"title": case["name"], "id": uuid(number, 9), "correlation": rename(case["correlation"], number, names)}


def events(number, case):
    for word in case["events"].split():
        kind, rest = word.split("@")
        seconds, *fields = rest.split("/")
        yield seconds, {"Case": number, "Kind": kind, **dict(field.split("=", 1) for field in fields)}


good = [(number, case) for number, case in enumerate(cases) if "refuse" not in case]
log = log_of([event for number, case in good for event in events(number, case)])
for number, case in good:
    write(f"rules/{number:03d}.yml", dump(*documents(number, case)))
found, done = match(log, path("rules"))
check(done.code == 0, "every correlation is taken", done)
for number, case in good:
    own = [hit for hit in found if hit["rule"] == uuid(number, 9)]
    check(len(own) == case["findings"], f"{case['name']}: {len(own)} findings, expected {case['findings']}")
    if "sizes" in case:
        sizes = [len(hit["events"]) for hit in own]
        check(sizes == case["sizes"], f"{case['name']}: events {sizes}, expected {case['sizes']}")
    if "base" in case:
        base = sum(hit["rule"] in [uuid(number, i + 1) for i in range(len(BASE))] for hit in found)
        check(base == case["base"], f"{case['name']}: {base} findings of base rules, expected {case['base']}")
for number, case in enumerate(cases):
    if "refuse" not in case:
        continue
    errors, _, checked = refusal(dump(*documents(number, case)), f"refused/{number:03d}.yml")
    check(any(case["refuse"] in re.sub(rf"_{number}\b", "", text) for text in errors), f"{case['name']}: {errors}", checked)
check(len(cases) >= 100, "at least a hundred cases")
finish()
