#!/usr/bin/env bash
# zensical 0.0.73 (PyPI): `zensical build --strict` is told to stop at anything that is wrong with a site. It stops at a link
# to a page that is not there, and passes, with "No issues found" and exit code 0, a picture that is not there and a page
# that the configured navigation leaves out. mkdocs 1.6.1, whose configuration file it reads, stops at the picture in the
# same site; but not once it is asked to be quiet: `mkdocs --quiet build --strict` counts no warning that it does not print,
# and exits with 0. Seen on 2026-11-30.
# So the documentation here is built with Sphinx, whose --fail-on-warning stops at all three.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check zensical==0.0.73 mkdocs==1.6.1 2> /dev/null
mkdir docs
printf '# Start\n\n![a picture](pictures/gone.png)\n' > docs/index.md
printf '# Forgotten\n' > docs/forgotten.md
printf 'site_name: example\nnav:\n  - index.md\n' > mkdocs.yml

code=0
said="$(environment/bin/zensical build --strict --clean 2>&1)" || code=$?
printf 'zensical, a picture that is not there and a page that is in no navigation: exit code %s\n' "$code"
[ "$code" = 0 ] && grep -q 'No issues found' <<< "$said" && [ -d site/forgotten ]

code=0
environment/bin/mkdocs build --strict --site-dir other > /dev/null 2>&1 || code=$?
printf 'mkdocs, the same: exit code %s\n' "$code"
[ "$code" != 0 ]

code=0
environment/bin/mkdocs --quiet build --strict --site-dir other > /dev/null 2>&1 || code=$?
printf 'mkdocs --quiet, the same: exit code %s\n' "$code"
[ "$code" = 0 ]

printf '# Start\n\n[a page](gone.md)\n' > docs/index.md
code=0
environment/bin/zensical build --strict --clean > /dev/null 2>&1 || code=$?
printf 'zensical, a link to a page that is not there: exit code %s\n' "$code"
[ "$code" != 0 ]
