"""Undoing exactly what `like` wrote for a model: its files, its entries in others, and what is remembered of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import library_at, read_configuration
from add_model.reading import read_bytes
from add_model.references import encoded
from add_model.registry import parse_registry
from add_model.scaffold.record import RECORD_FILE, Record, checked_path, digest, load_record, state_of, without_hunks
from add_model.transaction import STATE_FOLDER, Change, ensure_inside, write_files


@dataclass(frozen=True)
class Left:
    """A file that stays as it is although it has to do with the model, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class Removal:
    """What is going to be undone.

    Attributes:
        root: the library's root, or the checkout's.
        name: the model.
        removed: the files that go.
        edited: the files that lose their entries of the model.
        left: what stays, and why.
        changes: what is to be written for all this.
    """

    root: Path
    name: str
    removed: tuple[Path, ...]
    edited: tuple[Path, ...]
    left: tuple[Left, ...]
    changes: tuple[Change, ...]


def written_models(root: Path) -> list[str]:
    """The models that `like` wrote below this root and remembers."""
    folder = root / STATE_FOLDER / "models"
    return sorted(path.parent.name for path in folder.glob(f"*/{RECORD_FILE}"))


def plan_removal(root: Path, name: str, force: bool) -> Removal:
    """Finds out what is to be undone; nothing is written.

    Args:
        root: the library's root, or the checkout's.
        name: the model.
        force: whether files that were edited since are deleted all the same.

    Raises:
        AddModelError: `like` remembers no such model, something was edited since, or a file cannot be read.
    """
    models = written_models(root)
    if name not in models:
        known = f"there are: {', '.join(models)}" if models else "there is none at all"
        raise AddModelError(f"no model {name!r} that add-model wrote is known in {root} ({known}); pass the name of one, and --into DIR if it is elsewhere")  # fmt: skip
    record = load_record(state_of(root, name))
    if record is None:
        raise AddModelError(f"{state_of(root, name) / RECORD_FILE}: is no record of what was written; delete the model by hand, and {state_of(root, name)} with it")  # fmt: skip
    deletions, edited_since = _deletions(root, name, record)
    edits, stuck = _edits(root, name, record)
    if (edited_since or stuck) and not force:
        _refuse([*edited_since, *stuck], name)
    left = [Left(path, "its entries of the model were edited since; take them out by hand") for path in stuck]
    left += [Left(path, "not written by add-model") for path in _strangers(root, deletions)]
    left += [Left(state_of(root, other), f"was made from {name}: its markers lead nowhere now") for other in _offspring(root, name)]  # fmt: skip
    return Removal(
        root,
        name,
        tuple(change.path for change in deletions),
        tuple(change.path for change in edits),
        tuple(left),
        (*deletions, *edits),
    )


def remove(removal: Removal) -> None:
    """Undoes it, all of it or nothing; folders that are empty then go, too.

    Raises:
        AddModelError: something cannot be written, or was changed since it was looked at.
    """
    write_files(removal.root, removal.changes)
    for path in removal.removed:
        for folder in path.parents:
            if folder == removal.root or not folder.is_relative_to(removal.root):
                break
            _remove_empty(folder)


def _refuse(paths: list[Path], name: str) -> None:
    others = f", and so were {len(paths) - 1} others" if len(paths) > 2 else f", and so was {paths[1]}" if len(paths) == 2 else ""  # fmt: skip
    raise AddModelError(f"{paths[0]}: was edited since add-model wrote it{others}; save what you need of it, and remove {name} with --force")  # fmt: skip


def _deletions(root: Path, name: str, record: Record) -> tuple[list[Change], list[Path]]:
    """The files to delete, and those of them that were edited since."""
    deletions: list[Change] = []
    edited: list[Path] = []
    for relative, known in record.digests.items():
        path = checked_path(root, relative)
        content = _content(root, path)
        if content is None:
            continue
        deletions.append(Change(path, None, expected=content))
        if digest(content) != known and not _is_memory(path, root, name):
            edited.append(path)
    remembered = [change.path for change in deletions]
    for path in sorted(state_of(root, name).iterdir()):
        if path not in remembered and path.is_file():
            deletions.append(Change(path, None, expected=read_bytes(path)))
    return deletions, edited


def _is_memory(path: Path, root: Path, name: str) -> bool:
    return path.parent == state_of(root, name)


def _edits(root: Path, name: str, record: Record) -> tuple[list[Change], list[Path]]:
    """The files that lose their entries, and those whose entries are no longer as they were written."""
    changes: list[Change] = []
    stuck: list[Path] = []
    for path, before, after in _without_entries(root, name, record):
        if after is None:
            stuck.append(path)
        elif after != before:
            changes.append(Change(path, after, expected=before))
    return changes, stuck


def _without_entries(root: Path, name: str, record: Record) -> Iterator[tuple[Path, bytes, bytes | None]]:
    """Each file with entries: its bytes, and those without the entries; `None` where these cannot be told."""
    shared = dict(_shared_files(root))
    paths = {checked_path(root, relative): hunks for relative, hunks in record.hunks.items()}
    for path in dict.fromkeys([*paths, *shared]):
        content = _content(root, path)
        if content is None:
            continue
        rest, missing = without_hunks(content, paths.get(path, ()))
        if path in shared and (missing or path not in paths):
            # The library's own two files are understood, so that the entries are found however they stand.
            yield path, content, _without_model(content, path, name, shared[path])
        else:
            yield path, content, None if missing else rest


def _shared_files(root: Path) -> Iterator[tuple[Path, str]]:
    """The files of a standalone library that every model has an entry in, and what each is."""
    configuration = read_configuration(root)
    if configuration is not None:
        library = library_at(root, configuration)
        yield library.registry, "registry"
        yield library.docs_folder / "index.md", "index"


def _without_model(content: bytes, path: Path, name: str, kind: str) -> bytes:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AddModelError(f"{path}: is not UTF-8: {error.reason}; mend it and run again") from error
    if kind == "index":
        lines = text.splitlines(keepends=True)
        kept = [line for line in lines if not (line.startswith("- [") and f"](models/{name}.md)" in line)]
        return encoded("".join(kept), content)
    mappings = parse_registry(text, str(path)).classes(name).keys()
    if not mappings:
        return content
    from add_model.registry_edits import without_model

    return encoded(without_model(text, name, mappings), content)


def _strangers(root: Path, deletions: list[Change]) -> list[Path]:
    """Files that somebody put into the folders of the model, which stay."""
    deleted = {change.path for change in deletions}
    folders = {path.parent for path in deleted if path.parent.name != "models" and path.name == "__init__.py"}
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return sorted(path for path in found - deleted if "__pycache__" not in path.parts)


def _offspring(root: Path, name: str) -> Iterator[str]:
    """The models that were made from this one."""
    from add_model.scaffold.answers import load_answers

    for other in written_models(root):
        if other == name:
            continue
        with suppress(AddModelError, OSError):
            answers = load_answers(state_of(root, other) / "answers.toml")
            if answers.reference.rpartition(":")[2] == name:
                yield other


def _content(root: Path, path: Path) -> bytes | None:
    ensure_inside(root, path)
    try:
        return read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror}; mend that and run again") from error


def _remove_empty(folder: Path) -> None:
    """Removes a folder that holds nothing, or nothing but what Python left of modules that have gone."""
    with suppress(OSError):
        if os.listdir(folder) == ["__pycache__"]:
            shutil.rmtree(folder / "__pycache__")
        folder.rmdir()
