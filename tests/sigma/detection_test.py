"""Detections of Sigma: each case of detections.yml, through a log and the command line."""
from cases import check, dump, finish, load, log_of, match, path, refusal, uuid, write

cases = load("detections.yml")


def detection(number, case):
    """The case's detection, for its own events alone; names with '_' do not count among `them`."""
    own = dict(case["detection"]) if "detection" in case else {"sel": case["sel"], "condition": "sel"}
    if "condition" in own and "refuse" not in case:
        conditions = own["condition"] if isinstance(own["condition"], list) else [own["condition"]]
        own["_case"] = {"Case": f"case {number}"}
        own["condition"] = [f"_case and ({condition})" for condition in conditions]
    return own


def rule(number, case):
    return {"title": case["of"], "id": uuid(number), "logsource": {"product": "windows"}, "detection": detection(number, case)}


def main():
    events, wanted = [], []
    for number, case in enumerate(cases):
        if "refuse" in case:
            continue
        write(f"rules/{number:03d}.yml", dump(rule(number, case)))
        for holds in (True, False):
            for fields in case["hit" if holds else "miss"]:
                events.append((len(events) / 1000, {"Case": f"case {number}", **fields}))
                wanted.append((number, holds, fields))
    found, done = match(log_of(events), path("rules"))
    check(done.code == 0, "every rule is taken", done)
    hits = {(hit["rule"], hit["events"][0]["record_id"]) for hit in found}
    for record, (number, holds, fields) in enumerate(wanted, 1):
        check(((uuid(number), record) in hits) == holds, f"{cases[number]['of']}: {fields} {'should' if holds else 'should not'} match")
    for number, case in enumerate(cases):
        if "refuse" not in case and "warn" not in case:
            continue
        errors, warnings, checked = refusal(dump(rule(number, case)), f"checked/{number:03d}.yml")
        said = errors if "refuse" in case else warnings
        check(any(case.get("refuse", case.get("warn")) in text for text in said), f"{case['of']}: {errors} {warnings}", checked)
    check(len(wanted) >= 300, f"at least 300 events, found {len(wanted)}")


if __name__ == "__main__":
    main()
    finish()
