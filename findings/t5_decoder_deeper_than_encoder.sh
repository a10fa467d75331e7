#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, generate: a T5 whose decoder has more layers than its encoder, as the published
# t5-efficient checkpoints with "dl" in their names do, ends in an IndexError with the cache that generate makes. It is made for as
# many layers as `num_hidden_layers` says, which T5's configuration answers with the encoder's. A forward pass makes a cache of
# the right length itself, and without a cache generate works. Pegasus, whose configuration counts likewise, works.
# Seen on 2026-11-30. Parity tests that draw the numbers of layers meet it; the T5 bundled here generates with any.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 2> /dev/null
cat > deeper.py <<'PYTHON'
import torch
import transformers
from transformers import PegasusConfig, PegasusForConditionalGeneration, T5Config, T5ForConditionalGeneration


def t5(encoder, decoder):
    sizes = {"vocab_size": 16, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_heads": 2, "decoder_start_token_id": 0}
    return T5ForConditionalGeneration(T5Config(**sizes, num_layers=encoder, num_decoder_layers=decoder)).eval()


def pegasus(encoder, decoder):
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes = {"vocab_size": 16, "d_model": 8, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "max_position_embeddings": 16}
    return PegasusForConditionalGeneration(
        PegasusConfig(**heads, **sizes, encoder_layers=encoder, decoder_layers=decoder)
    ).eval()


def outcome(call):
    try:
        call()
    except IndexError as error:
        return f"IndexError: {error}"
    return "works"


ids = torch.tensor([[5, 6, 7, 1]])
for name, make in (("T5", t5), ("Pegasus", pegasus)):
    for encoder, decoder in ((2, 1), (1, 2)):
        model = make(encoder, decoder)
        layers = len(model(input_ids=ids, decoder_input_ids=ids, use_cache=True).past_key_values)
        cached, plain = (
            outcome(lambda: model.generate(ids, do_sample=False, max_new_tokens=3, use_cache=use_cache))
            for use_cache in (True, False)
        )
        print(transformers.__version__, name, encoder, decoder, "forward caches", layers, "| generate", cached, "| without a cache", plain)
        fails = name == "T5" and decoder > encoder
        assert layers == decoder and plain == "works"
        assert cached == ("IndexError: list index out of range" if fails else "works")
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python deeper.py 2> /dev/null
done
