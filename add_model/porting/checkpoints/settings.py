"""What the original says of its sizes: settings that training left in the checkpoint, or in a file beside it."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from add_model.porting.documents import parse_json, refuse_depth
from add_model.reading import MOST_BYTES_OF_SETTINGS, read_bytes

Settings = Mapping[str, Any]
# Files that code bases keep a model's settings in, beside its weights; the most telling first.
_FILES = tuple(f"{stem}.{suffix}" for stem in ("params", "model_config", "model_args", "hparams", "args", "config") for suffix in ("json", "yaml", "yml"))  # fmt: skip
# Of a checkpoint with more than weights in it, the parts that hold settings.
_PARTS = ("dims", "model_args", "model_config", "model_cfg", "config", "cfg", "hparams", "hyper_parameters", "args")
_INSIDE = ("model", "model_args", "model_config")
# A file of the library's own, which is read elsewhere.
_OWN = "config.json"


def settings_in(content: Any) -> dict[str, Settings]:
    """The settings in what a pickle holds, by the part that they stand in: mappings, and the values of a command line."""
    found: dict[str, Settings] = {}
    for key in _PARTS if isinstance(content, Mapping) else ():
        values = plain(content.get(key))
        if values:
            found[key] = values
    return found


def settings_beside(folder: Path) -> Iterator[tuple[str, Settings]]:
    """The settings in files of a folder, each with the name of the file; what cannot be read says nothing."""
    for name in _FILES:
        if name == _OWN or not (folder / name).is_file():
            continue
        try:
            text = read_bytes(folder / name, MOST_BYTES_OF_SETTINGS)
            content = parse_json(text) if name.endswith(".json") else _yaml(text)
            refuse_depth(content)
        except (OSError, ValueError):
            continue
        values = plain(content)
        if values:
            yield name, values


def plain(content: Any) -> dict[str, Any]:
    """The numbers, texts, truth values and lists of numbers of a mapping, and of what it says of the model in it."""
    if isinstance(content, argparse.Namespace):
        content = vars(content)
    if not isinstance(content, Mapping):
        return {}
    inside = [value for key in _INSIDE if isinstance(value := content.get(key), (Mapping, argparse.Namespace))]
    parts = [content, *(vars(part) if isinstance(part, argparse.Namespace) else part for part in inside)]
    return {key: value for part in parts for key, value in part.items() if isinstance(key, str) and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return 0 < len(value) < 100 and all(type(each) in (int, float) for each in value)
    return type(value) in (int, float, str, bool)


def _yaml(text: bytes) -> Any:
    """What a text in YAML stands for; nothing where no reader of it is installed."""
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError:
        return {}
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {error}") from error
