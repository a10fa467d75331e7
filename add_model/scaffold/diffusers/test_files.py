"""A new model's tests: the reference's, renamed, in a tree that holds any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from add_model.errors import AddModelError
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.diffusers.plan import DiffusersPlan
from add_model.scaffold.diffusers.units import FAMILIES, SCHEDULER, Unit
from add_model.scaffold.source_tree.edits import NewFile, Reader


def renamed_tests(plan: DiffusersPlan, read: Reader) -> Iterator[NewFile]:
    """The tests of each unit, under the new model's name.

    Raises:
        AddModelError: a file cannot be read, or is no UTF-8.
    """
    for unit in plan.reference.units:
        renaming = plan.renamings.of_units[unit]
        for old, new in _places(plan.tree.tests_folder, unit, renaming):
            try:
                text = read(old).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise AddModelError(f"{old}: is not UTF-8: {error.reason}; convert it and run again") from error
            yield NewFile(new, renaming.rename_text(text).encode())


def _places(tests: Path, unit: Unit, renaming: FolderRenaming) -> Iterator[tuple[Path, Path]]:
    """Each file of tests that is about a unit, and where its copy goes."""
    if unit.is_folder:
        folder = tests / "pipelines" / unit.stem
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else ():
            relative = PurePosixPath(path.relative_to(folder).as_posix())
            new = relative.with_name(_renamed(relative.name, unit.name, renaming.new.snake))
            yield path, tests / "pipelines" / renaming.new.snake / new
        return
    section, lead = ("schedulers", "test_scheduler") if unit.kind == SCHEDULER else ("models", "test_models")
    place = tests / section / (FAMILIES[unit.kind][0] if unit.kind in FAMILIES else "")
    stems = {f"{lead}_{name}" for name in (unit.stem, unit.name)}
    for path in sorted(place.glob("*.py")) if place.is_dir() else ():
        new_name = _renamed(path.name, unit.name, renaming.new.snake)
        if path.stem in stems and new_name != path.name:
            yield path, path.with_name(new_name)


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![a-z0-9]){re.escape(old)}(?![a-z0-9])", new, text)
