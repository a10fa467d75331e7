#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, post_process_panoptic_segmentation of DETR with label_ids_to_fuse: counting goes on from the
# number of the segment that was fused last, so that a later segment can get a number that another one has already. Two persons
# before and behind a piece of sky that is fused are both segment 2. Seen on 2026-12-01.
# Who counts objects by their numbers there counts too few, unless nothing is fused.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 pillow 2> /dev/null
cat > segments.py <<'PYTHON'
from types import SimpleNamespace

import torch
import transformers
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

# Four stripes: sky, a person, sky again, another person.
masks = torch.full((1, 4, 4, 8), -9.0)
logits = torch.full((1, 4, 3), -9.0)
for query, label in enumerate((0, 1, 0, 1)):
    masks[0, query, query] = logits[0, query, label] = 9.0
outputs = SimpleNamespace(logits=logits, pred_masks=masks)
(found,) = DetrImageProcessorPil().post_process_panoptic_segmentation(outputs, label_ids_to_fuse={0})
numbers = [(each["id"], each["label_id"]) for each in found["segments_info"]]
print(transformers.__version__, "segments as (number, class):", numbers, "rows:", found["segmentation"][:, 0].tolist())
assert numbers == [(1, 0), (2, 1), (1, 0), (2, 1)]
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python segments.py 2> /dev/null
done
