#!/usr/bin/env bash
# transformers 5.23.0, EsmcTokenizer: a tokenizer that was trained anew (train_new_from_iterator), saved and loaded again gives
# other ids than before it was saved. Its class builds the vocabulary of 33 residues whatever vocabulary it is loaded with, so
# that tokenizer.json holds what was trained, and from_pretrained passes it over without a word. BertTokenizer, the same
# way, gives the same ids. Seen on 2026-11-30.
# A model made like `esmc` inherits this; what is trained for one is to be held by tokenizers' own Tokenizer.from_file.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 2> /dev/null
cat > trained.py <<'PYTHON'
from tokenizers import Tokenizer
from transformers import BertTokenizer, EsmcTokenizer

TEXT = "MKVLA"


def ids(tokenizer_class, vocabulary):
    tokenizer = tokenizer_class(**vocabulary).train_new_from_iterator([[TEXT] * 20], vocab_size=40)
    tokenizer.save_pretrained("saved")
    stored = Tokenizer.from_file("saved/tokenizer.json").encode(TEXT).ids
    return tokenizer(TEXT).input_ids, stored, tokenizer_class.from_pretrained("saved")(TEXT).input_ids


letters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "m", "k"]
trained, stored, loaded = ids(BertTokenizer, {"vocab": {token: place for place, token in enumerate(letters)}})
print("BertTokenizer: trained", trained, "stored", stored, "loaded", loaded)
assert trained == stored == loaded
trained, stored, loaded = ids(EsmcTokenizer, {})
print("EsmcTokenizer: trained", trained, "stored", stored, "loaded", loaded)
assert trained == stored != loaded
PYTHON
HF_HUB_OFFLINE=1 environment/bin/python trained.py 2> /dev/null
