"""What a library in plain PyTorch has to be installed with: the packages that its modules import."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from add_model.library import CONFIGURATION_FILE, Library
from add_model.scaffold.rendering import LeftOut, RenderedFile, as_it_is
from add_model.scaffold.standalone.laying_down import readable_text

# The oldest release of each package that the bundled modules run with, by the name that they import it by.
_REQUIREMENTS = {
    "PIL": "pillow>=11",
    "huggingface_hub": "huggingface-hub>=0.30",
    "numpy": "numpy>=1.26",
    "safetensors": "safetensors>=0.4.5",
    "scipy": "scipy>=1.11",
    "tokenizers": "tokenizers>=0.20",
    "torch": "torch>=2.5",
}
# What every library needs, be it through what its modules import: safetensors hands weights to torch as arrays of NumPy.
_ALWAYS = frozenset({"huggingface_hub", "numpy", "safetensors", "torch"})
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")


def requirements(texts: Iterable[str]) -> tuple[str, ...]:
    """What these modules need to be installed, sorted, each with its oldest release."""
    imported = _ALWAYS.union(name for text in texts for name in _IMPORT.findall(text))
    return tuple(sorted(_REQUIREMENTS[name] for name in imported if name in _REQUIREMENTS))


def distribution(requirement: str) -> str:
    """The name of what a requirement is of, as package indices compare it."""
    found = _DISTRIBUTION.match(requirement.strip())
    return re.sub(r"[._-]+", "-", found.group()).lower() if found else ""


def project_with(library: Library, texts: Iterable[str]) -> tuple[list[RenderedFile], list[LeftOut]]:
    """The project's file with what these modules need to be installed and no module of the library did before.

    Returns:
        The file, if it changes; and what is to be added by hand, where the file does not list what it depends on.

    Raises:
        AddModelError: a file cannot be read.
    """
    present = requirements(readable_text(path) for path in sorted(library.package_folder.rglob("*.py")))
    needed = [each for each in requirements(texts) if each not in present]
    path = library.root / CONFIGURATION_FILE
    if not needed or not path.is_file():
        return [], []
    file = as_it_is(path, of_model=False)
    text = with_dependencies(file.text, needed)
    if text is None:
        names = ", ".join(map(distribution, needed))
        return [], [LeftOut(f"dependencies in your {CONFIGURATION_FILE}", f"add {names}")]
    return [RenderedFile(path, text, file.before, of_model=False)] if text != file.text else [], []


def project_without(library: Library, before: Iterable[str], after: Iterable[str]) -> dict[Path, str]:
    """The project's file without what only these modules needed that are gone, as it was written for them.

    Raises:
        AddModelError: the file cannot be read.
    """
    still = requirements(after)
    idle = [each for each in requirements(before) if each not in still]
    path = library.root / CONFIGURATION_FILE
    if not idle or not path.is_file():
        return {}
    file = as_it_is(path, of_model=False)
    try:
        document: Any = tomlkit.parse(file.text)
        dependencies = document["project"]["dependencies"]
        for each in idle:
            if each in dependencies:
                dependencies.remove(each)
    except (TOMLKitError, AttributeError, KeyError, TypeError):
        return {}
    text = tomlkit.dumps(document)
    return {path: text} if text != file.text else {}


def with_dependencies(text: str, needed: Iterable[str]) -> str | None:
    """A `pyproject.toml` that lists these requirements, but for those it has; `None` for one that lists none."""
    try:
        document: Any = tomlkit.parse(text)
        dependencies = document["project"]["dependencies"]
        present = {distribution(str(each)) for each in dependencies}
        missing = [each for each in needed if distribution(each) not in present]
        for each in missing:
            dependencies.append(each)
    except (TOMLKitError, AttributeError, KeyError, TypeError):
        return None
    return tomlkit.dumps(document) if missing else text
