"""Turns an original SegFormer checkpoint into a folder that `from_pretrained` reads.

    python -m add_model.zoo.models.segformer.convert_segformer_checkpoint CHECKPOINT --config config.json \
        --output FOLDER

Each weight gets the name that the renaming table below makes of its original name. Then every weight of the new model
must be filled, by name and shape, and each weight of the checkpoint that was not used is printed. (The original's
normalisations in the layers and behind the stages add 1e-6 to the variance, those here and in the published models 1e-5.)
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...configuration_utils import read_json_file
from .configuration_segformer import SegformerConfig
from .modeling_segformer import (
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
    SegformerModel,
    SegformerPreTrainedModel,
)

# What a checkpoint can be turned into; the first is chosen when neither the command line nor the configuration says.
MODEL_CLASSES: tuple[type[SegformerPreTrainedModel], ...] = (
    SegformerModel,
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
)

# Regular expressions and replacements, applied to each name from the first to the last. The original release
# (NVlabs/SegFormer) numbers the parts of the stages from 1 on: "patch_embed1", "block1.0", "norm1"; what segments keeps
# them in a "backbone". The earlier published names gather the parts of a kind as "encoder.block.0.0" and so on.
# In front of the names of today stands the original's own name of the model without a head, or nothing.
RENAMING_TABLE = (
    (r"^module\.", ""),
    (r"^backbone\.", ""),
    # The original release, whose numbers are lowered below.
    (r"^patch_embed(\d+)\.norm\.", r"from1.\1.patch_embeddings.layer_norm."),
    (r"^patch_embed(\d+)\.", r"from1.\1.patch_embeddings."),
    (r"^norm(\d+)\.", r"from1.\1.layer_norm."),
    (r"^block(\d+)\.(\d+)\.", r"from1.\1.blocks.\2."),
    (r"^decode_head\.linear_c(\d+)\.", r"decode_head.from1.\1."),
    (r"^decode_head\.linear_fuse\.conv\.", "decode_head.linear_fuse."),
    (r"^decode_head\.linear_fuse\.bn\.", "decode_head.batch_norm."),
    (r"^decode_head\.linear_pred\.", "decode_head.classifier."),
    (r"^head\.", "classifier."),
    (r"\.norm1\.", ".layernorm_before."),
    (r"\.norm2\.", ".layernorm_after."),
    (r"\.attn\.(q|k|v)\.", r".attention.\1_proj."),
    (r"\.attn\.proj\.", ".attention.o_proj."),
    (r"\.attn\.sr\.", ".attention.sequence_reduction.sequence_reduction."),
    (r"\.attn\.norm\.", ".attention.sequence_reduction.layer_norm."),
    # The earlier published names.
    (r"^(?:\w+\.)?encoder\.(patch_embeddings|layer_norm)\.(\d+)\.", r"stages.\2.\1."),
    (r"^(?:\w+\.)?encoder\.block\.(\d+)\.", r"stages.\1.blocks."),
    (r"\.attention\.self\.(q|k|v)(?:uery|ey|alue)\.", r".attention.\1_proj."),
    (r"\.attention\.self\.sr\.", ".attention.sequence_reduction.sequence_reduction."),
    (r"\.attention\.self\.layer_norm\.", ".attention.sequence_reduction.layer_norm."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.mlp\.dense([12])\.", r".mlp.fc\1."),
    (r"\.layer_norm_1\.", ".layernorm_before."),
    (r"\.layer_norm_2\.", ".layernorm_after."),
    (r"^decode_head\.linear_c\.", "decode_head.linear_projections."),
    (r"^(?:(?!decode_head\.)\w+\.)?(?=(?:stages|from1)\.)", "segformer."),
)

# A number that the original counts from 1 on.
COUNTED_FROM_ONE = re.compile(r"(decode_head\.)?\bfrom1\.(\d+)\.")


def rename(name: str) -> str:
    """Return the new name of a weight."""
    for pattern, replacement in RENAMING_TABLE:
        name = re.sub(pattern, replacement, name)
    match = COUNTED_FROM_ONE.search(name)
    if match is None:
        return name
    of_head, number = match.groups()
    kind = "decode_head.linear_projections" if of_head else "stages"
    return f"{name[: match.start()]}{kind}.{int(number) - 1}.{name[match.end() :]}"


def split_keys_and_values(original: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of a checkpoint; the original computes keys and values by one weight, the keys first."""
    for name, weight in original.items():
        if ".attn.kv." in name:
            key, value = weight.chunk(2)
            yield name.replace(".kv.", ".k."), key.contiguous()
            yield name.replace(".kv.", ".v."), value.contiguous()
        else:
            yield name, weight


def convert_state_dict(original: Mapping[str, Tensor], config: SegformerConfig) -> dict[str, Tensor]:
    """Return the weights of a checkpoint under their new names and in their new layout.

    Args:
        original: the weights by their original names.
        config: the configuration of the new model.

    Raises:
        ValueError: two weights get the same new name.
    """
    converted: dict[str, Tensor] = {}
    for name, weight in split_keys_and_values(original):
        new_name = rename(name)
        if new_name in converted:
            raise ValueError(f"{name} is the second weight that gets the name {new_name}; check the renaming table")
        converted[new_name] = weight
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


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.fill_model with BertPreTrainedModel->SegformerPreTrainedModel
def fill_model(model: SegformerPreTrainedModel, weights: Mapping[str, Tensor]) -> list[str]:
    """Copy converted weights into a model, and return the names of those that it has no place for.

    Raises:
        ValueError: weights are missing, have another shape, or differ although the configuration ties them. All of
            them are listed, and the model stays as it was.
    """
    own_weights = model.state_dict()
    tied_weights = model.tied_weights()
    filled: dict[str, Tensor] = {}
    unused: list[str] = []
    problems: list[str] = []
    refused: set[str] = set()
    for name, weight in weights.items():
        # A model without a head has the names without the prefix.
        own_name = name if name in own_weights else name.removeprefix(f"{model.base_model_prefix}.")
        if own_name not in own_weights:
            unused.append(name)
            continue
        target = tied_weights.get(own_name, own_name)
        shape, own_shape = tuple(weight.shape), tuple(own_weights[own_name].shape)
        if shape != own_shape:
            problems.append(f"{own_name}: shape {shape} in the checkpoint, {own_shape} in the model")
            refused.add(target)
        elif target in filled and not bool((filled[target] == weight).all()):
            problems.append(
                f"{own_name}: differs from {target}; set tie_word_embeddings to false in the configuration"
            )
        else:
            filled[target] = weight
    for name, parameter in model.named_parameters():
        target = tied_weights.get(name, name)
        if target not in filled and target not in refused:
            problems.append(f"{name}: missing in the checkpoint, shape {tuple(parameter.shape)} in the model")
    if problems:
        problems += [f"{name}: no such weight in the model, shape {tuple(weights[name].shape)}" for name in unused]
        raise ValueError(f"the checkpoint does not fill {type(model).__name__}:\n  " + "\n  ".join(problems))
    model.load_state_dict(filled, strict=False)
    return unused


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.convert_checkpoint with BertConfig->SegformerConfig
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
    config = SegformerConfig.from_dict(read_json_file(config_file))
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


# Copied from add_model.zoo.models.bert.convert_bert_checkpoint.main with BERT->SegFormer
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the conversion with the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Turn an original SegFormer checkpoint into a folder for from_pretrained."
    )
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
