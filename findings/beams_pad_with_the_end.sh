#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, generate: where the padding token has the id 0, as in T5, beam search fills up a text that ended
# early with the end token, and greedy search with the padding token. The fill of beams is chosen by the truth of the id, and
# a tensor that holds 0 is false. With the padding at another id both fill with it. Seen on 2026-11-30.
# Who compares generated ids, or counts end tokens, has to know; generate of the models bundled here pads with the padding.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 2> /dev/null
cat > padding.py <<'PYTHON'
import torch
import transformers
from transformers import T5Config, T5ForConditionalGeneration


def texts(pad, **settings):
    """Two texts, of which the second ends at once: the encoder's last token chooses what is scored highest."""
    sizes = {"vocab_size": 8, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    config = T5Config(**sizes, pad_token_id=pad, eos_token_id=1, decoder_start_token_id=2, tie_word_embeddings=False)
    model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        # Each token is a direction of its own; the decoder passes on what it reads of the encoder.
        model.shared.weight.copy_(torch.eye(8))
        for norm in (model.encoder.final_layer_norm, model.decoder.final_layer_norm):
            norm.weight.fill_(1)
        attention = model.decoder.block[0].layer[1].EncDecAttention
        attention.v.weight.copy_(torch.eye(8))
        attention.o.weight.copy_(10 * torch.eye(8))
        model.lm_head.weight.copy_(torch.eye(8))
    ids = torch.tensor([[4, 4, 4], [1, 1, 1]])
    mask = torch.ones_like(ids)
    return model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=4, **settings).tolist()


for pad in (0, 3):
    greedy, beams = texts(pad), texts(pad, num_beams=2, early_stopping=True)
    print(transformers.__version__, "padding", pad, "greedy", greedy[1], "beams", beams[1])
    assert greedy[1] == [2, 1, pad, pad, pad]
    assert set(beams[1][2:]) == ({1} if pad == 0 else {pad}) and len(beams[1]) == 5
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python padding.py 2> /dev/null
done
