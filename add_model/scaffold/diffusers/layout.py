"""The layout of a source tree of Diffusers, told from the files in it; nothing of it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError

PACKAGE = "diffusers"
_PARTS = ("__init__.py", "pipelines")
_LANDMARKS = ("__init__.py", "models/__init__.py", "schedulers/__init__.py", "pipelines/__init__.py")


@dataclass(frozen=True)
class SourceTree:
    """A source tree of Diffusers.

    Attributes:
        root: the folder that everything is written below; `src`, `tests` and `docs` stand in it.
        package_folder: the folder of the package `diffusers`.
    """

    root: Path
    package_folder: Path

    @property
    def models_folder(self) -> Path:
        """The folder with one sub-folder a family of models."""
        return self.package_folder / "models"

    @property
    def schedulers_folder(self) -> Path:
        """The folder with one module a scheduler."""
        return self.package_folder / "schedulers"

    @property
    def pipelines_folder(self) -> Path:
        """The folder with one sub-folder a pipeline, or several that belong together."""
        return self.package_folder / "pipelines"

    @property
    def tests_folder(self) -> Path:
        """The folder of the tests; source archives hold hardly any."""
        return self.root / "tests"

    @property
    def docs_folder(self) -> Path:
        """The folder of the documentation in English; source archives lack it."""
        return self.root / "docs" / "source" / "en"

    def module(self, path: Path) -> str:
        """The dotted name of a module of the package, by its file or its folder."""
        return ".".join((PACKAGE, *path.relative_to(self.package_folder).with_suffix("").parts))


def find_source_tree(root: Path) -> SourceTree | None:
    """The tree with this root: the folder above `src`, or the one that holds the package itself.

    The folders `src` and `src/diffusers` stand for the tree that they lie in.

    Returns:
        The tree; `None` where there is no package `diffusers`.

    Raises:
        AddModelError: there is such a package, but it is laid out as none that is known.
    """
    candidates = [root / "src" / PACKAGE, root / PACKAGE, *([root] if root.name == PACKAGE else [])]
    package = next((folder for folder in candidates if any((folder / part).exists() for part in _PARTS)), None)
    if package is None:
        return None
    missing = [name for name in _LANDMARKS if not (package / name).is_file()]
    if missing:
        raise AddModelError(f"{package}: is laid out as no release of Diffusers that add-model knows: looked for {', '.join(_LANDMARKS)}, and found no {missing[0]}; pass the root of a whole checkout with --into")  # fmt: skip
    holder = package.parent
    return SourceTree(holder.parent if holder.name == "src" else holder, package)
