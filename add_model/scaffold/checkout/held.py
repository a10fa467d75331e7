"""A model that a source tree of Transformers holds, as the workbench asks for it: read from its folder and the auto mappings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from add_model.held_model import HeldModel
from add_model.library import Library
from add_model.references import read_text
from add_model.registry import CONFIGURATION_MAPPING, Registry
from add_model.scaffold.belongings import model_state
from add_model.scaffold.checkout.auto_classes import read_auto_tables
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.checkout.reference import model_folders, registered_types

_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_TABLE = "MAPPING_NAMES"
# What every model of the tree is built on, beside its own folder.
_SHARED = ("activations.py", "cache_utils.py", "configuration_utils.py", "masking_utils.py", "modeling_attn_mask_utils.py", "modeling_layers.py", "modeling_outputs.py", "modeling_rope_utils.py", "modeling_utils.py", "pytorch_utils.py", "tokenization_utils_base.py")  # fmt: skip


def find_held_model(checkout: Checkout, library: Library, name: str) -> HeldModel | None:
    """The model whose folder is called so, or whose model type it is; `None` where there is none.

    Args:
        checkout: the tree.
        library: its layout.
        name: `llama`, `xlm_roberta` or `xlm-roberta`.

    Raises:
        AddModelError: a file of the tree cannot be read or does not parse.
    """
    folders = model_folders(checkout)
    called = name.replace("-", "_")
    if called not in folders:
        return None
    folder = folders[called]
    defined = _defined(checkout.models_folder / folder)
    main = _main_type(called, registered_types(checkout), defined)
    found = {} if main is None else _classes(checkout, main, defined)
    first = {mapping: names[0] for mapping, names in found.items()}
    further = tuple(
        dict.fromkeys(name for mapping, names in found.items() if _is_of_models(mapping) for name in names)
    )
    docs = checkout.docs_folder
    return HeldModel(
        library,
        called,
        classes=first,
        heads=Registry({mapping: {called: name} for mapping, name in first.items()}).heads(called),
        further_classes=further,
        folder=checkout.models_folder / folder,
        package=".".join((PACKAGE, "models", *folder.parts)),
        shared_code=tuple(path for path in (checkout.package_folder / name for name in _SHARED) if path.is_file()),
        tests_folder=checkout.tests_folder / called,
        shared_tests=tuple(sorted((checkout.root / "tests").glob("test_*_common.py"))),
        docs_page=docs / "model_doc" / f"{called}.md",
        # A tree of Transformers holds no cards: they stand with their checkpoints.
        model_card=model_state(checkout.root, called) / "model_card.md",
    )


def _defined(folder: Path) -> frozenset[str]:
    """The classes that the modules of a folder define."""
    return frozenset(name for path in sorted(folder.rglob("*.py")) for name in _CLASS.findall(read_text(path)))


def _main_type(folder: str, registered: Mapping[str, str], defined: frozenset[str]) -> str | None:
    """The model type of the whole model: the one that is called as the folder, else the first that is defined there."""
    own = [model_type for model_type, name in registered.items() if name in defined]
    return next((model_type for model_type in own if model_type.replace("-", "_") == folder), next(iter(own), None))


def _classes(checkout: Checkout, model_type: str, defined: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Mapping -> the classes of the folder that it has for a model type; several, where its entry is a tuple."""
    found: dict[str, tuple[str, ...]] = {}
    for mapping, tables in read_auto_tables(checkout).items():
        if not mapping.endswith(_TABLE):
            continue
        entries = [entry for table in tables if (entry := table.find(model_type)) is not None]
        names = tuple(dict.fromkeys(text.value for entry in entries for text in entry.texts[1:] if text.value in defined))  # fmt: skip
        if names:
            found[mapping] = names
    found.setdefault(
        CONFIGURATION_MAPPING, tuple(name for name in (registered_types(checkout).get(model_type),) if name)
    )
    return found


def _is_of_models(mapping: str) -> bool:
    return mapping.startswith("MODEL_")
