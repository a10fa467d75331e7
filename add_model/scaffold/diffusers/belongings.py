"""The places of a model in a source tree of Diffusers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from add_model.scaffold.belongings import Belongings, model_state
from add_model.scaffold.diffusers.layout import SourceTree
from add_model.scaffold.diffusers.units import FAMILIES

_DIMENSIONS = r"(?:[123]d_)?"
_LEADS = "|".join((*(lead for _, lead in FAMILIES.values()), "scheduling", "scheduler"))
_TESTS = r"test_(?:models_|pipelines?_)?"


def belongings_in(tree: SourceTree, name: str) -> Belongings:
    """The places of a model in a tree."""
    root, package = tree.root, tree.package_folder
    return Belongings(
        folders=(tree.pipelines_folder / name, tree.tests_folder / "pipelines" / name, model_state(root, name)),
        named=(),
        files=frozenset(_files(tree, name)),
        shared=(package, root / "docs", root / "tests", root / "utils"),
        name=name,
    )


def _files(tree: SourceTree, name: str) -> Iterator[Path]:
    """The modules, tests and pages that are called by a model's name, beside what they are."""
    stem = re.compile(rf"(?:{_TESTS})?(?:(?:{_LEADS})_{_DIMENSIONS})?{re.escape(name)}(?:_transformer)?(?:_[123]d)?")
    places = [tree.models_folder / folder for folder, _ in FAMILIES.values()]
    places += [tree.schedulers_folder, tree.tests_folder, tree.docs_folder]
    for place in places:
        for path in place.rglob("*") if place.is_dir() else ():
            if path.suffix in (".py", ".md") and stem.fullmatch(path.stem.replace("-", "_")):
                yield path
