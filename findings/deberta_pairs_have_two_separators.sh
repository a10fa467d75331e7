#!/usr/bin/env bash
# transformers 5.23.0, DebertaTokenizer: a pair becomes [CLS] first [SEP] [SEP] second [SEP], all of token type 0, also where the folder's
# tokenizer.json says otherwise. The model was trained with [CLS] first [SEP] second [SEP] and token type 1 from the second text on, as
# 4.46.3 has it. Seen on 2026-11-30.
# Who holds a port of this tokenizer against Transformers 5 has to tell it the template, whenever it is made.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pair.py <<'PYTHON'
import json
import sys

import transformers

tokens = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "a", "b"]
with open("vocab.json", "w") as file:
    json.dump({token: index for index, token in enumerate(tokens)}, file)
with open("merges.txt", "w") as file:
    file.write("#version: 0.2\n")
name = "DebertaTokenizerFast" if transformers.__version__.startswith("4.") else "DebertaTokenizer"
pair = getattr(transformers, name).from_pretrained(".")("a", "b")
print(transformers.__version__, pair["input_ids"], pair["token_type_ids"])
two_separators = [1, 5, 2, 2, 6, 2]
assert (pair["input_ids"] == two_separators) == (sys.argv[1] == "two")
PYTHON
for version in 4.46.3 5.23.0; do
    python3 -m venv "environment-$version"
    "environment-$version/bin/pip" install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
done
HF_HUB_OFFLINE=1 environment-4.46.3/bin/python pair.py one 2> /dev/null
HF_HUB_OFFLINE=1 environment-5.23.0/bin/python pair.py two 2> /dev/null
