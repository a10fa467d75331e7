#!/usr/bin/env bash
# The main job, from an empty folder to a tested model package.
#   bash scripts/demo.sh [FOLDER]    makes the library in FOLDER/my_models; FOLDER is a temporary one by default
folder="$(realpath -m "${1:-$(mktemp --directory)}")"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
mkdir -p "$folder"
cd "$folder"
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}
show add-model like bert --name brand_new_bert --into my_models --yes
cd my_models
show pip install --quiet --disable-pip-version-check --editable ".[dev]"
show python -m pytest --quiet
show ruff check .
show ruff format --check .
show mypy
show add-model check-copies
printf '\nThe library is in %s\nTo go on there, with add-model as a command of your shell:\n' "$PWD"
printf '  source %q\n  cd %q\n' "$environment/bin/activate" "$PWD"
