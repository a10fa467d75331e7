"""Turns an original DETR checkpoint into a folder that `from_pretrained` reads.

    python -m add_model.zoo.models.detr.convert_detr_checkpoint CHECKPOINT --config config.json --output FOLDER

Each weight gets the name that the renaming table below makes of its original name. Then every weight of the new model
must be filled, by name and shape, and each weight of the checkpoint that was not used is printed.
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...configuration_utils import read_json_file
from .configuration_detr import DetrConfig, renamed_backbone_keys, renamed_mask_head_keys
from .modeling_detr import (
    DetrForObjectDetection,
    DetrForSegmentation,
    DetrModel,
    DetrPreTrainedModel,
)

# What a checkpoint can be turned into; the first is chosen when neither the command line nor the configuration says.
MODEL_CLASSES: tuple[type[DetrPreTrainedModel], ...] = (
    DetrModel,
    DetrForObjectDetection,
    DetrForSegmentation,
)

# Regular expressions and replacements, applied to each name from the first to the last. In the original release
# (facebookresearch/detr) the ResNet is torchvision's, the encoder-decoder made of PyTorch's own attention, and a model that
# was trained for masks holds the one for boxes as a part. The names here are those without the parts around.
RENAMING_TABLE = (
    (r"^module\.", ""),
    (r"^detr\.", ""),
    (r"^transformer\.", ""),
    (r"^backbone\.0\.body\.", "backbone.model."),
    (r"^backbone\.1\.row_embed\.", "position_embedding.row_embeddings."),
    (r"^backbone\.1\.col_embed\.", "position_embedding.column_embeddings."),
    (r"^input_proj\.", "input_projection."),
    (r"^query_embed\.", "query_position_embeddings."),
    (r"^class_embed\.", "class_labels_classifier."),
    (r"^bbox_embed\.", "bbox_predictor."),
    (r"^(encoder\.layers\.\d+)\.norm2\.", r"\1.final_layer_norm."),
    (r"^(decoder\.layers\.\d+)\.norm2\.", r"\1.encoder_attn_layer_norm."),
    (r"^(decoder\.layers\.\d+)\.norm3\.", r"\1.final_layer_norm."),
    (r"^((?:en|de)coder\.layers\.\d+)\.norm1\.", r"\1.self_attn_layer_norm."),
    (r"^((?:en|de)coder\.layers\.\d+)\.linear([12])\.", r"\1.mlp.fc\2."),
    (r"\.multihead_attn\.", ".encoder_attn."),
    (r"\.out_proj\.", ".o_proj."),
    (r"^decoder\.norm\.", "decoder.layernorm."),
    *renamed_backbone_keys().items(),
    *renamed_mask_head_keys().items(),
)

# The three projections of an attention are one weight of the original.
JOINT_PROJECTION = re.compile(r"in_proj_(weight|bias)$")

# What stands in front of a name in one of the models.
PREFIXES = ("", "model.", "detr.", "detr.model.")


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.rename
def rename(name: str) -> str:
    """Return the new name of a weight."""
    for pattern, replacement in RENAMING_TABLE:
        name = re.sub(pattern, replacement, name)
    return name


def convert_state_dict(original: Mapping[str, Tensor], config: DetrConfig) -> dict[str, Tensor]:
    """Return the weights of a checkpoint under their new names and in their new layout.

    Args:
        original: the weights by their original names.
        config: the configuration of the new model.

    Raises:
        ValueError: two weights get the same new name.
    """
    converted: dict[str, Tensor] = {}
    for name, weight in original.items():
        new_name = rename(name)
        parts = {new_name: weight}
        if joint := JOINT_PROJECTION.search(new_name):
            module, kind = new_name[: joint.start()], joint.group(1)
            projections = zip(("q_proj", "k_proj", "v_proj"), weight.chunk(3), strict=True)
            parts = {f"{module}{projection}.{kind}": part.clone() for projection, part in projections}
        for part_name, part in parts.items():
            if part_name in converted:
                raise ValueError(
                    f"{name} is the second weight that gets the name {part_name}; check the renaming table"
                )
            converted[part_name] = part
    return converted


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.read_checkpoint
def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the weights in a checkpoint, a safetensors file or a file that `torch.save` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or holds objects that could run code when they are loaded.
    """
    content: Any
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            # Training scripts leave their command line beside the weights; it holds plain values only.
            with torch.serialization.safe_globals([argparse.Namespace]):
                content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds objects that could run code when loaded; save its weights alone: {error}"
        ) from error
    except (EOFError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{path} is no checkpoint: {error}") from error
    for key in ("model", "state_dict", "model_state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    weights = {str(name): value for name, value in dict(content).items() if isinstance(value, Tensor)}
    if not weights:
        raise ValueError(f"{path} holds no weights")
    return weights


def fill_model(model: DetrPreTrainedModel, weights: Mapping[str, Tensor]) -> list[str]:
    """Copy converted weights into a model, and return the names of those that it has no place for.

    What normalisations have counted has to be there as well as what was trained.

    Raises:
        ValueError: weights are missing or have another shape. All of them are listed, and the model stays as it was.
    """
    own_weights = model.state_dict()
    filled: dict[str, Tensor] = {}
    unused: list[str] = []
    problems: list[str] = []
    # How many batches were counted is of no use later.
    missing = dict.fromkeys(name for name in own_weights if not name.endswith("num_batches_tracked"))
    for name, weight in weights.items():
        own_name = next((prefix + name for prefix in PREFIXES if prefix + name in own_weights), None)
        if own_name is None:
            unused.append(name)
            continue
        missing.pop(own_name, None)
        shape, own_shape = tuple(weight.shape), tuple(own_weights[own_name].shape)
        if shape != own_shape:
            problems.append(f"{own_name}: shape {shape} in the checkpoint, {own_shape} in the model")
        filled[own_name] = weight
    for name in missing:
        problems.append(f"{name}: missing in the checkpoint, shape {tuple(own_weights[name].shape)} in the model")
    if problems:
        problems += [f"{name}: no such weight in the model, shape {tuple(weights[name].shape)}" for name in unused]
        raise ValueError(f"the checkpoint does not fill {type(model).__name__}:\n  " + "\n  ".join(problems))
    model.load_state_dict(filled, strict=False)
    return unused


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.convert_checkpoint with BertConfig->DetrConfig
def convert_checkpoint(
    checkpoint: Path, config_file: Path, output: Path, model_class_name: str | None = None
) -> list[str]:
    """Convert a checkpoint, save the model, and return the names of the weights that were not used.

    Args:
        checkpoint: the original checkpoint.
        config_file: the `config.json` of the new model.
        output: the folder that is written.
        model_class_name: the class to fill; without it the one that the configuration's "architectures" names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the checkpoint cannot be read or does not fill the model.
    """
    config = DetrConfig.from_dict(read_json_file(config_file))
    known = {model_class.__name__: model_class for model_class in MODEL_CLASSES}
    for name in config.architectures or () if model_class_name is None else ():
        # The original's classes may start with another model's name; what follows it says what they are for.
        prefix = MODEL_CLASSES[0].__name__.removesuffix("Model")
        matching = [own_name for own_name in known if name.endswith(own_name.removeprefix(prefix))]
        model_class_name = max(matching, key=len, default=None)
        if model_class_name is None:
            raise ValueError(f"no class for {name}, which the configuration names; choose with --model-class")
    if model_class_name is None:
        model_class_name = MODEL_CLASSES[0].__name__
    if model_class_name not in known:
        raise ValueError(f"unknown class {model_class_name!r}; known are: {', '.join(known)}")
    model = known[model_class_name](config)
    unused = fill_model(model, convert_state_dict(read_checkpoint(checkpoint), config))
    model.save_pretrained(output)
    return unused


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.main with BERT->DETR
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the conversion with the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Turn an original DETR checkpoint into a folder for from_pretrained.")
    parser.add_argument("checkpoint", type=Path, help="safetensors file, or a file written by torch.save")
    parser.add_argument("--config", type=Path, required=True, help="config.json of the new model")
    parser.add_argument("--output", type=Path, required=True, help="folder that is written")
    parser.add_argument(
        "--model-class",
        choices=[model_class.__name__ for model_class in MODEL_CLASSES],
        help="what to build (default: what the configuration names, otherwise the model without a head)",
    )
    options = parser.parse_args(arguments)
    try:
        unused = convert_checkpoint(options.checkpoint, options.config, options.output, options.model_class)
    except (OSError, ValueError) as error:
        parser.exit(2, f"error: {error}\n")
    for name in unused:
        print(f"not used: {name}")
    print(f"saved in {options.output}")


if __name__ == "__main__":
    main()
