#!/usr/bin/env bash
# Runs every check of the project: style, types, the zoo's copies, the site of docs/, and the tests. Arguments go to pytest:
#   bash scripts/test.sh                                       everything but what is exhaustive
#   bash scripts/test.sh -m "not slow and not exhaustive"      what takes about six minutes on two cores
#   bash scripts/test.sh -m exhaustive                         more edits of the released trees than every day
#   bash scripts/test.sh -m versions                           the quick tests on other Pythons, and with the newest Transformers
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# The page of a comparison is looked at in a real browser: Debian's, where it can be installed; else those tests are skipped.
if ! { command -v chromium && command -v chromedriver; } >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends chromium chromium-driver; } >/dev/null 2>&1 \
        || echo "chromium cannot be installed here: the tests of the comparison's page are skipped" >&2
fi
ruff check .
ruff format --check .
mypy
lint-imports
add-model check-copies --strict
site="$(mktemp --directory)"
trap 'rm -rf "$site"' EXIT
python -B -m sphinx --quiet --fail-on-warning --keep-going docs "$site"
python -m pytest --numprocesses auto "$@"
