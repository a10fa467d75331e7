#!/usr/bin/env bash
# Runs every check of the project: style, types, the zoo's copies, the site of docs/, and the tests. Arguments go to pytest:
#   bash scripts/test.sh                                       everything but what is exhaustive
#   bash scripts/test.sh -m "not slow and not exhaustive"      what takes two or three minutes
#   bash scripts/test.sh -m exhaustive                         more edits of the released trees than every day
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
ruff check .
ruff format --check .
mypy
add-model check-copies --strict
site="$(mktemp --directory)"
trap 'rm -rf "$site"' EXIT
python -B -m sphinx --quiet --fail-on-warning --keep-going docs "$site"
python -m pytest --numprocesses auto "$@"
