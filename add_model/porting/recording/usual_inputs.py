"""What a model is given where nobody says: a fixed short input of the kind that it takes, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

_LENGTH = 12
_DECODED = 4
_SECOND = 16_000


def usual_inputs(model: nn.Module) -> dict[str, torch.Tensor]:
    """The input by name: `(1, 12)` ids; for images `(1, channels, height, width)`; for sound a spectrogram, or a second of samples; twelve steps of a trajectory.

    Which of them a model takes is what it calls its `main_input_name`, as the models of Transformers do; sizes are those
    of its configuration. An encoder with a decoder gets the beginning of a text as well.
    """
    name = str(getattr(model, "main_input_name", "input_ids"))
    config: Any = getattr(model, "config", None)
    if name == "pixel_values":
        height, width = _pair(_first(config, ("image_size",), 224))
        inputs = {name: _waves((1, _first(config, ("num_channels",), 3), height, width))}
    elif name == "input_features":
        bins = _first(config, ("num_mel_bins", "input_feat_per_channel", "feature_size"), 80)
        # Where the encoder has a number of positions for sound, it takes just that much, two frames each, channels first.
        positions = getattr(config, "max_source_positions", None) if hasattr(config, "num_mel_bins") else None
        inputs = {name: _waves((1, 100, bins) if positions is None else (1, bins, 2 * positions))}
    elif name == "input_values":
        inputs = {name: _waves((1, _SECOND))}
    elif name == "states":
        inputs = _trajectory(config)
    else:
        inputs = {"input_ids": _ids(config, _LENGTH)}
    if getattr(config, "is_encoder_decoder", False) and name != "input_ids":
        inputs["decoder_input_ids"] = _ids(config, _DECODED)
    return inputs


def _trajectory(config: Any) -> dict[str, torch.Tensor]:
    """The first twelve steps of an episode: states, what is done in them, and the returns still to come."""
    import torch

    state_size, action_size = _first(config, ("state_dim",), 17), _first(config, ("act_dim",), 4)
    return {
        "states": _waves((1, _LENGTH, state_size)),
        "actions": _waves((1, _LENGTH, action_size)),
        "returns_to_go": _waves((1, _LENGTH, 1)),
        "timesteps": torch.arange(_LENGTH)[None, :],
    }


def _ids(config: Any, length: int) -> torch.Tensor:
    """`(1, length)` ids that every vocabulary has, without the first few, which are often special."""
    import torch

    return (torch.arange(length) * 7 + 5).remainder(_first(config, ("vocab_size",), 100))[None, :]


def _waves(shape: Sequence[int]) -> torch.Tensor:
    """Values between -1 and 1 that repeat nowhere: no two places of an input are to be mistaken for each other."""
    import torch

    count = 1
    for size in shape:
        count *= size
    return torch.sin(torch.arange(count, dtype=torch.float64) * 0.37).to(torch.float32).reshape(tuple(shape))


def _first(config: Any, names: Sequence[str], default: int) -> Any:
    """The first of these that the configuration has, or that the configuration of its images has."""
    for part in (config, getattr(config, "vision_config", None), getattr(config, "text_config", None)):
        for name in names:
            value = getattr(part, name, None)
            if value is not None:
                return value
    return default


def _pair(size: Any) -> tuple[int, int]:
    """Height and width, of a size that may be one number for both."""
    if isinstance(size, (list, tuple)):
        return int(size[0]), int(size[-1])
    if isinstance(size, dict):
        return int(size.get("height", 224)), int(size.get("width", 224))
    return int(size), int(size)
