"""Hostile YAML: each file is refused with a sentence and a place, in no time, and the others load."""
import time

from tool import check, expect, finish, path, run, write

HEAD = "title: x\nlogsource: {product: windows}\ndetection:\n"
REFUSED = {
    "aliases": ("a: &x [1]\nb: *x\n", "anchors and tags have no place"),
    "laughs": ("a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n", "anchors and tags have no place"),
    "tags": ("title: !!python/object:os.system x\n", "anchors and tags have no place"),
    "merge": ("<<: *x\ntitle: y\n", "aliases have no place"),
    "deep": ("[" * 100000, "deeper than 32"),
    "deep-map": ("{a: " * 50000, "deeper than 32"),
    "deep-block": ("\n".join("  " * i + "a:" for i in range(200)) + "\n", "deeper than 32"),
    "keys": ("\n".join(f"k{i}: 1" for i in range(2000)), "more than 1024 keys"),
    "items": (HEAD + "  s:\n    A:\n" + "".join(f"      - v{i}\n" for i in range(10001)) + "  condition: s\n", "more than 10000 items"),
    "values": ("---\n" + "\n".join("- [" + ",".join("1" * 1 for _ in range(9000)) + "]" for _ in range(23)), "more than 200000 values"),
    "twice": ("title: a\ntitle: b\n", "the key 'title' stands here twice"),
    "key": ("? [a, b]\n: c\n", "a key that is no text"),
    "broken": ("title: [a\n", "YAML:"),
    "tab": ("title:\n\t- a\n", "YAML:"),
    "utf8": (b"title: \xff\xfe\n", "byte 0xff is not UTF-8"),
    "nul": (b"title: a\x00b\n", "byte 0x00 has no place"),
    "utf16": ("title: a\n".encode("utf-16"), "is not UTF-8"),
    "empty": ("", "the file holds no rule"),
    "comment": ("# nothing\n", "the file holds no rule"),
    "list": ("- a\n", "the document is no map"),
    "other": ("title: a\n", "no 'detection', 'correlation' or 'filter'"),
    "action": ("action: global\ntitle: a\n", "'action' belongs to rule collections"),
    "no-title": ("logsource: {product: windows}\ndetection: {s: {A: x}, condition: s}\n", "the rule has no 'title'"),
    "no-source": ("title: a\ndetection: {s: {A: x}, condition: s}\n", "the rule has no 'logsource'"),
    "no-words": ("title: a\nlogsource: {definition: x}\ndetection: {s: {A: x}, condition: s}\n", "names no product, category or service"),
    "level": ("title: a\nlevel: hgih\nlogsource: {product: windows}\ndetection: {s: {A: x}, condition: s}\n", "did you mean 'high'"),
    "taxonomy": ("title: a\ntaxonomy: ecs\nlogsource: {product: windows}\ndetection: {s: {A: x}, condition: s}\n", "taxonomy 'ecs' is not known"),
    "parentheses": (HEAD + "  s: {A: x}\n  condition: " + "(" * 5000 + "s" + ")" * 5000 + "\n", "parentheses lie deeper than 32"),
    "long-regex": (HEAD + "  s: {'A|re': '" + "a" * 5000 + "'}\n  condition: s\n", "a regex of 5000 bytes"),
    "recursive-regex": (HEAD + "  s: {'A|re': '" + "(" * 300 + "a" + ")" * 300 + "'}\n  condition: s\n", "the regex is wrong"),
    "big": ("# " + "x" * (1 << 20) + "\n", "larger than 1 MiB"),
}
for name, (text, words) in REFUSED.items():
    file = write(f"hostile/{name}.yml", text)
    start = time.monotonic()
    done = expect(run("rules", "check", file), 2, f"{name}.yml", words)
    check(time.monotonic() - start < 20, f"{name}: refused in no time")
write("hostile/zz-good.yml", HEAD + "  s: {A: x}\n  condition: s\n")
expect(run("rules", "check", path("hostile")), 3, "zz-good.yml: 1 rules", "aliases.yml: refused")

# A search that is used again and again: its rule does not run, and that is told.
names = "".join(f"      - value{i}\n" for i in range(9000))
uses = " or ".join(["s"] * 200)
expect(run("rules", "check", write("uses.yml", HEAD + f"  s:\n    A:\n{names}  condition: {uses}\n")), 0, "the rule does not run")
# Three documents, of which one is wrong: none of them is taken.
one = "title: {0}\nlogsource: {{product: windows}}\ndetection: {{s: {{A: x}}, condition: {1}}}\n"
three = "---\n".join([one.format("a", "s"), one.format("b", "t"), one.format("c", "s")])
expect(run("rules", "check", write("three.yml", three)), 2, "three.yml:7:", "'t' is no search identifier", "refused")
expect(run("rules", "check", write("same.yml", "---\n".join([one.format("a", "s")] * 2))), 2, "is defined already at")
finish()
