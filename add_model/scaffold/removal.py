"""Undoing exactly what `like` wrote for a model: its files, its entries in others, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from add_model.boundary import ensure_inside
from add_model.errors import AddModelError
from add_model.library import library_at, read_configuration
from add_model.nearest import nearest
from add_model.reading import read_bytes
from add_model.references import encoded
from add_model.registry import parse_registry
from add_model.scaffold.belongings import Belongings, in_own_library
from add_model.scaffold.library_kinds import target_at
from add_model.scaffold.record import RECORD_FILE, Record, checked_path, digest, load_record, state_of, without_hunks
from add_model.scaffold.room import write_in_any_case
from add_model.scaffold.target import Target
from add_model.state import STATE_FOLDER
from add_model.transaction import Change


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
        known = f"there are: {', '.join(nearest(name, models))}" if models else "there is none at all"
        raise AddModelError(f"no model {name!r} that add-model wrote is known in {root} ({known}); pass the name of one, and --into DIR if it is elsewhere")  # fmt: skip
    record = load_record(state_of(root, name))
    if record is None:
        raise AddModelError(f"{state_of(root, name) / RECORD_FILE}: is no record of what was written; delete the model by hand, and {state_of(root, name)} with it")  # fmt: skip
    target = target_at(root)
    places = in_own_library(library_at(root), name) if target is None else target.belongings(name)
    strange = [path for path in _paths(root, record.digests) if not places.owns(path)]
    strange += [path for path in _paths(root, record.hunks) if not places.has_entries_in(path)]
    deletions, edited_since = _deletions(root, name, record, places)
    edits, stuck = _edits(root, name, record, places)
    if (edited_since or stuck) and not force:
        _refuse([*edited_since, *stuck], name)
    edits, released, edited_base = _with_release(root, target, deletions, edits)
    left = [Left(path, "its entries of the model were edited since; take them out by hand") for path in stuck]
    left += [Left(path, "nothing uses it any more, but it is not as add-model writes it") for path in edited_base]
    deletions += released
    left += [Left(path, f"{RECORD_FILE} names it, but add-model writes no such file for {name}") for path in strange if path.exists()]  # fmt: skip
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
    """Undoes it, all of it or nothing; folders that are empty then go with it.

    Raises:
        AddModelError: something cannot be written, or was changed since it was looked at.
    """
    write_in_any_case(removal.root, removal.changes)


def _refuse(paths: list[Path], name: str) -> None:
    others = f", and so were {len(paths) - 1} others" if len(paths) > 2 else f", and so was {paths[1]}" if len(paths) == 2 else ""  # fmt: skip
    raise AddModelError(f"{paths[0]}: was edited since add-model wrote it{others}; save what you need of it, and remove {name} with --force")  # fmt: skip


def _paths(root: Path, named: Iterable[str]) -> list[Path]:
    return [checked_path(root, relative) for relative in named]


def _deletions(root: Path, name: str, record: Record, places: Belongings) -> tuple[list[Change], list[Path]]:
    """The files to delete, and those of them that were edited since."""
    deletions: list[Change] = []
    edited: list[Path] = []
    for path, known in zip(_paths(root, record.digests), record.digests.values(), strict=True):
        content = _content(root, path) if places.owns(path) else None
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


def _with_release(
    root: Path, target: Target | None, deletions: list[Change], edits: list[Change]
) -> tuple[list[Change], list[Change], list[Path]]:
    """The edits and deletions with what the library needs no longer, and what of that was edited and stays."""
    now = {change.path: change.content for change in edits}
    texts = {path: _text(content, path) for path, content in now.items() if content is not None and path.suffix == ".py"}  # fmt: skip
    gone = frozenset(change.path for change in deletions)
    release = target.release(gone, texts) if target is not None else None
    if release is None:
        return edits, [], []
    wanted = {change.path: change for change in edits}
    for path, text in release.texts.items():
        before = wanted[path].expected if path in wanted else _content(root, path)
        after = encoded(text, before)
        wanted[path] = Change(path, after, expected=before)
        if after == before:
            del wanted[path]
    unused = [Change(path, None, expected=_content(root, path)) for path in sorted(release.unused)]
    return list(wanted.values()), unused, sorted(release.edited)


def _is_memory(path: Path, root: Path, name: str) -> bool:
    return path.parent == state_of(root, name)


def _edits(root: Path, name: str, record: Record, places: Belongings) -> tuple[list[Change], list[Path]]:
    """The files that lose their entries, and those whose entries are no longer as they were written."""
    changes: list[Change] = []
    stuck: list[Path] = []
    for path, before, after in _without_entries(root, name, record, places):
        if after is None:
            stuck.append(path)
        elif after != before:
            changes.append(Change(path, after, expected=before))
    return changes, stuck


def _without_entries(
    root: Path, name: str, record: Record, places: Belongings
) -> Iterator[tuple[Path, bytes, bytes | None]]:
    """Each file with entries: its bytes, and those without the entries; `None` where these cannot be told."""
    shared = dict(_shared_files(root))
    named = zip(_paths(root, record.hunks), record.hunks.values(), strict=True)
    paths = {path: hunks for path, hunks in named if places.has_entries_in(path)}
    for path in dict.fromkeys([*paths, *shared]):
        content = _content(root, path)
        if content is None:
            continue
        rest, missing = without_hunks(content, paths.get(path, ()))
        if path not in shared:
            yield path, content, None if missing else rest
            continue
        # The library's own two files are understood, so that the entries are found however they stand, and a mapping
        # is closed again by whoever takes the last entry out.
        mappings = _mappings(content, path, name) if shared[path] == "registry" else None
        kept = content if missing or path not in paths else rest
        yield path, content, _without_model(kept, path, name, mappings)


def _shared_files(root: Path) -> Iterator[tuple[Path, str]]:
    """The files of a standalone library that every model has an entry in, and what each is."""
    configuration = read_configuration(root)
    if configuration is not None:
        library = library_at(root, configuration)
        yield library.registry, "registry"
        yield library.docs_folder / "index.md", "index"


def _mappings(content: bytes, path: Path, name: str) -> Set[str]:
    """The mappings of a registry that have an entry of the model."""
    return parse_registry(_text(content, path), str(path)).classes(name).keys()


def _without_model(content: bytes, path: Path, name: str, mappings: Set[str] | None) -> bytes:
    """A registry without the model in these mappings; the index of the docs where there are none."""
    text = _text(content, path)
    if mappings is None:
        lines = text.splitlines(keepends=True)
        kept = [line for line in lines if not (line.startswith("- [") and f"](models/{name}.md)" in line)]
        return encoded("".join(kept), content)
    if not mappings:
        return content
    from add_model.registry_edits import without_model

    return encoded(without_model(text, name, mappings), content)


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AddModelError(f"{path}: is not UTF-8: {error.reason}; mend it and run again") from error


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
