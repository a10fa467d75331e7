# Sourced by the other scripts: makes the virtual environment once, and brings it up to date with pyproject.toml.
# PYTHON chooses the interpreter (3.10 or newer), ENVIRONMENT the folder (.venv by default).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
environment="${ENVIRONMENT:-$PWD/.venv}"
wanted="$(cat pyproject.toml constraints.txt | cksum)"
if [ ! -x "$environment/bin/python" ]; then
    python="${PYTHON:-python3}"
    # Only a version was given: what has that version goes by this name.
    [[ "$python" =~ ^3\.[0-9]+$ ]] && python="python$python"
    if ! "$python" -c "" 2>/dev/null; then
        echo "error: there is no $python that runs here; add-model needs Python 3.10 or newer: PYTHON=python3.12 bash $0" >&2
        exit 2
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
        echo "error: $python is $("$python" --version 2>&1), and add-model needs Python 3.10 or newer; name one that is: PYTHON=python3.12 bash $0" >&2
        exit 2
    fi
    "$python" -m venv "$environment"
fi
if [ "$(cat "$environment/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "setting up $environment (torch is large: this takes a while the first time)" >&2
    # torch first and alone, pinned: it must be settled before anything that would accept another build of it.
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
    printf '%s' "$wanted" > "$environment/installed"
fi
export PATH="$environment/bin:$PATH"
# Each test process works on small tensors; threads of its own would only get in the others' way.
export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
