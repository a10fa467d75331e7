"""What `like` can write for a model, by the kind of library: what a record of it may name, and nothing else.

A record of what was written lies in the tree, and may have come with it. It says which of these files there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.boundary import named_below
from add_model.library import CONFIGURATION_FILE, Library
from add_model.state import STATE_FOLDER

# The groups of templates that every model is given something from.
_GROUPS = ("model", "out_of_tree/model", "out_of_tree/tokenizer")
_TEXT = frozenset({".md", ".mdx", ".py", ".toml", ".txt", ".yaml", ".yml"})


@dataclass(frozen=True)
class Belongings:
    """The places of one model.

    Attributes:
        folders: everything in these is the model's.
        named: in these, what is called by the model's name is the model's.
        files: these are, too: what the user's own templates are rendered to.
        shared: files in these, or these themselves, can have entries of the model.
        name: the model's name.
    """

    folders: tuple[Path, ...]
    named: tuple[Path, ...]
    files: frozenset[Path]
    shared: tuple[Path, ...]
    name: str

    def owns(self, path: Path) -> bool:
        """Whether `like` can have written this file for the model."""
        if path in self.files or any(path.is_relative_to(folder) for folder in self.folders):
            return True
        called = path.stem.replace("-", "_") == self.name
        return called and any(path.is_relative_to(folder) for folder in self.named)

    def has_entries_in(self, path: Path) -> bool:
        """Whether `like` can have put entries of the model into this file."""
        return path.suffix in _TEXT and any(path.is_relative_to(place) for place in self.shared)


@dataclass(frozen=True)
class Release:
    """What of a library nothing uses any more once a model is gone.

    Attributes:
        texts: the files that change, and what they hold then.
        unused: the files that go.
        edited: the files that would go, had nobody edited them.
    """

    texts: Mapping[Path, str]
    unused: frozenset[Path]
    edited: frozenset[Path]


def in_own_library(library: Library, name: str) -> Belongings:
    """The places of a model in a library of one's own, whatever that depends on."""
    root, package = library.root, library.package_folder
    tests = library.tests_folder / "models" / name
    return Belongings(
        folders=(package / "models" / name, package / name, tests, model_state(root, name)),
        named=(library.docs_folder,),
        files=frozenset(_from_templates(library, name)),
        shared=(library.registry, library.docs_folder, package / "__init__.py", root / CONFIGURATION_FILE),
        name=name,
    )


def _from_templates(library: Library, name: str) -> Iterator[Path]:
    """What the user's own templates are rendered to for the model."""
    if library.configuration.templates is None:
        return
    from add_model.scaffold.surroundings.around import placed
    from add_model.scaffold.surroundings.templates import NAME_IN_PATH, SUFFIX

    own = named_below(library.root, library.configuration.templates, "`templates`", "folder")
    for group in _GROUPS:
        for template in (own / group).rglob(f"*{SUFFIX}"):
            path = template.relative_to(own / group).as_posix().removesuffix(SUFFIX)
            yield placed(library, path.replace(NAME_IN_PATH, name))


def model_state(root: Path, name: str) -> Path:
    """What is remembered of a model."""
    return root / STATE_FOLDER / "models" / name
