"""The hand we write in, as far as a script can see it."""
import re

import source

FORBIDDEN = ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "alloca", "setjmp", "longjmp", "system", "popen",
             "strtok", "tmpnam", "mktemp", "atoi", "atol", "rand", "srand", "setlocale", "localtime", "gmtime",
             "asctime", "ctime")
ONLY_IN = {  # call -> where it may stand
    r"pthread_\w+": ("base/pool.c",),
    r"v?fork": ("cli/batch.c", "base/guard.c", "rules/yara_guard.c"),
    r"exec[lv]\w*|posix_spawnp?": ("cli/rules_test.c",),
    r"(?:secure_)?getenv": ("cli/",),
    r"time|clock|clock_gettime|gettimeofday": (),
    r"isatty": ("cli/",),
}
MAX_FUNCTION, MAX_FILE, MAX_PARAMETERS = 80, 600, 6
MORE_PARAMETERS = {"fl_report_record": 8}  # a record, its bytes and its name come from three places
complaints = []


def complain(path, line, text):
    complaints.append(f"{path}:{line}: {text}")


def check_first_line(path, text):
    name = path.rsplit("/", 1)[1]
    first = text.split("\n", 1)[0]
    if not re.match(rf"/\* {re.escape(name)} - .*\S", first) and not re.match(rf"/\* {re.escape(path)} - ", first):
        complain(path, 1, f'the first line should read "/* {name} - one sentence. */"')


def check_calls(path, text):
    for name in FORBIDDEN:
        for match in re.finditer(rf"(?<![\w.>]){name}\s*\(", text):
            complain(path, source.line_of(text, match.start()), f"{name}() is not used here")
    for pattern, places in ONLY_IN.items():
        for match in re.finditer(rf"(?<![\w.>])(?:{pattern})\s*\(", text):
            if not any(path.startswith(place) for place in places):
                word = match.group(0).rstrip("( ")
                complain(path, source.line_of(text, match.start()), f"{word}() belongs to {places or 'no room'}")


def check_reads(path, text):
    """C leaves the order of reads inside one statement open."""
    reads = r"\bfl_rd_(?:u8|u16|u32|u64|bytes|sub|skip|seek)\s*\("
    for match in re.finditer(r"[^;{}]+", text):
        if len(re.findall(reads, match.group(0))) > 1 and "#" not in match.group(0):
            complain(path, source.line_of(text, match.start()), "two reads in one statement")


def check_functions(path, text):
    """A body starts with '{' behind a ')' at depth 0 and ends with '}' in the first column."""
    for match in re.finditer(r"^[A-Za-z_][\w \t*]*?\b(\w+)\(([^;{}]*?)\)\s*\{", text, re.M):
        start = source.line_of(text, match.start())
        end = text.find("\n}", match.end() - 1)
        one_line = text.find("}", match.end())
        newline = text.find("\n", match.end())
        if one_line != -1 and (newline == -1 or one_line < newline) and text[match.end():one_line].count("{") == 0:
            end = one_line
        length = source.line_of(text, end + 1) - start + 1 if end != -1 else 0
        if length > MAX_FUNCTION:
            complain(path, start, f"{match.group(1)} has {length} lines, at most {MAX_FUNCTION}")
        depth, n = 0, 1 if match.group(2).strip() not in ("", "void") else 0
        for c in match.group(2):
            depth += (c in "(<[") - (c in ")>]")
            n += c == "," and depth == 0
        if n > MORE_PARAMETERS.get(match.group(1), MAX_PARAMETERS):
            complain(path, start, f"{match.group(1)} has {n} parameters, at most {MAX_PARAMETERS}")


def is_constant(words):
    """Of a declaration up to its name: what it names cannot be assigned; `const char *p` can."""
    return bool(re.search(r"\bconst\b", words.rsplit("*", 1)[-1]))


def file_scope(text):
    """(position, words) of every object at file scope: what is declared outside of braces and parentheses."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.M)
    depth, start, flat = 0, 0, ""
    for i, c in enumerate(text):
        if c == "}":
            depth -= 1
            if depth == 0 and "=" not in flat and not re.match(r"\s*(?:(?:static|extern|const)\s+)*(?:struct|union|enum)\b",
                                                               flat.replace("typedef", "struct", 1)):
                start, flat = i + 1, ""  # a function ends here
        elif c == "{":
            depth += 1
        elif depth == 0 and c == ";":
            yield start, flat
            start, flat = i + 1, ""
        elif depth == 0:
            flat += c


def check_statics(path, text):
    """No mutable state outside of calls; a signal's flag is the one exception."""
    objects = [(match.start(1), match.group(1)) for match in
               re.finditer(r"^[ \t]+static\s+(?!inline\b|_Noreturn\b)([^(;={}]+?)\s*(?:=|;|\[)", text, re.M)]
    for start, flat in file_scope(text):
        words = re.sub(r"\bFL_API\b", "", re.split(r"[=\[]", flat)[0]).strip()
        if "(" not in words and not re.match(r"(?:typedef|extern)\b", words) and re.search(r"\w[\s*]+\w+$", words) and \
                not re.fullmatch(r"(?:struct|union|enum)\s+\w+", words):
            objects.append((start + len(flat) - len(flat.lstrip()), words))
    for start, words in objects:
        if "sig_atomic_t" not in words and not is_constant(words):
            complain(path, source.line_of(text, start), f"state outside of calls: {' '.join(words.split())}")


paths = source.sources()
for path in paths:
    raw = source.read(path)
    text = source.code(path)
    check_first_line(path, raw)
    check_calls(path, text)
    check_reads(path, text) if path != "base/rd.h" else None
    check_functions(path, text)
    check_statics(path, text)
    if raw.count("\n") > MAX_FILE:
        complain(path, MAX_FILE, f"{raw.count(chr(10))} lines, at most {MAX_FILE}")
    if raw.count("\t"):
        complain(path, source.line_of(raw, raw.index("\t")), "a tab")
source.finish(complaints, len(paths), "files")
