"""The installed library: headers, both libraries, a pkg-config file, and a program that uses them."""
import os
import re
import shutil
import subprocess

import sample
from tool import BUILD, check, finish, path, run, skip, write

CLIENT = """#include <faultline/faultline.h>
#include <stdio.h>
static fl_status count(void *self, const fl_batch *batch, fl_err *err) {
  *(unsigned *)self += batch->n_rows;
  return err ? FL_OK : FL_E_ARG;
}
int main(int argc, char **argv) {
  unsigned n = 0;
  fl_err err = {0};
  fl_ingest_totals totals = {0};
  const fl_ingest_options options = {0};
  const fl_sink sink = {.self = &n, .batch = count};
  if (fl_ingest(argv + 1, (size_t)argc - 1, &options, &sink, &totals, &err) < FL_OK) return 1;
  printf("%u events, version %s\\n", n, fl_version());
  return 0;
}
"""
cmake, pkg_config = shutil.which("cmake"), shutil.which("pkg-config")
if not cmake or not pkg_config:
    skip("cmake or pkg-config is not installed")
log = sample.log()
if not os.path.exists(os.path.join(BUILD, "libfaultline.so")) or not os.path.exists(os.path.join(BUILD, "libfaultline.a")):
    skip("the libraries are not built")
# Any prefix will do, also one with which the build was not configured.
there = path("installed")
done = subprocess.run([cmake, "--install", BUILD, "--prefix", there], capture_output=True, text=True)
check(done.returncode == 0, f"cmake --install: {done.stderr}")
files = {os.path.relpath(os.path.join(top, name), there) for top, _, names in os.walk(there) for name in names}
for wanted in ("bin/faultline", "include/faultline/faultline.h"):
    check(wanted in files, f"{wanted} is installed")
for wanted in ("libfaultline.a", "libfaultline.so", "pkgconfig/faultline.pc"):
    check(any(name.endswith("/" + wanted) for name in files), f"{wanted} is installed")

folder = os.path.dirname(next(os.path.join(there, name) for name in files if name.endswith("faultline.pc")))
surroundings = dict(os.environ, PKG_CONFIG_PATH=folder, LD_LIBRARY_PATH=os.path.dirname(folder), ASAN_OPTIONS="detect_leaks=1")
flags = subprocess.run([pkg_config, "--cflags", "--libs", "faultline"], env=surroundings, capture_output=True, text=True)
check(flags.returncode == 0, f"pkg-config: {flags.stderr}")
check(subprocess.run([pkg_config, "--modversion", "faultline"], env=surroundings, capture_output=True, text=True).stdout.strip()
      in run("version").text, "one version")
# The sanitizers of a build belong to every program that links it.
cache = open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8").read()
sanitize = re.search(r"^FL_SANITIZE:STRING=(.+)$", cache, re.M)
extra = [f"-fsanitize={sanitize.group(1)}"] if sanitize else []
extra += ["--coverage"] if re.search(r"^FL_COVERAGE:BOOL=(ON|1)$", cache, re.M) else []
built = subprocess.run([os.environ.get("CC") or "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *extra, write("client.c", CLIENT),
                        "-o", path("client"), *flags.stdout.split()], capture_output=True, text=True)
check(built.returncode == 0, f"a program of ten lines compiles and links: {built.stderr[:2000]}")
if built.returncode == 0:
    told = subprocess.run([path("client"), log], env=surroundings, capture_output=True, text=True)
    n = len(run("export", log).text.splitlines())
    check(told.returncode == 0 and told.stdout.startswith(f"{n} events"), f"it counts {n} events: {told.stdout} {told.stderr}")
finish()
