"""The layout of a source tree of Transformers, told from the files in it; nothing of it is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.reading import read_bytes

PACKAGE = "transformers"
GENERATIONS = (4, 5)
# The first release whose auto classes read tables of names; before, there is nothing of the kind to write an entry into.
OLDEST = (4, 10)
_TABLE = "CONFIG_MAPPING_NAMES"
_PARTS = ("__init__.py", "models")
_VERSION = re.compile(r"""^__version__\s*=\s*["'](\d+)\.([^"']*)""", re.MULTILINE)
# What both generations have, and nothing else that is called `transformers`; below the package's folder.
_LANDMARKS = ("models/__init__.py", "models/auto/configuration_auto.py", "models/auto/modeling_auto.py")
# Only releases from 5.0 on, though not all of them, write this file.
_GENERATED_MAPPINGS = "auto_mappings.py"


@dataclass(frozen=True)
class Checkout:
    """A source tree of Transformers.

    Attributes:
        root: the folder that everything is written below; `src`, `tests` and `docs` stand in it.
        package_folder: the folder of the package `transformers`.
        generation: 4 or 5.
    """

    root: Path
    package_folder: Path
    generation: int

    @property
    def package(self) -> str:
        """The name of the package."""
        return PACKAGE

    @property
    def models_folder(self) -> Path:
        """The folder with one sub-folder a model."""
        return self.package_folder / "models"

    @property
    def auto_folder(self) -> Path:
        """The folder of the auto classes and their mappings."""
        return self.models_folder / "auto"

    @property
    def generated_mappings(self) -> Path:
        """The file of the mappings that a script of 5.x generates; absent from 4.x."""
        return self.auto_folder / _GENERATED_MAPPINGS

    @property
    def tests_folder(self) -> Path:
        """The folder with one sub-folder of tests a model; source archives lack it."""
        return self.root / "tests" / "models"

    @property
    def docs_folder(self) -> Path:
        """The folder of the documentation in English; source archives lack it."""
        return self.root / "docs" / "source" / "en"


def find_checkout(root: Path) -> Checkout | None:
    """The checkout with this root: the folder above `src`, or the one that holds the package itself.

    The folders `src` and `src/transformers` stand for the checkout that they lie in.

    Returns:
        The checkout; `None` where there is no package `transformers`.

    Raises:
        AddModelError: there is such a package, but it is laid out as neither 4.x nor 5.x is, or is older than what is
            understood.
    """
    package = _package_folder(root)
    if package is None:
        return None
    generation = _generation(package)
    holder = package.parent
    return Checkout(holder.parent if holder.name == "src" else holder, package, generation)


def _package_folder(root: Path) -> Path | None:
    candidates = [root / "src" / PACKAGE, root / PACKAGE]
    if root.name == PACKAGE:
        candidates.append(root)
    return next((folder for folder in candidates if any((folder / part).exists() for part in _PARTS)), None)


def _generation(package: Path) -> int:
    missing = [name for name in _LANDMARKS if not (package / name).is_file()]
    if missing:
        raise AddModelError(f"{package}: is laid out as neither 4.x nor 5.x of Transformers: looked for {', '.join(_LANDMARKS)}, and found no {missing[0]}; pass the root of such a checkout with --into")  # fmt: skip
    try:
        version = _VERSION.search(read_bytes(package / "__init__.py").decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AddModelError(f"{package / '__init__.py'}: cannot be read: {error}") from error
    if version is None:
        if not _has_table(package):
            raise AddModelError(
                f"{package}: is laid out as no release of Transformers that add-model knows: {_since()}"
            )
        return 5 if (package / "models" / "auto" / _GENERATED_MAPPINGS).is_file() else 4
    if int(version[1]) not in GENERATIONS:
        raise AddModelError(f"{package}: is Transformers {version[1]}.{version[2]}, and this add-model knows 4.x and 5.x; check out one of them")  # fmt: skip
    minor = re.match(r"\d+", version[2])
    if (int(version[1]), int(minor[0]) if minor else 0) < OLDEST:
        raise AddModelError(f"{package}: is Transformers {version[1]}.{version[2]}, which is older than what add-model knows: {_since()}")  # fmt: skip
    return int(version[1])


def _since() -> str:
    oldest = ".".join(map(str, OLDEST))
    return f"the oldest layout is that of {oldest}.0, from which on the auto classes have tables ({_TABLE}); take that release, or a newer one"  # fmt: skip


def _has_table(package: Path) -> bool:
    files = (package / "models" / "auto" / name for name in (_GENERATED_MAPPINGS, "configuration_auto.py"))
    return any(_TABLE.encode() in read_bytes(path) for path in files if path.is_file())
