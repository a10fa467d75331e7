"""What models share that find the objects in an image all at once: what they return, and the losses they learn by.

The losses are those of DETR (https://arxiv.org/abs/2005.12872): every object is given to one query, and each query is
trained to say what it was given, or that it was given nothing.

Shapes are written with these names: `batch`, `queries`, `objects` (of an image), `num_labels`, `height` and `width` (of an
image), `map_height` and `map_width` (of a map made of it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional

from .modeling_outputs import ModelOutput, TensorTuple

# Of one image: "class_labels", `(objects,)`; "boxes", `(objects, 4)`, each `(center_x, center_y, width, height)` divided
# by the image's width and height; for masks also "masks", `(objects, height, width)`.
ObjectLabels = Mapping[str, torch.Tensor]
# Of one image: indices of queries, ascending, and of the objects that they were given.
Match = tuple[torch.Tensor, torch.Tensor]
Losses = dict[str, torch.Tensor]


@dataclass(kw_only=True)
class ObjectDetectionOutput(ModelOutput):
    """Output of a model that finds objects.

    Attributes:
        loss: weighted sum of the losses, a scalar; present when labels were given.
        loss_dict: every loss by its name, those of earlier layers with the layer's number behind it.
        logits: score of every class and, last, of "no object", `(batch, queries, num_labels + 1)`.
        pred_boxes: `(center_x, center_y, width, height)` by the image's size, `(batch, queries, 4)`.
        auxiliary_outputs: "logits" and "pred_boxes" of every layer but the last, when these are trained as well.
        last_hidden_state: output of the decoder, `(batch, queries, hidden_size)`.
        decoder_hidden_states, decoder_attentions, cross_attentions: as in `Seq2SeqModelOutput`.
        encoder_last_hidden_state, encoder_hidden_states, encoder_attentions: as in `Seq2SeqModelOutput`.
    """

    loss: torch.Tensor | None = None
    loss_dict: Losses | None = None
    logits: torch.Tensor
    pred_boxes: torch.Tensor
    auxiliary_outputs: list[dict[str, torch.Tensor]] | None = None
    last_hidden_state: torch.Tensor | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class ObjectSegmentationOutput(ModelOutput):
    """Output of a model that finds objects and of every object its mask.

    Attributes:
        pred_masks: score of every pixel of a map for every query, `(batch, queries, map_height, map_width)`.

    All others are as in `ObjectDetectionOutput`.
    """

    loss: torch.Tensor | None = None
    loss_dict: Losses | None = None
    logits: torch.Tensor
    pred_boxes: torch.Tensor
    pred_masks: torch.Tensor
    auxiliary_outputs: list[dict[str, torch.Tensor]] | None = None
    last_hidden_state: torch.Tensor | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None


class DetectionConfig(Protocol):
    """What a configuration says of the losses.

    Attributes:
        class_cost, bbox_cost, giou_cost: weights in the matching of queries and objects.
        bbox_loss_coefficient, giou_loss_coefficient, mask_loss_coefficient, dice_loss_coefficient: weights of the losses
            beside that of the classes, whose weight is 1.
        eos_coefficient: weight of the class "no object" in the loss of the classes.
    """

    class_cost: float
    bbox_cost: float
    giou_cost: float
    bbox_loss_coefficient: float
    giou_loss_coefficient: float
    mask_loss_coefficient: float
    dice_loss_coefficient: float
    eos_coefficient: float


def generalized_box_iou(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the generalised intersection over union of boxes (https://arxiv.org/abs/1902.09630), from -1 to 1.

    Args:
        boxes, others: `(center_x, center_y, width, height)` in the last dimension; the dimensions before it broadcast.
    """
    low, high = boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2
    other_low, other_high = others[..., :2] - others[..., 2:] / 2, others[..., :2] + others[..., 2:] / 2
    areas = _area(low, high) + _area(other_low, other_high)
    intersection = _area(torch.max(low, other_low), torch.min(high, other_high))
    hull = _area(torch.min(low, other_low), torch.max(high, other_high))
    union = areas - intersection
    return intersection / union - (hull - union) / hull


