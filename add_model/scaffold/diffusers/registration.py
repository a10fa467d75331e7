"""Making a new model known in a source tree of Diffusers: one call, from its names to everything that has to say them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from add_model.scaffold.diffusers.dummies import dummy_edits
from add_model.scaffold.diffusers.package_files import Added, package_edit
from add_model.scaffold.diffusers.plan import DiffusersPlan
from add_model.scaffold.source_tree.edits import FileEdit, Reader, merged


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

    def edits(self) -> tuple[FileEdit, ...]:
        """The files that get entries.

        Raises:
            AddModelError: one cannot be read or does not parse.
        """
        return merged(self._edits())

    def _edits(self) -> Iterator[FileEdit]:
        for folder in sorted(self._folders()):
            edit = self._package_edit(folder / "__init__.py")
            yield edit
            if folder == self.plan.tree.package_folder:
                yield from dummy_edits(edit, self.names, self.read)

    def _package_edit(self, path: Path) -> FileEdit:
        return package_edit(path, self.read(path), Added(self.names, self.modules_below(path.parent)))

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
