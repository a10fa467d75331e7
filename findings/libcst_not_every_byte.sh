#!/usr/bin/env bash
# libcst 1.9.0 (PyPI): a module that is parsed and written out again is promised to be the same text. It is not where a form
# feed stands before code on its line (Python takes it for nothing, and files of the 1990s and their descendants separate
# sections by it), nor where lines of nothing but blanks end a file: both come back shorter, and no warning is given. A class
# whose first method stands behind a form feed is refused ("no matching outer block for dedent"), though Python 3 compiles it.
# Seen on 2026-11-30.
# So add-model applies what LibCST changed to the original's own bytes, instead of writing LibCST's text.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check libcst==1.9.0 2> /dev/null
environment/bin/python - <<'PYTHON'
import libcst

def written(text):
    compile(text, "example", "exec")
    return libcst.parse_module(text).code

print("a form feed before code:", repr(written("x = 1\n\fy = 2\n")))
assert written("x = 1\n\fy = 2\n") == "x = 1\ny = 2\n"
print("blank lines at the end:", repr(written("x = 1\n  \n\t\n")))
assert written("x = 1\n  \n\t\n") != "x = 1\n  \n\t\n"
print("a form feed on a line of its own:", repr(written("x = 1\n\f\ny = 2\n")))
assert written("x = 1\n\f\ny = 2\n") == "x = 1\n\f\ny = 2\n"
try:
    written("class A:\n\f    def f(self):\n        pass\n")
except libcst.ParserSyntaxError as error:
    print("a method behind a form feed:", str(error).splitlines()[0])
else:
    raise SystemExit("a method behind a form feed is read now")
PYTHON
