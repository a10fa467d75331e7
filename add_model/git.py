"""Git, asked about a tree that may be anybody's: every command of git that the tool needs runs from here.

What a repository says that git shall start (monitors, hooks, filters, drivers, pagers, helpers, fetches) it says in its
configuration. So git is never shown that one. The folder in which it looks for a repository's configuration is one of
ours, made for each question, with a configuration of ours and links to what is data: objects, references, logs. Nobody
has to know by name what the next version of git may be told to start.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from add_model.programs import find_program
from add_model.scratch import scratch_folder

# What of the folder that the work trees of a repository share is data.
_DATA = ("HEAD", "info", "logs", "objects", "packed-refs", "refs", "reftable", "shallow", "worktrees")
# The files that git opens first; for a pipe in their place it would wait for ever.
_OPENED = ("HEAD", "index", "packed-refs", "shallow", "commondir", "info/attributes", "info/exclude")
# What is taken over from a repository's configuration, and which values: what says how its files are to be read, and
# which branch another one follows. None of it names anything to start.
_BOOLEAN, _NAME = "true|false", r"[\w./-]+"
_TAKEN_OVER = {
    "extensions.objectformat": "sha1|sha256",
    "extensions.refstorage": "files|reftable",
    "core.filemode": _BOOLEAN,
    "core.ignorecase": _BOOLEAN,
    "core.precomposeunicode": _BOOLEAN,
    "core.symlinks": _BOOLEAN,
    "core.trustctime": _BOOLEAN,
    "core.checkstat": "default|minimal",
    "core.autocrlf": f"{_BOOLEAN}|input",
    "core.eol": "lf|crlf|native",
    "branch.*.remote": _NAME,
    "branch.*.merge": _NAME,
    "remote.*.fetch": r"\+?[\w./*-]+:[\w./*-]+",
}
_SECTION = re.compile(rf'\s*\[([A-Za-z]+)(?: "({_NAME})")?\]\s*', re.ASCII)
_SETTING = re.compile(r"\s*([A-Za-z]+)\s*=\s*(\S+)\s*", re.ASCII)
_MOST_READ = 1_000_000  # bytes of a file that only git and its users write
_MOST_OUTPUT = 32_000_000  # bytes that one question is answered with
# How long git may take before it counts as stuck; it is not asked again then, as a tree may hold many repositories.
_SECONDS = 30
_stuck: list[str] = []
# What a hook of git is told about its own repository, which need not be the one that is asked about; it counts where
# the work tree is named as well.
_WORK_TREE = "GIT_WORK_TREE"
_OF_A_REPOSITORY = (_WORK_TREE, "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
# Where the user's own settings lie, which say whose folders are to be trusted; and what git's tests pretend of owners.
_OF_THE_USER = re.compile(
    r"GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|PARAMETERS|KEY_\d+|VALUE_\d+)|GIT_TEST_ASSUME_DIFFERENT_OWNER"
)
# What newer versions of git offer against repositories that would start something, which is not relied upon.
_EXPLICITLY = ("-c", "safe.bareRepository=explicit")
_SAFELY = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_WITHOUT_SETTINGS = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Repository(NamedTuple):
    """A work tree, and where git keeps what it knows of it.

    Attributes:
        top: the top of the work tree.
        folder: the work tree's own folder of git.
        common: the folder of git that all work trees of the repository share.
    """

    top: Path
    folder: Path
    common: Path


class Answer(NamedTuple):
    """What git has answered: its exit code (-1 where it could not be asked), its output, and its complaints."""

    code: int
    output: bytes
    complaints: bytes


NO_ANSWER = Answer(-1, b"", b"")
# An answer was begun that is longer than any is read.
TOO_LONG = Answer(-2, b"", b"")


def find_repository(start: Path) -> Repository | None:
    """The repository whose work tree a folder lies in, with every link followed; `None` where it lies in none.

    A work tree is a folder with a `.git` in it; what looks like git's own folder without going by that name is none.
    """
    named = os.environ.get(_WORK_TREE)
    if named is not None:
        folder = os.environ.get("GIT_DIR")
        found = (str(start), os.path.join(start, folder)) if folder is not None else _discovered(start)
        found = (os.path.join(start, named), found[1]) if found is not None else None
    else:
        found = _discovered(start)
    if found is None:
        return None
    top, folder = map(os.path.realpath, found)
    told = os.environ.get("GIT_COMMON_DIR") if named is not None else None
    return Repository(
        Path(top), Path(folder), Path(os.path.realpath(os.path.join(start, told)) if told else _common(folder))
    )


def look_up(repository: Repository, start: Path, *names: str) -> Answer:
    """What git says of the work tree around a folder: its top, its folder of git, then the identities of revisions.

    The user's own settings count here, as they say whose folders git may look into; nothing that they start is asked for.
    """
    if os.environ.get(_WORK_TREE) is not None:
        told = {"GIT_DIR": str(repository.folder), _WORK_TREE: str(repository.top)}
    else:
        # From its top, where `.git` is what git finds first, whatever lies in between.
        told, start = {}, repository.top
    command = [*_EXPLICITLY, "-C", str(start), "rev-parse", "--show-toplevel", "--absolute-git-dir", *names]
    return _ask(repository, command, told, of_the_user=True)


def ask(repository: Repository, *arguments: str, questions: bytes = b"") -> Answer:
    """What git answers about a repository, with nobody's settings."""
    told = {"GIT_DIR": str(repository.folder), _WORK_TREE: str(repository.top)}
    return _ask(repository, ["-C", str(repository.top), *arguments], told, questions)


