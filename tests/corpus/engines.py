"""What both engines tell of a record, compared: equal but for what docs/formats/evtx.md lists."""
import json

RENDERED = {"level_name", "task_name", "opcode_name", "keyword_names", "message", "message_source"}


def is_number_of(ours, theirs):
    """Hexadecimal numbers have all digits, those of a pointer's size are decimal; fractions have an exponent."""
    try:
        if ours.startswith("0x"):
            return int(ours, 16) == int(theirs, 0 if theirs.startswith("0x") else 10)
        return float(ours) == float(theirs)
    except ValueError:
        return False


def is_same(ours, theirs):
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    if isinstance(ours, int) and ours not in (0, 1) and theirs == "true":
        return True  # a bool that is neither
    ours, theirs = json.dumps(ours) if isinstance(ours, bool) else str(ours), str(theirs)
    if ours == theirs or ours == theirs.strip("{}") or is_number_of(ours, theirs):
        return True
    # Times have nine digits; those that do not say their zone get one.
    return ours[:4].isdigit() and theirs in (ours[:-1] + "00Z" if ours.endswith("Z") else "", ours + "Z")


def is_markup(value):
    """libevtx does not escape a text that looks like XML: it becomes elements."""
    return any("<" in str(item) and ">" in str(item) for item in (value if isinstance(value, list) else [value]))


def differences(ours, theirs):
    if ours.get("message_source") == "own" == theirs.get("message_source"):
        del ours["message"], theirs["message"]  # it quotes the data, which is compared below
    for key in set(ours) | set(theirs):
        if key not in ("flags", "data") and not is_same(ours.get(key), theirs.get(key)):
            if not (key in RENDERED and key not in theirs):  # a second document behind the event is not given
                yield f"{key}: {ours.get(key)!r}, libevtx {theirs.get(key)!r}"
    mine, other = ours.get("data", {}), theirs.get("data", {})
    if any(map(is_markup, mine.values())):
        return
    mine = {name: value for name, value in mine.items() if not name.startswith("RenderingInfo") or name in other}
    if list(mine) != list(other):
        yield f"names {list(mine)}, libevtx {list(other)}"
    for name in mine:
        if name in other and not is_same(mine[name], other[name]):
            yield f"{name}: {mine[name]!r}, libevtx {other[name]!r}"
