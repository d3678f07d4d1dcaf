"""Rules that ask for too much: each is refused, or stopped within its limit, with a sentence; never a crash or a hang."""
import resource
import time

import sample
from tool import check, expect, finish, path, run, write

log = sample.log()
CPU_SECONDS = 100  # of the sanitised build on a busy machine; what has no end takes all of them


def timed(words, code, *wanted, err=()):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    start = time.monotonic()
    done = expect(run(*words), code, *wanted, err=err)
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    check(took < CPU_SECONDS, f"{words[-1]}: {took:.0f} s of processor, {time.monotonic() - start:.0f} s in all")
    return done


def match(name, text, code, *wanted, err=()):
    return timed(("match", log, "--rules", write(name, text)), code, *wanted, err=err)


# Sigma: many values, deep conditions and documents, regexes at and over the limits.
def sigma(detection, more=""):
    return f"title: hostile\nid: 99999999-9999-4111-8111-999999999999\nlogsource: {{product: windows}}\ndetection:\n{detection}\n{more}"


values = lambda n: "  s:\n    Value|contains:\n" + "".join(f"      - v{i}\n" for i in range(n))
match("s/values.yml", sigma(values(10000) + "  condition: s"), 0, "no rule matched")
match("s/more-values.yml", sigma(values(10001) + "  condition: s"), 2, err="10000")
match("s/forms.yml", sigma("  s:\n    Value|base64offset|contains:\n" + "".join(f"      - v{i}\n" for i in range(9000)) + "  condition: s"), 2,
      err="20000")
match("s/deep.yml", sigma("  s: {EventID: 1026}\n  condition: " + "(" * 32 + "s" + ")" * 32), 0, "hostile")
match("s/deeper.yml", sigma("  s: {EventID: 1026}\n  condition: " + "(" * 3000 + "s" + ")" * 3000), 2, err="deeper than 32")
match("s/nested.yml", sigma("  s:\n" + "".join("  " * (i + 2) + f"k{i}:\n" for i in range(60)) + "  condition: s"), 2, err="deeper than 32")
match("s/uses.yml", sigma(values(2000) + "  condition: " + " or ".join(["s"] * 2000)), 0, err="condition has more than 1048576 parts")
regex = lambda text: sigma(f"  s: {{'CustomLevel|re': '{text}'}}\n  t: {{'Value|re': '{text}'}}\n  condition: s or t")
match("s/counted.yml", regex("a{0,1000}[bc]"), 0, "no rule matched")
match("s/twice.yml", regex("((a{0,1000}){0,1000}){0,1000}[bc]"), 2, err="the regex is wrong at its character")
match("s/endless.yml", regex("^((.|..)+)+[0-9]$").replace("CustomLevel", "Channel"), 3, err=("rule 99999999", "over the limit of 100000 steps", "given up"))
match("s/parentheses.yml", regex("(" * 65 + "a" + ")" * 65), 2, err="the regex is wrong")
match("s/large.yml", "---\n".join(regex(f"(x{i}(ab){{0,250}}){{1,8}}").replace("9999-4111", f"{i:04}-4111") for i in range(1400)), 2,
      err="the regexes of all rules take more than")

# Sequences: long alternatives, long lists, deep conditions.
FLR = """rule hostile { meta: title = "hostile"
  events: $a : provider "Microsoft-Windows-TerminalServices-ClientActiveXCore" { %s }
}
"""
match("f/alternatives.flr", FLR % ("Value matches /" + "|".join(f"w{i}x" for i in range(650)) + "/"), 0, "no rule matched")
match("f/long.flr", FLR % ("Value matches /" + "|".join(f"w{i}x" for i in range(1500)) + "/"), 2, err="expected at most 4096")
match("f/counted.flr", FLR % "Value matches /((a{0,1000}){0,1000}){0,1000}[bc]/", 2, err="regular expression")
match("f/endless.flr", FLR % "event.channel matches /^((.|..)+)+[0-9]$/", 3, "no rule matched", err="the regular expression reached its limit on 3 values")
match("f/list.flr", FLR % ("Value in (" + ", ".join(f'"w{i}"' for i in range(40000)) + ")"), 2, err="list.flr:2:")
match("f/deep.flr", FLR % ("(" * 5000 + "Value == 1" + ")" * 5000), 2, err="deep.flr:2:")
match("f/or.flr", FLR % " or ".join(f'Value == "w{i}"' for i in range(20000)), 0, "no rule matched")

# YARA: loops without end, hash functions in loops, regexes by the hundred, strings that are everywhere.
match("y/regexes.yar", "".join(f"rule r{i} {{ strings: $a = /{chr(97 + i % 26) * 3}(a|b|c|d){{1,200}}.{{0,200}}x{i}[0-9a-f]{{1,200}}/ condition: $a }}\n"
                               for i in range(400)), 0, "no rule matched")
match("y/many.yar", "rule m { strings: $a = { 00 00 } $b = { 00 ?? } condition: #a + #b > 1 }", 0, "1 rule matched")
match("y/loops.yar", 'import "hash"\nrule h { condition: for all i in (0..filesize) : (for all j in (0..filesize - i) : (hash.sha256(i, j) != "x")) }', 3,
      "no rule matched", err="limit reached: YARA rules were stopped after 3")
match("y/strings.yar", "rule s { strings: " + " ".join(f'$a{i} = "a{i}"' for i in range(20000)) + " condition: any of them }", 2, err="strings.yar")
finish()
