"""Where references stand and where what is made of them: in the library's own tree, or in a package that depends on it."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

LIBRARY = "transformers.models"
# The package that models are made in beside the library.
PACKAGE = "our_models"


@dataclass(frozen=True)
class Places:
    """The two folders, and what the second is imported as.

    Attributes:
        references: the folder `models` of the library.
        models: the folder of the new models; the same in a tree of the library's own.
        package: the package of the new models.
    """

    references: Path
    models: Path
    package: str = LIBRARY

    @property
    def is_in_tree(self) -> bool:
        """Whether new models are part of the library."""
        return self.package == LIBRARY

    def old(self, reference: str) -> str:
        """The package of a reference, which is named by its folder, such as `deprecated/van`."""
        return f"{LIBRARY}.{reference.replace('/', '.')}"

    def new(self, name: str) -> str:
        """The package of a new model."""
        return f"{self.package}.{name}"

    def open(self) -> None:
        """Makes each model importable by itself: importing the package would import all of its models."""
        if not self.is_in_tree:
            package = ModuleType(self.package)
            package.__path__ = [str(self.models)]
            sys.modules[self.package] = package

    def folder_of(self, value: Any) -> str | None:
        """The model folder that a class or function is defined in, such as `bert` or `deprecated.van`."""
        module = getattr(value, "__module__", None)
        if not isinstance(module, str):  # what stands for a package that is not installed has any attribute
            return None
        for package in {LIBRARY, self.package}:
            if module.startswith(f"{package}."):
                return module.removeprefix(f"{package}.").rpartition(".")[0]
        return None

    def offered(self, name: str, new: str) -> Any:
        """What is called so and can be imported by it: from the library, or from the modules of the model's package.

        Raises:
            AttributeError: nothing is.
        """
        if self.is_in_tree:
            return getattr(importlib.import_module("transformers"), name)
        for module in [module for path, module in sys.modules.items() if path.startswith(self.new(new))]:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"{self.new(new)} has no {name}")
