#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0: a ViTMAE that is built from a configuration has no positions. Both fixed tables of sines,
# `embeddings.position_embeddings` and `decoder.decoder_pos_embed`, are zero and do not learn, so that pretraining from
# scratch paints patches without knowing where they belong: the encoder's table is filled only where the projection of the
# patches has not been initialised yet, which it always has, and the decoder's is filled and then set to zero. And
# `save_pretrained` writes the decoder's layers as "decoder.decoder_encoder.layer.0...", a name that no release before
# 5 reads: the renaming that older checkpoints are read by is undone inside of "decoder_layers", too.
# Seen on 2026-12-01. The ViTMAE bundled here begins with the sines, and reads the weights by either name.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 2> /dev/null
cat > positions.py <<'PYTHON'
import transformers
from safetensors.torch import load_file
from transformers import ViTMAEConfig, ViTMAEForPreTraining

sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
decoder = {"decoder_hidden_size": 8, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2}
model = ViTMAEForPreTraining(ViTMAEConfig(**sizes, **decoder, image_size=8, patch_size=4))
tables = {name: weight for name, weight in model.named_parameters() if "pos" in name}
for name, weight in tables.items():
    print(transformers.__version__, name, "learns" if weight.requires_grad else "is fixed", "largest:", weight.abs().max().item())
    assert not weight.requires_grad and not weight.any()
assert len(tables) == 2

model.save_pretrained("saved")
saved = [name for name in load_file("saved/model.safetensors") if name.startswith("decoder.decoder_") and ".0." in name]
print(transformers.__version__, "saves", saved[0], "of", next(name for name in model.state_dict() if "decoder_layers" in name))
assert all(name.startswith("decoder.decoder_encoder.layer.0.") for name in saved)
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python positions.py 2> /dev/null
done
