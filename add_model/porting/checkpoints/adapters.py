"""Adapters of low rank, as PEFT stores them: beside the weights that they adapt, or in the file of their own that it saves."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import WeightsFile
from add_model.porting.documents import read_json
from add_model.reading import MOST_BYTES_OF_SETTINGS

SETTINGS = "adapter_config.json"
FILES = ("adapter_model.safetensors", "adapter_model.bin")
# What a PEFT model puts before the name of every weight of the model in it.
_WRAPPER = "base_model.model."


class AdapterFile(WeightsFile):
    """A file of adapters, under the names that the weights have beside them."""

    def __init__(self, inner: WeightsFile) -> None:
        super().__init__(inner.path)
        self._inner = inner
        self._names = {name.removeprefix(_WRAPPER): name for name in inner.weights}
        self.weights = {name: inner.weights[stored] for name, stored in self._names.items()}
        self.parts, self.left_objects = inner.parts, inner.left_objects

    def _read(self, name: str) -> torch.Tensor:
        return self._inner.read(self._names[name])

    def release(self) -> None:
        """Gives back the memory of what was read."""
        self._inner.release()

    def _reopen(self) -> None:
        """The file inside is opened anew by itself."""

    def close(self) -> None:
        """Closes the file."""
        self._inner.close()


def adapters_in(folder: Path) -> Path | None:
    """The file of adapters that PEFT saved into a folder; `None` where there is none."""
    if not (folder / SETTINGS).is_file():
        return None
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def refuse_alone(path: Path, file: Path) -> None:
    """Raises `AddModelError` where a file holds adapters, and not the weights that they adapt."""
    if file.name in FILES:
        adapted = _settings(file.parent).get("base_model_name_or_path")
        of = f" of {adapted}" if isinstance(adapted, str) and adapted else ""
        raise AddModelError(f"{path}: holds adapters of PEFT, and not the weights{of} that they adapt; put the files of that checkpoint into the same folder, and name the folder")  # fmt: skip


def scale_of(folder: Path) -> float | None:
    """What the product of an adapter's two weights is multiplied by, the same for all; `None` where nothing says it.

    `lora_alpha` divided by the rank (https://arxiv.org/abs/2106.09685, section 4.1), or by its root where it is said to be
    stabilised by that (https://arxiv.org/abs/2312.03732).
    """
    settings = _settings(folder)
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    differs = any(settings.get(key) for key in ("alpha_pattern", "rank_pattern", "use_dora", "fan_in_fan_out"))
    if differs or type(rank) is not int or rank < 1 or not isinstance(alpha, (int, float)) or isinstance(alpha, bool):
        return None
    scale = alpha / (math.sqrt(rank) if settings.get("use_rslora") else rank)
    return scale if math.isfinite(scale) else None


def _settings(folder: Path) -> dict[str, object]:
    try:
        content = read_json(folder / SETTINGS, MOST_BYTES_OF_SETTINGS)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