def merge_files(tree: Path, sides: Sequence[bytes], marker: int) -> Answer:
    """What `git merge-file` makes of three texts; its exit code is the number of conflicts.

    Args:
        tree: the folder that the texts are of; git is none of what lies in there.
        sides: the copy, what both started from, the original.
        marker: how long the lines are that enclose a conflict.
    """
    program = find_program("git", tree)
    if program is None:
        return NO_ANSWER
    with contextlib.suppress(OSError), scratch_folder() as folder:
        names = ("copy", "base", "original")
        for name, text in zip(names, sides, strict=True):
            (folder / name).write_bytes(text)
        # No folder above may be taken for a repository.
        environment = _environment({"GIT_CEILING_DIRECTORIES": str(folder.parent), **_without_settings(folder)})
        command = [program, "-c", "merge.conflictStyle=merge", "merge-file", "-p", "-q", f"--marker-size={marker}"]
        return _run([*command, *names], b"", environment, folder)
    return NO_ANSWER


def _ask(
    repository: Repository,
    arguments: list[str],
    told: Mapping[str, str],
    questions: bytes = b"",
    of_the_user: bool = False,
) -> Answer:
    program = find_program("git", repository.top)
    if program is None or not _can_be_opened(repository):
        return NO_ANSWER
    with contextlib.suppress(OSError), _settings_folder(repository) as settings:
        own = {} if of_the_user else _without_settings(settings)
        environment = _environment({**told, **own, "GIT_COMMON_DIR": str(settings)}, of_the_user)
        return _run([program, *arguments], questions, environment)
    return NO_ANSWER


def _run(command: list[str], questions: bytes, environment: Mapping[str, str], folder: Path | None = None) -> Answer:
    if _stuck:
        return NO_ANSWER
    with contextlib.suppress(OSError), tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as complaints:
        asked.write(questions)
        asked.seek(0)
        process = subprocess.Popen(
            command, stdin=asked, stdout=subprocess.PIPE, stderr=complaints, env=environment, cwd=folder
        )
        output = _output(process)
        complaints.seek(0)
        if output is not None and len(output) > _MOST_OUTPUT:
            return TOO_LONG
        return NO_ANSWER if output is None else Answer(process.wait(), output, complaints.read(_MOST_READ))
    return NO_ANSWER


def _output(process: subprocess.Popen[bytes]) -> bytes | None:
    """What a process writes, up to a little more than anybody wants to know; `None` where it comes to no end."""
    assert process.stdout is not None

    def give_up() -> None:
        _stuck.append("git")
        process.kill()

    timer = threading.Timer(_SECONDS, give_up)
    timer.start()
    try:
        # A few kilobytes of a repository may stand for any number of bytes.
        output = process.stdout.read(_MOST_OUTPUT + 1)
    finally:
        timer.cancel()
        timer.join()
        process.stdout.close()
        if process.poll() is None and (_stuck or len(output) > _MOST_OUTPUT):
            process.kill()
        process.wait()
    return None if _stuck else output


