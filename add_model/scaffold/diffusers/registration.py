"""Making a new model known in a source tree of Diffusers: one call, from its names to everything that has to say them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.scaffold.diffusers.documentation import documentation_edits
from add_model.scaffold.diffusers.dummies import dummy_edits
from add_model.scaffold.diffusers.mentions import mentions
from add_model.scaffold.diffusers.package_files import Added, package_edit
from add_model.scaffold.diffusers.plan import DiffusersPlan
from add_model.scaffold.diffusers.tables import table_edit
from add_model.scaffold.diffusers.test_files import renamed_tests
from add_model.scaffold.source_tree.edits import FileEdit, NewFile, Note, Reader, merged

_NAME = re.compile(r"\w+")
# What the library does for many models: folders of the package.
_SHARED = ("guiders", "hooks", "loaders", "quantizers")


@dataclass(frozen=True)
class Registration:
    """Everything around a new model's modules that makes it known.

    Attributes:
        edits: the files that get entries, by path.
        new_files: the files to write: tests and documentation.
        notes: what names the reference and stays as it is.
    """

    edits: tuple[FileEdit, ...]
    new_files: tuple[NewFile, ...]
    notes: tuple[Note, ...]


class Registrar:
    """What makes a plan's model known.

    Attributes:
        plan: the plan.
        read: reads a file of the tree as it is before the model is known.
    """

    def __init__(self, plan: DiffusersPlan, read: Reader) -> None:
        self.plan = plan
        self.read = read

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The reference's public names, with the new model's."""
        return self.plan.renamings.names

    def registration(self) -> Registration:
        """Everything that makes the model known.

        Raises:
            AddModelError: a file cannot be read or does not parse.
        """
        found: list[FileEdit | NewFile | Note] = [*self._exports(), *self._tables()]
        found += documentation_edits(self.plan, self.read)
        found += renamed_tests(self.plan, self.read)
        edits = merged(item for item in found if isinstance(item, FileEdit))
        written = {edit.path: edit.after for edit in edits}
        return Registration(
            edits,
            tuple(item for item in found if isinstance(item, NewFile)),
            tuple(self._notes(written)),
        )

    def _exports(self) -> Iterator[FileEdit]:
        for folder in sorted(self._folders()):
            edit = self._package_edit(folder / "__init__.py")
            yield edit
            if folder == self.plan.tree.package_folder:
                yield from dummy_edits(edit, self.names, self.read)

    def _tables(self) -> Iterator[FileEdit]:
        """Entries beside the reference's in tables, and the imports that those take."""
        name = self.plan.name.snake
        for path in self._shared_modules():
            content = self.read(path)
            if any(old.encode() in content for old in self.names):
                edit = table_edit(path, content, self.names, self.plan.reference.snake, name)
                yield edit
                if edit.insertions and path.parent == self.plan.tree.pipelines_folder:
                    yield self._import_edit(path, content, edit)

    def _notes(self, written: Mapping[Path, bytes]) -> Iterator[Note]:
        """What names the reference and stays as it is."""
        renamings = self.plan.renamings.of_units.values()
        defined = (name for renaming in renamings for name in renaming.reference.vocabulary.classes)
        pairs = {old: new for old in defined for renaming in renamings if (new := renaming.identifier(old)) != old}
        news = {*pairs.values(), *self.names.values()}
        named = re.compile(rb"\b(?:" + "|".join(sorted({*pairs, *self.names})).encode() + rb")\b")
        for path in self._shared_modules():
            content = written.get(path) or self.read(path)
            if named.search(content):
                yield from mentions(path, content, {*pairs, *self.names}, news)

    def _shared_modules(self) -> list[Path]:
        """The modules that are no model's, scheduler's or pipeline's own, where a reference may be treated specially."""
        tree = self.plan.tree
        folders = [path for path in tree.package_folder.iterdir() if path.name in _SHARED and path.is_dir()]
        found = {path for folder in folders for path in folder.rglob("*.py")}
        found |= {*tree.models_folder.glob("*.py"), *tree.pipelines_folder.glob("*.py")}
        return sorted(path for path in found if path.name != "__init__.py")

    def _package_edit(self, path: Path) -> FileEdit:
        return package_edit(path, self.read(path), Added(self.names, self.modules_below(path.parent)))

    def _import_edit(self, path: Path, content: bytes, entries: FileEdit) -> FileEdit:
        """The imports of what the entries of a module name."""
        named = {*_NAME.findall(b"".join(insertion.content for insertion in entries.insertions).decode())}
        names = {old: new for old, new in self.names.items() if new in named}
        return package_edit(path, content, Added(names, self.modules_below(path.parent)))

    def modules_below(self, folder: Path) -> dict[str, str]:
        """The reference's modules and folders as a package above them calls them, with the new model's."""
        places = {unit.path: self.plan.renamings.place(unit) for unit in self.plan.reference.units}
        return {_module(old, folder): _module(new, folder) for old, new in places.items() if folder in old.parents}

    def _folders(self) -> set[Path]:
        """The packages that lie around the reference's modules."""
        top = self.plan.tree.package_folder
        around = {folder for unit in self.plan.reference.units for folder in unit.path.parents}
        return {folder for folder in around if folder.is_relative_to(top) and (folder / "__init__.py").is_file()}


def _module(path: Path, folder: Path) -> str:
    return ".".join(path.relative_to(folder).with_suffix("").parts)
