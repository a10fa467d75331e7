"""Runs of `check-copies --fix` in processes of their own: killed, stopped and on a full disk, at every step.

`python -m tests.copies.fix_cut_off COMMAND FOLDER` prints one JSON document. A step is an operation on a file of the
tree, or of what is kept beside it, that changes something; an audit hook sees each before Python does it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from add_model.transaction import recover
from tests.cut_off import fill, in_child, kill, stop

Files = dict[str, str]
_CHANGES = frozenset({"open", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"})
_BERT = b"class Bert:\n    def f(self):\n        return 2\n\n    def g(self):\n        return 1\n"
_VIT = b"# Copied from my_models.bert.Bert with Bert->%s\r\nclass %s:\r\n    def f(self):\r\n        return 'draft %s'\r\n"
COPIES = ("beit", "deit", "vit")


def before(root: Path) -> None:
    """The tree that every run starts from: three copies of one class, drifted, with text that is nowhere else."""
    package = root / "src/my_models"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bert.py").write_bytes(_BERT)
    for name in COPIES:
        (package / f"{name}.py").write_bytes(_VIT.replace(b"%s", name.title().encode()))


def files(root: Path) -> Files:
    """What every file below the folder holds."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def check_copies(root: Path, *options: str) -> None:
    """Runs the command in this process, which ends with it."""
    from add_model.cli import main

    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    sys.argv = ["add-model", "check-copies", "--root", str(root), *options]
    try:
        main()
    except SystemExit as end:
        os._exit(int(end.code or 0))


def at_step(folder: Path, step: int, action: Callable[[], None], skip: Path | None) -> None:
    """From now on calls `action` before that change of a file in the folder, the one that puts `skip` in place apart."""
    counter = itertools.count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in _CHANGES or str(folder) not in str(arguments[:2]):
            return
        if event == "open" and not int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR):
            return
        if skip is not None and event == "os.rename" and str(arguments[1]) == str(skip):
            return
        if next(counter) == step:
            action()

    sys.addaudithook(hook)


def fresh(folder: Path) -> Path:
    """The tree in its first state, and nothing kept."""
    root, state = folder / "root", folder / "state"
    for path in (root, state):
        shutil.rmtree(path, ignore_errors=True)
    before(root)
    os.environ["XDG_STATE_HOME"] = str(state)
    return root


def in_child_that_stops(work: Callable[[], None]) -> int:
    """Does the work in a process of its own, and says its number when it has stopped; its exit code."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(1)
    status = os.waitpid(process, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        print(process, flush=True)
        status = os.waitpid(process, 0)[1]
    return os.waitstatus_to_exitcode(status)


def every_step(
    folder: Path,
    action: Callable[[], None],
    skip: Path | None = None,
    in_child: Callable[[Callable[[], None]], int] = in_child,
) -> Iterator[tuple[Path, int]]:
    """Runs a fix and does something at each of its steps; yields the tree and the exit code, until one is not reached."""
    for step in itertools.count():
        root = fresh(folder)
        reached = folder / "reached"

        def mark(reached: Path = reached) -> None:
            os.close(os.open(f"{reached}", os.O_CREAT | os.O_WRONLY))
            action()

        def work(root: Path = root, step: int = step) -> None:
            at_step(folder, step, mark, skip)
            check_copies(root, "--fix")

        code = in_child(work)
        if not reached.exists():
            assert code == 0
            return
        reached.unlink()
        yield root, code


def killed(folder: Path) -> dict[str, object]:
    """What a kill leaves, what taking it back makes of it, and what the next fix."""
    root = fresh(folder)
    result: dict[str, object] = {"before": files(root)}
    assert in_child(lambda: check_copies(root, "--fix")) == 0
    result["after"] = files(root)
    runs = []
    for root, code in every_step(folder, kill):
        cut_off = files(root)
        recover(root)
        run = {"code": code, "cut_off": cut_off, "recovered": files(root), "kept": kept(folder)}
        in_child(lambda root=root: check_copies(root, "--fix"))  # type: ignore[misc]
        runs.append({**run, "fixed": files(root)})
    return {**result, "runs": runs}


def kept(folder: Path) -> list[str]:
    """The patches that are kept."""
    return [path.read_bytes().decode() for path in sorted(folder.glob("state/add-model/replaced/*/replaced.patch"))]


def full_disk(folder: Path) -> dict[str, object]:
    """`folder` is a small disk of its own, which holds the tree and what is kept; with ever more room a fix is tried."""
    root, runs = fresh(folder), []
    start = files(root)
    for free in range(40):
        root = fresh(folder)
        fill(folder, free)
        code = in_child(lambda root=root: check_copies(root, "--fix"))  # type: ignore[misc]
        (folder / "ballast").unlink()
        runs.append({"free": free, "code": code, "changed": files(root) != start, "kept": kept(folder), "files": files(root)})  # fmt: skip
    return {"before": start, "runs": runs}


def stopped(folder: Path) -> None:
    """Stops a fix before each step and says its number; whoever reads that lets it go on, and is told what became of it.

    Not before the very rename that puts the last file in place: what is saved between the last look at a file and that
    rename, which are neighbours, is the one thing that nobody can see.
    """
    last = folder / f"root/src/my_models/{COPIES[-1]}.py"
    for root, code in every_step(folder, stop, skip=last, in_child=in_child_that_stops):
        print(json.dumps({"code": code, "files": files(root)}), flush=True)


COMMANDS = (killed, full_disk, stopped)

if __name__ == "__main__":
    # Once for all the processes that are forked from this one.
    import libcst  # noqa: F401
    import rich.console  # noqa: F401

    import add_model.cli.check_copies
    import add_model.copies.fixing.fix  # noqa: F401

    command = {function.__name__: function for function in COMMANDS}[sys.argv[1]]
    print(json.dumps(command(Path(sys.argv[2]))))  # type: ignore[func-returns-value]
