"""What git knows of a tree: its files as they were at a revision. Two processes of git for any number of files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from add_model.encoding import SourceError
from add_model.errors import AddModelError
from add_model.git import NO_ANSWER, TOO_LONG, Answer, Repository, ask, find_repository, look_up
from add_model.reading import MOST_BYTES
from add_model.source import Module, decode_module

DEFAULT_REVISION = "HEAD"
# Into a repository within the work tree git would look with a process of its own, under the settings that lie there.
_ALONE = ("--ignore-submodules=all", "--no-ext-diff", "--no-textconv")
# So many files are asked for at once; and so many bytes of them are kept in mind.
_AT_ONCE, _KEPT = 500, 150_000_000
TRUST = "if you trust it, run `git config --global --add safe.directory` with its path"


class History:
    """A revision of the git work tree around a folder. Git is asked when it is needed first.

    Attributes:
        revision: its name, as the user gave it.
        is_cut_short: whether git knows more of the files that were asked for than is kept in mind.
    """

    def __init__(self, root: Path, revision: str | None = None) -> None:
        """Prepares to look at a revision of the work tree that holds `root`; the last commit, where none is named."""
        self.revision = revision or DEFAULT_REVISION
        self._root, self._asked_for = root, revision is not None
        self._refusal = ""
        self._contents: dict[Path, bytes | None] = {}
        self._modules: dict[Path, Module | None] = {}
        self._left = _KEPT
        self.is_cut_short = False

    @property
    def repository(self) -> Repository | None:
        """The repository that the work tree is of; `None` outside one, and where git refuses to look into it."""
        return self._found if self._place else None

    @property
    def refusal(self) -> str:
        """Why git answers nothing about a work tree that is there; empty where it does, or there is none."""
        return self._refusal if self._place is None else ""

    def load(self, paths: Iterable[Path]) -> None:
        """Reads these files, all at once.

        Raises:
            AddModelError: the revision was named by the user, and git knows none of that name here.
        """
        names = {path: name for path in paths if path not in self._contents and (name := self._name(path))}
        self._contents |= zip(names, self._read(list(names.values())), strict=True)
        former = {path: old for path in names if self._contents[path] is None and (old := self._former_name(path))}
        self._contents |= zip(former, self._read(list(former.values())), strict=True)

    def verify(self) -> None:
        """Raises an error where the revision was named by the user, and git knows none of that name here.

        Raises:
            AddModelError: so it is.
        """
        _ = self._place

    def content(self, path: Path) -> bytes | None:
        """The bytes of a file at the revision; `None` where git knows no such file."""
        self.load([path])
        return self._contents.get(path)

    def module(self, path: Path) -> Module | None:
        """The module that a file was at the revision; `None` where git knows no such file, or it cannot be decoded."""
        if path not in self._modules:
            content = self.content(path)
            try:
                self._modules[path] = decode_module(path, content) if content is not None else None
            except SourceError:
                self._modules[path] = None
        return self._modules[path]

    @cached_property
    def _found(self) -> Repository | None:
        return find_repository(self._root)

    @cached_property
    def _place(self) -> tuple[Path, str] | None:
        """The top of the work tree, and the identity of the revision (empty: there is none yet)."""
        # The name cannot be taken for an option: a revision has none that starts with a dash.
        asked = [] if self.revision.startswith("-") else [f"{self.revision}^{{commit}}"]
        code, answer, problem = look_up(self._found, self._root, *asked) if self._found is not None else NO_ANSWER
        lines = answer.decode("utf-8", "surrogateescape").splitlines()
        if b"safe.directory" in problem:
            self._refusal = problem.decode(errors="replace").partition("\n")[0].removeprefix("fatal: ")
        if self._asked_for and self._refusal:
            raise AddModelError(f"--base {self.revision}: git says: {self._refusal}; {TRUST}")
        if self._asked_for and (code != 0 or len(lines) != 3):
            raise AddModelError(
                f"--base {self.revision}: git knows no such commit here; name one, or leave --base out"
            )
        if self._found is None or len(lines) < 2:
            return None
        if [Path(os.path.realpath(line)) for line in lines[:2]] != [self._found.top, self._found.folder]:
            # Git has taken another folder for a repository than the one that is to be looked at.
            return None
        return self._found.top, lines[2] if code == 0 else ""

    def _name(self, path: Path) -> str | None:
        """What git calls a file at the revision."""
        name = self._relative(path)
        return self._at_revision(name) if name and "\n" not in name else None

    def _former_name(self, path: Path) -> str | None:
        """What git called a file at the revision that has another name by now."""
        name = self._renamed.get(self._relative(path) or "")
        return self._at_revision(name) if name and "\n" not in name else None

    def _relative(self, path: Path) -> str | None:
        """The path of a file within the work tree; `None` outside of it, and where there is no commit yet."""
        if self._place is None or not self._place[1]:
            return None
        top, real = self._place[0], Path(os.path.realpath(path))
        return real.relative_to(top).as_posix() if real.is_relative_to(top) else None

    def _at_revision(self, name: str) -> str:
        assert self._place is not None
        return f"{self._place[1]}:{name}"

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """The former names of the files that git knows under another name than at the revision, by their names now."""
        if self._place is None or not self._place[1]:
            return {}
        asked = ("-z", "--name-status", "--find-renames", "--diff-filter=R", *_ALONE, self._place[1])
        answer = self._ask("diff-index", *asked).output
        # For each of them how alike the two are, the name that it had, and the one that it has.
        _, *names = answer.decode("utf-8", "surrogateescape").split("\0")
        return dict(zip(names[1::3], names[0::3], strict=False))

    def _read(self, names: list[str]) -> list[bytes | None]:
        """The bytes of these files, less those that git does not know, or that nobody would read."""
        contents: list[bytes | None] = []
        for start in range(0, len(names), _AT_ONCE):
            contents += self._read_some(names[start : start + _AT_ONCE])
        return contents

    def _read_some(self, names: list[str]) -> list[bytes | None]:
        known = self._objects("--batch", names) if self._left > 0 else None
        if known is None:
            # A few kilobytes of a repository may stand for any number of bytes.
            sizes = [size for size, _ in self._objects("--batch-check", names) or ()]
            found = {name: (size, b"") for name, size in zip(names, sizes, strict=False) if 0 <= size <= MOST_BYTES}
            for name, (size, _) in found.items():
                self.is_cut_short = self.is_cut_short or size > self._left
                (answer,) = (self._objects("--batch", [name]) if size <= self._left else None) or [(-1, b"")]
                self._left -= len(answer[1])
                found[name] = answer
            return [content if size >= 0 else None for size, content in (found.get(name, (-1, b"")) for name in names)]
        self._left -= sum(len(content) for _, content in known)
        return [content if size >= 0 else None for size, content in known]

    def _objects(self, how: str, names: list[str]) -> list[tuple[int, bytes]] | None:
        """Of each file its size, -1 where git knows no such file, and its bytes if asked; `None` where that is too much."""
        questions = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        answer = self._ask("cat-file", how, questions=questions)
        if answer is TOO_LONG:
            return None
        found: list[tuple[int, bytes]] = []
        at = 0
        for _ in names:
            end = answer.output.find(b"\n", at)
            head = answer.output[at:end].rsplit(b" ", 2)
            is_there = answer.code == 0 and len(head) == 3 and head[2].isdigit()
            size = int(head[2]) if is_there and head[1] == b"blob" else -1
            at = end + 1
            content = b""
            if is_there and how == "--batch":
                content, at = answer.output[at : at + int(head[2])], at + int(head[2]) + 1
            found.append((size, content if size >= 0 else b""))
        return found

    def _ask(self, *arguments: str, questions: bytes = b"") -> Answer:
        return ask(self._found, *arguments, questions=questions) if self._found is not None else NO_ANSWER


class Histories:
    """A revision of the work tree around a library; of every repository that lies in it, such as a submodule, its last
    commit: git tracks no file of such a repository in the tree around it.

    Attributes:
        main: the library's own.
    """

    def __init__(self, root: Path, revision: str | None = None) -> None:
        self._root = root
        self.main = History(root, revision)
        self._nested: dict[Path, History] = {}
        self._of: dict[Path, History] = {}

    def of(self, path: Path) -> History:
        """The history that a file belongs to."""
        known = self._of.get(path)
        if known is None:
            known = self._of[path] = self._look_up(path)
        return known

    def _look_up(self, path: Path) -> History:
        folder = path.parent
        while folder.is_relative_to(self._root) and folder != self._root:
            if (folder / ".git").exists():
                return self._nested.setdefault(folder, History(folder))
            folder = folder.parent
        return self.main

    def load(self, paths: Iterable[Path]) -> None:
        """Reads these files, those of a repository all at once.

        Raises:
            AddModelError: the revision was named by the user, and git knows none of that name here.
        """
        groups: dict[History, list[Path]] = {}
        for path in paths:
            groups.setdefault(self.of(path), []).append(path)
        for history, files in groups.items():
            history.load(files)

    @property
    def are_cut_short(self) -> bool:
        """Whether git knows more of the files that were asked for than is kept in mind."""
        return any(history.is_cut_short for history in (self.main, *self._nested.values()))

    def content(self, path: Path) -> bytes | None:
        """The bytes of a file at the revision; `None` where git knows no such file."""
        return self.of(path).content(path)

    def module(self, path: Path) -> Module | None:
        """The module that a file was at the revision; `None` where git knows no such file, or it cannot be decoded."""
        return self.of(path).module(path)


def uncommitted(root: Path) -> list[str]:
    """The files that git tracks and that have changes in no commit, of the work tree around a folder, as git names them."""
    history = History(root)
    repository = history.repository
    if repository is None:
        return []
    asked = ("--porcelain", "-z", "--find-renames", "--untracked-files=no", "--ignore-submodules=all")
    code, answer, _ = ask(repository, "status", *asked)
    entries = iter(answer.decode(errors="replace").split("\0") if code == 0 else ())
    names = []
    for entry in entries:
        if entry[2:3] == " ":
            names.append(entry[3:])
        if entry[:1] == "R":
            # The name that the file had before is an entry of its own.
            next(entries, None)
    return names
