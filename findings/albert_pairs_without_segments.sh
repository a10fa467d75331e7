#!/usr/bin/env bash
# transformers 5.23.0, AlbertTokenizer: a call with two texts returns no token types, unless they are asked for. The model then
# takes both texts for one segment, and scores a pair that it was not trained on; nothing warns.
# Seen on 2026-11-30.
# Who classifies pairs passes return_token_type_ids=True, or model_input_names to the constructor.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
cat > pair.py <<'PYTHON'
import transformers
from transformers import AlbertTokenizer

tokenizer = AlbertTokenizer()
by_itself, asked = tokenizer("one", "two"), tokenizer("one", "two", return_token_type_ids=True)
print(transformers.__version__, list(by_itself), "when asked", asked["token_type_ids"])
assert "token_type_ids" not in by_itself and 1 in asked["token_type_ids"]
PYTHON
environment/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 2> /dev/null
HF_HUB_OFFLINE=1 environment/bin/python pair.py 2> /dev/null
