#!/usr/bin/env bash
# transformers 5.23.0, DETR: `auxiliary_loss=True` is meant to train the earlier layers of the decoder as well. It also changes what
# the model computes, in evaluation, too: every layer goes on from the normalised output of the layer before, and the last one is
# normalised twice; the original (facebookresearch/detr) normalises a copy. And of a ResNet that is not timm's nothing at all is
# trained: the stages to train are looked for as "stage.1", while they are called "stages.1". Seen on 2026-12-01.
# Who trains with auxiliary losses, and turns them off to use the model, uses another model; who compares gradients has to set
# `requires_grad` first. The DETR bundled here does the first alike, so that weights agree, and trains what the original trains.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 2> /dev/null
cat > detr.py <<'PYTHON'
import torch
import transformers
from transformers import DetrConfig, DetrModel, ResNetConfig

torch.manual_seed(0)
network = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8, 8, 8], depths=[1, 1, 1, 1], out_features=["stage4"])
sizes = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 2, "num_queries": 3}
for part in ("encoder", "decoder"):
    sizes.update({f"{part}_attention_heads": 2, f"{part}_ffn_dim": 8})
model = DetrModel(DetrConfig(**sizes, backbone_config=network, use_timm_backbone=False)).eval()
with torch.no_grad():
    for norm in [module for module in model.modules() if isinstance(module, torch.nn.LayerNorm)]:
        norm.weight.uniform_(0.5, 2)
    image = torch.randn(1, 3, 64, 64)
    before = model(image).last_hidden_state
    model.config.auxiliary_loss = True
    after = model(image).last_hidden_state
difference = (after - before).abs().max().item()
trained = [name for name, weight in model.named_parameters() if "backbone" in name and weight.requires_grad]
print(transformers.__version__, "difference with auxiliary_loss", round(difference, 3), "trained of the ResNet:", trained)
assert difference > 0.1 and trained == []
PYTHON
HF_HUB_OFFLINE=1 environment/bin/python detr.py 2> /dev/null