def _area(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """The area between two corners; 0 where they are the wrong way round."""
    width, height = (high - low).clamp(min=0).unbind(-1)
    return width * height


def check_labels(labels: Sequence[ObjectLabels], batch: int, num_labels: int) -> None:
    """Raise `ValueError` unless there are the labels of every image, and classes and boxes are such."""
    if len(labels) != batch:
        raise ValueError(f"labels are one dictionary an image: {batch} images, but {len(labels)} dictionaries")
    for number, image in enumerate(labels):
        missing = {"class_labels", "boxes"} - image.keys()
        if missing:
            raise ValueError(f"the labels of image {number} lack {', '.join(sorted(missing))}")
        classes, boxes = image["class_labels"], image["boxes"]
        if boxes.shape != (len(classes), 4):
            raise ValueError(
                f"image {number} has {len(classes)} class_labels; its boxes must have the shape ({len(classes)}, 4), "
                f"not {tuple(boxes.shape)}"
            )
        if not bool(((classes >= 0) & (classes < num_labels)).all()):
            raise ValueError(f"a class of image {number} is none of the model's {num_labels}, 0 to {num_labels - 1}")
        # A little beyond the edge is what rounding makes.
        if not bool(((boxes > -1e-3) & (boxes < 1 + 1e-3)).all()):
            raise ValueError(
                f"a box of image {number} is outside: boxes are (center_x, center_y, width, height) from 0 to 1, "
                "divided by the image's width and height"
            )


@torch.no_grad()
def match_objects(
    logits: torch.Tensor, pred_boxes: torch.Tensor, labels: Sequence[ObjectLabels], config: DetectionConfig
) -> list[Match]:
    """Give every object to the query that predicts it best, all together at the lowest cost (section 3.1 of the paper).

    The cost of a pair is the negative probability of the object's class, the distance of the boxes and the negative
    of their generalised intersection over union. Of an image with more objects than queries some have no query.
    """
    # Only whoever trains needs it.
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped, unused-ignore]

    matches: list[Match] = []
    for probabilities, boxes, image in zip(logits.softmax(-1), pred_boxes, labels, strict=True):
        targets = image["boxes"].to(boxes)
        cost = config.bbox_cost * torch.cdist(boxes, targets, p=1)
        cost = cost - config.class_cost * probabilities[:, image["class_labels"].to(boxes.device)]
        cost = cost - config.giou_cost * generalized_box_iou(boxes[:, None], targets)
        # A model that diverges gives numbers that are none; they come last, and the loss tells the rest.
        worst = torch.finfo(cost.dtype).max
        cost = torch.nan_to_num(cost, nan=worst, posinf=worst, neginf=worst)
        queries, objects = linear_sum_assignment(cost.float().cpu().numpy())
        matches.append((torch.as_tensor(queries, device=boxes.device), torch.as_tensor(objects, device=boxes.device)))
    return matches


def detection_loss(
    logits: torch.Tensor,
    pred_boxes: torch.Tensor,
    labels: Sequence[ObjectLabels],
    config: DetectionConfig,
    earlier: Sequence[Mapping[str, torch.Tensor]] = (),
) -> tuple[torch.Tensor, Losses, list[Match]]:
    """Return the loss of classes and boxes.

    Args:
        logits, pred_boxes: see `ObjectDetectionOutput`.
        labels: for every image a dictionary, see `ObjectLabels`.
        config: gives the weights.
        earlier: "logits" and "pred_boxes" of earlier layers, each of which gets a matching of its own.

    Returns:
        The weighted sum; every loss by its name, those of earlier layers with their number behind it; and which object
        was given to which query.

    Raises:
        ValueError: the labels do not fit the images, or hold classes or boxes that are none.
    """
    check_labels(labels, len(logits), logits.shape[-1] - 1)
    matches = match_objects(logits, pred_boxes, labels, config)
    losses = layer_losses(logits, pred_boxes, labels, matches, config)
    total = _weighted(losses, config)
    for number, layer in enumerate(earlier):
        own_matches = match_objects(layer["logits"], layer["pred_boxes"], labels, config)
        own_losses = layer_losses(layer["logits"], layer["pred_boxes"], labels, own_matches, config)
        total = total + _weighted(own_losses, config)
        losses.update({f"{name}_{number}": loss for name, loss in own_losses.items()})
    return total, losses, matches


def _weighted(losses: Losses, config: DetectionConfig) -> torch.Tensor:
    return (
        losses["loss_ce"]
        + config.bbox_loss_coefficient * losses["loss_bbox"]
        + config.giou_loss_coefficient * losses["loss_giou"]
    )


