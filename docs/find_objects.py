"""Draws the objects that a model finds in an image: python docs/find_objects.py PICTURE

The model is a tiny DETR with random weights that is shown one picture for a moment, so that there is something to find.
"""

import sys

import torch
from PIL import Image, ImageDraw

from add_model.zoo.models.detr import DetrConfig, DetrForObjectDetection, DetrImageProcessor

SIZE = (160, 120)
# Name, colour and corners (left, top, right, bottom) of what is in the picture.
OBJECTS = [("ball", "crimson", (18, 22, 58, 62)), ("box", "royalblue", (92, 50, 146, 104))]


def paint() -> Image.Image:
    """A picture of a ball and a box."""
    picture = Image.new("RGB", SIZE, "wheat")
    pencil = ImageDraw.Draw(picture)
    pencil.ellipse(OBJECTS[0][2], fill=OBJECTS[0][1])
    pencil.rectangle(OBJECTS[1][2], fill=OBJECTS[1][1])
    return picture


def tiny_model() -> DetrForObjectDetection:
    """A new DETR, small enough to learn while one waits."""
    network = {"depths": [1, 1, 1], "hidden_sizes": [16, 32, 64], "embedding_size": 16}
    layers = {"encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    learning = {"dropout": 0.0, "init_std": 0.1, "eos_coefficient": 0.5}
    names = {number: name for number, (name, _, _) in enumerate(OBJECTS)}
    return DetrForObjectDetection(
        DetrConfig(backbone_config=network, d_model=64, num_queries=4, id2label=names, **layers, **learning)
    )


def train(model: DetrForObjectDetection, processor: DetrImageProcessor, picture: Image.Image, steps: int) -> None:
    """Shows the model what is where in the picture."""
    corners = [box for _, _, box in OBJECTS]
    annotation = {
        "image_id": 0,
        "annotations": [
            # COCO gives a box by its left upper corner, its width and its height.
            {"category_id": number, "bbox": [left, top, right - left, bottom - top], "area": 1.0, "iscrowd": 0}
            for number, (left, top, right, bottom) in enumerate(corners)
        ],
    }
    inputs = processor(picture, annotations=annotation, return_tensors="pt")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model(**inputs).loss.backward()
        optimizer.step()
    model.eval()


def draw(model: DetrForObjectDetection, processor: DetrImageProcessor, picture: Image.Image) -> Image.Image:
    """The picture, three times as large, with a box and a name around each object that the model finds."""
    inputs = processor(picture, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    drawn = picture.resize((3 * picture.width, 3 * picture.height))
    pencil = ImageDraw.Draw(drawn)
    sizes = [(drawn.height, drawn.width)]
    found = processor.post_process_object_detection(outputs, threshold=0.5, target_sizes=sizes)[0]
    for score, label, box in zip(found["scores"], found["labels"], found["boxes"], strict=True):
        corners = box.clamp(min=0).tolist()
        pencil.rectangle(corners, outline="black", width=3)
        pencil.text((corners[0] + 6, corners[1] + 6), f"{model.config.id2label[int(label)]} {score:.2f}", fill="black")
    return drawn


def drawn_objects(steps: int = 150) -> Image.Image:
    """The picture with what a model finds in it that saw it so many times."""
    torch.manual_seed(0)
    picture, model = paint(), tiny_model()
    processor = DetrImageProcessor(size={"shortest_edge": 96, "longest_edge": 128})
    train(model, processor, picture, steps)
    return draw(model, processor, picture)


if __name__ == "__main__":
    drawn_objects().save(sys.argv[1])
