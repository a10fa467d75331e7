"""A checkpoint of a model whose code nobody else has: its modules go with it, and its settings say which class is where.

The layout is that of custom models on the Hub: modules at the top of the repository, and `auto_map` in the JSON files,
https://huggingface.co/docs/transformers/custom_models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.porting.documents import read_json
from add_model.porting.model.documented import public_classes
from add_model.porting.model.ported_model import PortedModel
from add_model.reading import MOST_BYTES_OF_SETTINGS

_CONFIGURATION = "config.json"
# Which file an auto class looks into; those of models and configurations into the model's.
_SETTINGS = {
    "AutoTokenizer": "tokenizer_config.json",
    "AutoImageProcessor": "preprocessor_config.json",
    "AutoFeatureExtractor": "preprocessor_config.json",
    "AutoVideoProcessor": "video_preprocessor_config.json",
    "AutoProcessor": "processor_config.json",
}
_NOT_PUBLISHED = ("__init__", "convert_", "modular_")


def with_code(model: PortedModel, files: Sequence[Path]) -> tuple[Mapping[str, bytes], tuple[Path, ...]]:
    """What a checkpoint of the model is published with beside its own files: settings that name its code, and the code.

    Args:
        model: the model.
        files: the checkpoint's files.

    Returns:
        Name -> content of the files that are published in place of those of the same name; and the modules. Both are
        empty where the library that has the model's code is one that everybody can install.

    Raises:
        AddModelError: a module does not parse, or a file of settings cannot be read.
    """
    if not model.held.auto_classes:
        return {}, ()
    modules = tuple(path for path in model.modules() if not path.stem.startswith(_NOT_PUBLISHED))
    places = {found.name: f"{found.path.stem}.{found.name}" for found in public_classes(modules)}
    maps: dict[str, dict[str, Any]] = {}
    for auto, name in model.held.auto_classes.items():
        if name in places:
            said = [places[name], None] if auto == "AutoTokenizer" else places[name]
            maps.setdefault(_SETTINGS.get(auto, _CONFIGURATION), {})[auto] = said
    made = {path.name: _mapped(path, maps[path.name]) for path in files if path.name in maps}
    return made, modules


def _mapped(path: Path, auto_map: Mapping[str, Any]) -> bytes:
    try:
        content = read_json(path, MOST_BYTES_OF_SETTINGS)
    except (OSError, ValueError) as error:
        raise AddModelError(f"{path}: cannot be read: {error}; convert the checkpoint again") from error
    if not isinstance(content, dict):
        raise AddModelError(f"{path}: must hold a JSON object; convert the checkpoint again")
    return (json.dumps({**content, "auto_map": dict(auto_map)}, indent=2, ensure_ascii=False) + "\n").encode()
