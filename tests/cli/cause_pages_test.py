"""docs/causes: one page a cause, as the program writes them; --write rewrites them. And what `explain CAUSE` answers."""
import json
import os
import sys

from tool import TOP, check, expect, finish, run

PAGES = os.path.join(TOP, "docs", "causes")
causes = [json.loads(line) for line in expect(run("explain", "causes", "--format", "json"), 0).text.splitlines()]
ids = [cause["cause"] for cause in causes]
check(len(ids) >= 50 and len(set(ids)) == len(ids), "the causes")

pages = {f"{name}.md": expect(run("explain", name, "--format", "md"), 0, f"# {name}: ").text for name in ids}
pages["README.md"] = expect(run("explain", "causes", "--format", "md"), 0).text
if "--write" in sys.argv:
    os.makedirs(PAGES, exist_ok=True)
    for name in os.listdir(PAGES):
        if name not in pages:
            os.remove(os.path.join(PAGES, name))
    for name, text in pages.items():
        with open(os.path.join(PAGES, name), "w", encoding="utf-8") as file:
            file.write(text)
for name, text in pages.items():
    full = os.path.join(PAGES, name)
    stands = open(full, encoding="utf-8").read() if os.path.exists(full) else ""
    check(stands == text, f"docs/causes/{name} is not what rules and facts say now; ./dev causes writes it")
for name in os.listdir(PAGES):
    check(name in pages, f"docs/causes/{name} is of no cause; ./dev causes takes it away")

# Every rule of the packs names a cause that has a row, and stands on its page with all its score lines.
rules = [json.loads(line) for line in expect(run("rules", "list", "--format", "json"), 0).text.splitlines()]
by_id = {cause["cause"]: cause for cause in causes}
for rule in rules:
    if not rule["cause"]:
        continue
    check(rule["cause"] in by_id, f"rule {rule['rule']} names the cause {rule['cause']}, which has no row in facts/causes.def")
    if rule["cause"] not in by_id:
        continue
    check(rule["rule"] in [other["rule"] for other in by_id[rule["cause"]]["rules"]], f"{rule['rule']} is on the page of its cause")
    check(f"`{rule['rule']}`" in pages[rule["cause"] + ".md"], f"{rule['rule']} is named on the page of its cause")
for cause in causes:
    lines = cause["for"] + cause["against"]
    check(all(line["points"] > 0 for line in cause["for"]) and all(line["points"] <= 0 for line in cause["against"]),
          f"{cause['cause']}: points of both sides")
    check(all(line["text"] and "{" not in line["text"] and "$" not in line["text"] for line in lines),
          f"{cause['cause']}: no place of a rule's text is left")
    check(bool(cause["rules"]) == bool(lines), f"{cause['cause']}: rules without lines")
    check(cause["title"] and cause["fix"] and cause["check"] and cause["collect"], f"{cause['cause']}: advice")
    for code in cause["codes"]:
        check(code["meaning"] and code["space"], f"{cause['cause']}: code {code['code']}")

# The way back: a code names the causes whose pages name it.
for cause in causes:
    for code in cause["codes"][:2]:
        answer = json.loads(run("explain", f"{code['space']}:{code['decimal']}", "--format", "json").text)
        check(cause["cause"] in answer["cause_ids"], f"{code['space']}:{code['decimal']} leads to {cause['cause']}")

text = expect(run("explain", "srv.denied"), 0, "srv.denied", "Evidence for it", "+70 decisive", "What to do", "exDiscReasonServerDeniedConnection")
check("{" not in text.text and max(map(len, text.text.splitlines())) <= 100, "the text is set in lines", text)
expect(run("explain", "causes"), 0, *ids)
expect(run("explain", "srv.denied", "--format", "html"), 2, err="text, md or json")
expect(run("explain", "0x904", "--format", "md"), 2, err="text or json")
expect(run("explain", "srv.denied", "0x7"), 2, err="one word too many")
expect(run("explain", "srv.denid"), 2, err="near it: srv.denied")
expect(run("explain", "vpn"), 2, err="net.vpn_drop")
finish()
