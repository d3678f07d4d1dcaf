"""The other lint tests see what they are for: a tree with mistakes in it, and one without."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOUND = """/* x.c - one sentence. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/rd.h"

#define LIST(x) \\
  int x;
struct thing;
typedef struct point {
  int x, y;
} point;
enum { MOST = 3 };
extern const char *const names[MOST];
const char *const names[MOST] = {"a", "b"};
static const point origin = {0, 0};
static volatile sig_atomic_t interrupted;
int add(int a, int b);
static int once(void);
static int (*const calls[])(void) = {once};

static int once(void) {
  static const int numbers[] = {1, 2};
  const point p = {.x = 1};
  for (int i = 0; i < 2; i++)
    if (numbers[i]) return p.x;
  return 0;
}

int add(int a, int b) { return a + b; }
const int last = 7;
"""
MISTAKES = {  # text that is put behind the sound one -> words of the complaint
    "code_test.py": {
        "int counter = 0;\n": "state outside of calls: int counter",
        "point here;\n": "state outside of calls: point here",
        "struct thing *first;\n": "state outside of calls: struct thing *first",
        "static int counter;\n": "state outside of calls: static int counter",
        "static struct {\n  int n;\n} cache = {0};\n": "state outside of calls: static struct",
        "static const char *name = \"a\";\n": "state outside of calls: static const char *name",
        "const char *list[2];\n": "state outside of calls: const char *list",
        "int f(void);\nint f(void) {\n  static int n = 0;\n  return n;\n}\n": "state outside of calls: int n",
        "int f(void);\nint f(void) { return getenv(\"A\") != 0; }\n": "getenv() belongs to",
        "int f(void);\nint f(void) { return secure_getenv(\"A\") != 0; }\n": "secure_getenv() belongs to",
    },
    "includes_test.py": {
        '#include "parsers/parser.h"\n': "base/ may not include parsers/parser.h",
        "#include <parsers/parser.h>\n": "base/ may not include parsers/parser.h",
        "# include <cli/cli.h>\n": "base/ may not include cli/cli.h",
    },
    "words_test.py": {
        "/* see elsewhere" ".md */\n": "a document that is not there: elsewhere" ".md",
    },
}
complaints = []
n_checks = 0


def run(script, text):
    with tempfile.TemporaryDirectory(prefix="faultline-lint-") as top:
        os.mkdir(os.path.join(top, "base"))
        with open(os.path.join(top, "base", "x.c"), "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([sys.executable, "-B", os.path.join(HERE, script)], capture_output=True, text=True,
                              env=dict(os.environ, FL_TOP=top))


for script, mistakes in MISTAKES.items():
    done = run(script, SOUND)
    n_checks += 1 + len(mistakes)
    if done.returncode:
        complaints.append(f"{script} complains about a sound file: {done.stdout}{done.stderr}")
    for text, words in mistakes.items():
        done = run(script, SOUND + text)
        if done.returncode != 1 or words not in done.stdout:
            complaints.append(f"{script} does not say {words!r} about {text!r}: {done.stdout}{done.stderr}")
for complaint in complaints:
    print(complaint)
print(f"{n_checks} checks, {len(complaints)} complaints")
sys.exit(1 if complaints else 0)
