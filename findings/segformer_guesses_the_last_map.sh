#!/usr/bin/env bash
# transformers 5.23.0, SegformerForSemanticSegmentation with reshape_last_stage=False: the head has to know how high and wide
# the last stage's map is, and takes the square root of the length of its vectors for both, where the number of its pixels
# would tell. With the smallest published size and images of 512 x 512 both are 256; other sizes and other images are an error
# of a matrix product inside the head. Beside it, layer_norm_eps of the configuration is read by no module: all add 1e-5, and
# the default there is 1e-6. Seen on 2026-12-01.
# Who holds a port of the head against it has to let the last stage return a map; the numbers are the same.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 2> /dev/null
cat > last_map.py <<'PYTHON'
import torch
import transformers
from torch import nn
from transformers import SegformerConfig, SegformerForSemanticSegmentation

model = SegformerForSemanticSegmentation(SegformerConfig(reshape_last_stage=False)).eval()
print(transformers.__version__, "vectors of", model.config.hidden_sizes[-1], "in the last stage")
outcomes = []
for height, width in ((512, 512), (256, 256), (512, 1024)):
    try:
        with torch.no_grad():
            outcome = str(tuple(model(torch.zeros(1, 3, height, width)).logits.shape))
    except RuntimeError as error:
        outcome = str(error)
    outcomes.append(outcome)
    print(f"  {height} x {width}: {outcome}")
assert outcomes[0] == "(1, 2, 128, 128)" and "cannot be multiplied" in outcomes[1]
added = {module.eps for module in model.modules() if isinstance(module, nn.LayerNorm)}
print("  layer_norm_eps", model.config.layer_norm_eps, "added", added)
assert added == {1e-5}
PYTHON
HF_HUB_OFFLINE=1 environment/bin/python last_map.py 2> /dev/null
