#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, SwinModel: what an image comes out as depends on which images the model has seen before. A block that
# meets a grid of patches no larger than its window sets its shift to 0 on itself, and never back; so after one small image no
# window of that block is shifted for larger ones any more. The published sizes hide it: with 224 x 224 pixels it is the last stage
# alone, from the first image on. Seen on 2026-12-01.
# Who runs or compares such a model on images of several sizes has to make it anew for each size.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 2> /dev/null
cat > sizes.py <<'PYTHON'
import torch
import transformers
from transformers import SwinConfig, SwinModel

torch.manual_seed(0)
config = SwinConfig(image_size=32, patch_size=4, embed_dim=16, depths=[2], num_heads=[2], window_size=4, initializer_range=0.3)
model = SwinModel(config).eval()
large, small = torch.randn(1, 3, 32, 32), torch.randn(1, 3, 16, 16)
with torch.no_grad():
    before = model(large).last_hidden_state
    again = model(large).last_hidden_state
    model(small)
    after = model(large).last_hidden_state
shifts = [block.shift_size for block in model.encoder.layers[0].blocks]
difference = (before - after).abs().max().item()
print(transformers.__version__, f"difference of the large image behind a small one: {difference:.3f}, shifts now {shifts}")
assert torch.equal(before, again) and difference > 0.01 and shifts == [0, 0]
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python sizes.py 2> /dev/null
done