def _environment(told: Mapping[str, str], of_the_user: bool = False) -> dict[str, str]:
    """The environment of git: of what the user's says of git, only what names places."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if _WORK_TREE in os.environ:
        own |= {name: os.environ[name] for name in _OF_A_REPOSITORY if name in os.environ}
    if of_the_user:
        own |= {name: value for name, value in os.environ.items() if _OF_THE_USER.fullmatch(name)}
    return own | _SAFELY | dict(told)


def _without_settings(folder: Path) -> dict[str, str]:
    """What keeps git from the settings of everybody, also where it is too old to be told: a home that has none."""
    return {**_WITHOUT_SETTINGS, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


@contextlib.contextmanager
def _settings_folder(repository: Repository) -> Iterator[Path]:
    """A folder that git takes for the one which work trees share: the repository's data, and settings of ours."""
    with scratch_folder() as folder:
        (folder / "config").write_text(_settings(repository.common / "config"), encoding="ascii")
        for name in _DATA:
            if (repository.common / name).exists():
                (folder / name).symlink_to(repository.common / name)
        yield folder


def _settings(config: Path) -> str:
    """The text of a configuration that holds what is taken over from a repository's, and nothing else of it."""
    own = ["[core]", "bare = false", "fsmonitor = false", f"hooksPath = {os.devnull}"]
    taken: list[str] = []
    heading = None
    for line in (_read(config) or b"").decode("ascii", "replace").splitlines():
        if line.lstrip().startswith("["):
            heading = _SECTION.fullmatch(line)
        elif heading is not None and (setting := _SETTING.fullmatch(line)):
            below = "" if heading[2] is None else "*."
            values = _TAKEN_OVER.get(f"{heading[1]}.{below}{setting[1]}".lower())
            if values is not None and re.fullmatch(values, setting[2], re.ASCII):
                taken += [heading[0].strip(), f"{setting[1]} = {setting[2]}"]
    # Only a repository of version 1 may have extensions.
    version = int(any(line.lower() == "[extensions]" for line in taken))
    return "\n".join([*own, f"repositoryFormatVersion = {version}", *taken, ""])


def _discovered(start: Path) -> tuple[str, str] | None:
    """The top of the work tree around a folder, and its folder of git, found as git finds them."""
    folder = os.path.realpath(start)
    ceilings = {
        os.path.realpath(path)
        for path in os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
        if os.path.isabs(path)
    }
    across = os.environ.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in ("1", "true", "yes", "on")
    while True:
        found = _git_folder(os.path.join(folder, ".git"))
        if found is not None:
            return folder, found
        above = os.path.dirname(folder)
        if above == folder or above in ceilings or not (across or _device(above) == _device(folder)):
            return None
        folder = above


def _git_folder(path: str) -> str | None:
    """The folder of git that a `.git` is, or that it names; `None` where it is neither."""
    if not os.path.isdir(path):
        content = _read(Path(path))
        if content is None or not content.startswith(b"gitdir: "):
            return None
        named = os.fsdecode(content[len(b"gitdir: ") :].rstrip(b"\r\n"))
        path = os.path.join(os.path.dirname(path), named)
    if "\0" in path or not os.path.lexists(os.path.join(path, "HEAD")):
        return None
    common = _common(path)
    return path if all(os.path.isdir(os.path.join(common, name)) for name in ("objects", "refs")) else None


def _common(folder: str) -> str:
    content = _read(Path(folder, "commondir"))
    named = os.fsdecode((content or b"").rstrip(b"\r\n"))
    return os.path.realpath(os.path.join(folder, named)) if named and "\0" not in named else os.path.realpath(folder)


def _can_be_opened(repository: Repository) -> bool:
    """Whether git would wait for nobody when it opens these files: pipes and devices among them are nobody's mistake."""
    paths = [folder / name for folder in {repository.folder, repository.common} for name in _OPENED]
    for path in (*paths, repository.top / ".gitattributes", repository.top / ".gitmodules"):
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.stat(path).st_mode):
                return False
    return True


def _read(path: Path) -> bytes | None:
    """A small file of git's; `None` where there is none, or it is no file, or no small one."""
    with contextlib.suppress(OSError, ValueError):
        # A pipe is opened without waiting for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            content = file.read(_MOST_READ + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        return content if content is not None and len(content) <= _MOST_READ else None
    return None


def _device(folder: str) -> int | None:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None