def layer_losses(
    logits: torch.Tensor,
    pred_boxes: torch.Tensor,
    labels: Sequence[ObjectLabels],
    matches: Sequence[Match],
    config: DetectionConfig,
) -> Losses:
    """Return the losses of one layer's predictions.

    Returns:
        "loss_ce", the cross-entropy of the classes, where queries without an object count as "no object", and less;
        "loss_bbox", the distance of the boxes, and "loss_giou", what their generalised intersection over union lacks,
        both by the number of objects; and "cardinality_error", by how many objects the model is wrong, which has no
        gradient and no part in the sum.
    """
    no_object = logits.shape[-1] - 1
    classes = torch.full(logits.shape[:2], no_object, device=logits.device)
    for row, image, (queries, objects) in zip(classes, labels, matches, strict=True):
        row[queries] = image["class_labels"].to(row)[objects]
    class_weights = logits.new_ones(no_object + 1)
    class_weights[no_object] = config.eos_coefficient

    boxes = _of_matched(pred_boxes, matches)
    targets = _of_objects([image["boxes"].to(boxes) for image in labels], matches)
    found = (logits.detach().argmax(-1) != no_object).sum(1)
    expected = found.new_tensor([len(image["class_labels"]) for image in labels])
    count = _number_of_objects(labels)
    return {
        "loss_ce": functional.cross_entropy(logits.transpose(1, 2), classes, class_weights),
        "loss_bbox": (boxes - targets).abs().sum() / count,
        "loss_giou": (1 - generalized_box_iou(boxes, targets)).sum() / count,
        "cardinality_error": (found - expected).abs().float().mean(),
    }


def mask_loss(
    pred_masks: torch.Tensor, labels: Sequence[ObjectLabels], matches: Sequence[Match], config: DetectionConfig
) -> tuple[torch.Tensor, Losses]:
    """Return the loss of masks (section 4.4 of the paper), by the number of objects.

    Args:
        pred_masks: `(batch, queries, map_height, map_width)`; enlarged to the size of the labels' masks.
        labels: for every image a dictionary with "masks"; smaller ones are filled up on the right and below.
        matches: which object was given to which query.
        config: gives the weights.

    Returns:
        The weighted sum; and "loss_mask", the focal loss (https://arxiv.org/abs/1708.02002), and "loss_dice", 1 less the
        overlap (https://arxiv.org/abs/1606.04797).

    Raises:
        ValueError: an image has not one mask for every object.
    """
    for number, image in enumerate(labels):
        if "masks" not in image or image["masks"].dim() != 3 or len(image["masks"]) != len(image["class_labels"]):
            raise ValueError(
                f"the labels of image {number} need masks, (objects, height, width), one for every object"
            )
    height, width = (max(image["masks"].shape[axis] for image in labels) for axis in (1, 2))
    filled = [_filled_up(image["masks"].to(pred_masks), height, width) for image in labels]
    targets = _of_objects(filled, matches).flatten(1)
    scores = _of_matched(pred_masks, matches)[:, None]
    scores = functional.interpolate(scores, size=(height, width), mode="bilinear", align_corners=False).flatten(1)
    probabilities = scores.sigmoid()

    alpha, gamma = 0.25, 2
    right = probabilities * targets + (1 - probabilities) * (1 - targets)
    focal = functional.binary_cross_entropy_with_logits(scores, targets, reduction="none") * (1 - right) ** gamma
    focal = (alpha * targets + (1 - alpha) * (1 - targets)) * focal
    overlap = 2 * (probabilities * targets).sum(1)
    dice = 1 - (overlap + 1) / (probabilities.sum(1) + targets.sum(1) + 1)

    count = _number_of_objects(labels)
    losses = {"loss_mask": focal.mean(1).sum() / count, "loss_dice": dice.sum() / count}
    return config.mask_loss_coefficient * losses["loss_mask"] + config.dice_loss_coefficient * losses[
        "loss_dice"
    ], losses


def _filled_up(masks: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return functional.pad(masks, (0, width - masks.shape[2], 0, height - masks.shape[1]))


def _of_matched(values: torch.Tensor, matches: Sequence[Match]) -> torch.Tensor:
    """The values of all matched queries, one image after the other."""
    return torch.cat([image[queries] for image, (queries, _) in zip(values, matches, strict=True)])


def _of_objects(values: Sequence[torch.Tensor], matches: Sequence[Match]) -> torch.Tensor:
    """The values of all matched objects, in the order of their queries."""
    return torch.cat([image[objects] for image, (_, objects) in zip(values, matches, strict=True)])


def _number_of_objects(labels: Sequence[ObjectLabels]) -> int:
    """How many objects a batch has, by which its losses are divided; at least 1."""
    return max(sum(len(image["class_labels"]) for image in labels), 1)
