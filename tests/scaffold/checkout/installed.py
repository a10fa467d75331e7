"""The installed release of Transformers, as the checkout that it was built from; read, and never imported."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from add_model.library import installed_package
from add_model.names import ModelName
from add_model.scaffold.checkout.layout import Checkout, find_checkout
from add_model.scaffold.checkout.modules import NewModule, new_module
from add_model.scaffold.checkout.reference import CheckoutReference, find_checkout_reference
from add_model.scaffold.copied_text.renaming import FolderRenaming

# How many folders of models a release has, of those that were counted by hand; of any other, most of them.
_COUNTED = {"5.23.0": 523, "5.24.0": 531}


def has_as_many_models_as_released(number: int, version: str | None = None) -> bool:
    """Whether so many folders are what a release has, by default the installed one."""
    version = version or metadata.version("transformers")
    return number == _COUNTED[version] if version in _COUNTED else number > 480


@lru_cache(maxsize=1)
def installed() -> Checkout:
    """The installed release."""
    folder = installed_package("transformers")
    assert folder is not None
    checkout = find_checkout(folder)
    assert checkout is not None
    return checkout


@lru_cache(maxsize=8)
def reference(folder: str) -> CheckoutReference:
    """One of its models."""
    return find_checkout_reference(folder, installed())


def renaming(folder: str, name: str = "brand_new") -> FolderRenaming:
    """The renaming of one of its models."""
    return FolderRenaming(reference(folder), ModelName.from_snake(name))


def new_modules(renamed: FolderRenaming) -> dict[Path, NewModule]:
    """The files of the new folder, by the paths of those that they are made from, below the models' folder."""
    folder = Path(renamed.reference.folder)
    return {folder / file.path: new_module(file, renamed) for file in renamed.reference.files}


def imports_from_outside(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """What a module imports from outside its folder: the module, dots included, and the name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.level == 0 or node.level > depth):
            for alias in node.names:
                yield f"{'.' * node.level}{node.module or ''}", alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ""
