#!/usr/bin/env bash
# transformers 5.23.0 and 5.24.0, the image processors of SegFormer and BEiT on Pillow: with do_reduce_labels they change the
# array of classes that they are given, so that the same map gives other labels the next time (class 1 has become class 0, and is
# ignored from then on). BEiT's resizes maps of classes bicubically, like images: labels between those of the map appear along
# every border. Seen on 2026-12-01.
# Who holds a port against them has to hand each a copy, and may not take labels in between for a fault of the port.
set -euo pipefail
folder="$(mktemp --directory)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 pillow 2> /dev/null
cat > maps.py <<'PYTHON'
import importlib

import numpy as np
import PIL.Image
import transformers

image = PIL.Image.new("RGB", (24, 24))


def processor(name, **options):
    module = importlib.import_module(f"transformers.models.{name}.image_processing_pil_{name}")
    return getattr(module, f"{name.capitalize()}ImageProcessorPil")(size={"height": 40, "width": 40}, **options)


classes = np.array([[0, 1], [1, 2]], dtype=np.uint8).repeat(12, axis=0).repeat(12, axis=1)
reducing = processor("segformer", do_reduce_labels=True)
first = np.unique(reducing(image, classes)["labels"][0]).tolist()
print(transformers.__version__, "the map of classes 0, 1, 2 is afterwards one of", np.unique(classes).tolist(), "labels", first)
assert np.unique(classes).tolist() == [1, 2, 255]

two = np.array([[10, 200]], dtype=np.uint8).repeat(24, axis=0).repeat(12, axis=1)
blended = np.unique(processor("beit")(image, two)["labels"][0]).tolist()
print("  a map of classes 10 and 200 becomes labels", blended)
assert len(blended) > 2
PYTHON
for version in 5.23.0 5.24.0; do
    environment/bin/pip install --quiet --disable-pip-version-check "transformers==$version" 2> /dev/null
    HF_HUB_OFFLINE=1 environment/bin/python maps.py 2> /dev/null
done
