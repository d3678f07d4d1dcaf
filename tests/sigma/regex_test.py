"""Regexes that are made to take for ever: bounded, given up after three events, and told."""
import time

from cases import check, dump, finish, log_of, path, run, uuid, write

HARD = [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"((a*)*)*b", r"(x+x+)+y", r"(.*)(.*)(.*)(.*)(.*)b$",
        r"(?:a?){50}a{50}b", r"(a{1,100}){1,100}b", r"^(a+)+\d", r"([a-zA-Z]+)*\d", r"(\w+\s?)+\d$", r"(?=(a+))a*b\1", r"(a|b|ab)*c"]
for number, pattern in enumerate(HARD):
    write(f"rules/{number:02d}.yml", dump({"title": pattern, "id": uuid(number), "logsource": {"product": "windows"},
                                           "detection": {"s": {"A|re": pattern}, "condition": "s"}}))
log = log_of([(second, {"A": "a" * 28000}) for second in range(6)])
start = time.monotonic()
done = run("match", log, "--rules", path("rules"))
took = time.monotonic() - start
check(done.code == 3 and "was given up" in done.notes, "what was given up is told", done)
check("6  sigma" in done.text and "(a+)+$" in done.text, "what can be answered is answered", done)
check(took < 60, f"{len(HARD)} regexes over 6 events took {took:.1f} s")
finish()
