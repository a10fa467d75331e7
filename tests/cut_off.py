"""Runs of the transaction in processes of their own: cut off at every step, on a full disk, on a read-only one.

`python -m tests.cut_off COMMAND FOLDER` prints one JSON document. Steps are counted by an audit hook, which Python calls
before each operation on a file, so that nothing of the code under test is replaced.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from add_model.errors import AddModelError
from add_model.journal import Journal
from add_model.state import user_folder
from add_model.transaction import Change, recover, write_files

Snapshot = dict[str, str]
_EVENTS = frozenset(
    {"open", "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.copyfile"}
)
_BLOCK = 4096


def before(root: Path) -> None:
    """The tree that every run starts from."""
    (root / "package").mkdir(parents=True)
    (root / "package/registry.py").write_text("old registry\n")
    (root / "package/script.py").write_text("old script\n")
    (root / "package/script.py").chmod(0o555)
    (root / "package/retired.py").write_text("a model that goes\n")
    # Folders that go with the last of their files, and with what Python keeps of modules.
    (root / "old/model/__pycache__").mkdir(parents=True)
    (root / "old/model/modeling.py").write_text("another that goes\n")
    (root / "old/model/__pycache__/modeling.pyc").write_text("compiled\n")
    (root / "old").chmod(0o750)
    (root / "same.txt").write_text("same\n")
    (root / "README.md").write_text("the user's own\n")


def changes(root: Path, size: int = 1) -> list[Change]:
    """Files that exist, one of which goes, and files that do not, in old folders and new; each of `size` lines."""
    wanted = [
        Change(root / "package/registry.py", b"new registry\n" * size, b"old registry\n"),
        Change(root / "package/models/bert/modeling.py", b"a model\n" * size, None),
        Change(root / "package/script.py", b"new script\n" * size, b"old script\n"),
        Change(root / "same.txt", b"same\n", b"same\n"),
        Change(root / "docs/index.md", b"an index\n" * size, None, mode=0o640),
    ]
    if not root.exists():
        return [replace(change, expected=None) for change in wanted]
    wanted.insert(1, Change(root / "package/retired.py", None, b"a model that goes\n"))
    wanted.insert(3, Change(root / "old/model/modeling.py", None, b"another that goes\n"))
    return wanted


def snapshot(root: Path) -> Snapshot:
    """Every path below the root: its mode, and what it holds."""
    if not root.exists():
        return {}
    found = {".": ""}
    for path in sorted(root.rglob("*")):
        content = path.read_text() if path.is_file() else ""
        found[path.relative_to(root).as_posix()] = f"{path.lstat().st_mode:o} {content}"
    return found


def at_step(step: int, action: Callable[[], None]) -> None:
    """From now on calls `action` before the given operation on files (0: the first) of this process."""
    counter = itertools.count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and next(counter) == step:
            action()

    sys.addaudithook(hook)
    synchronise = os.fsync

    def counted(descriptor: int) -> None:
        hook("open", ())
        synchronise(descriptor)

    os.fsync = counted


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def interrupt() -> None:
    raise KeyboardInterrupt


def in_child(work: Callable[[], None]) -> int:
    """Does the work in a process of its own; its exit code, negative for the signal that ended it."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        except AddModelError:
            code = 2
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def fresh(root: Path, make: Callable[[Path], None]) -> None:
    if root.exists():
        shutil.rmtree(root)
    make(root)


def every_step(root: Path, make: Callable[[Path], None], action: Callable[[], None]) -> Iterator[tuple[int, int]]:
    """Cuts a run off at each of its steps, and yields the step and the exit code, until a run is through before it."""
    for step in itertools.count():
        fresh(root, make)

        def write(step: int = step) -> None:
            at_step(step, action)
            write_files(root, changes(root))

        code = in_child(write)
        yield step, code
        if code == 0:
            return


def report(root: Path, make: Callable[[Path], None]) -> dict[str, object]:
    """The tree before a run and after a run that was not cut off."""
    fresh(root, make)
    found = {"before": snapshot(root)}
    write_files(root, changes(root))
    return {**found, "after": snapshot(root), "runs": []}


def killed(root: Path, make: Callable[[Path], None] = before) -> dict[str, object]:
    result, runs = report(root, make), []
    for step, code in every_step(root, make, kill):
        cut_off = snapshot(root)
        recover(root)
        runs.append({"step": step, "code": code, "cut_off": cut_off, "recovered": snapshot(root)})
    return {**result, "runs": runs}


def killed_in_a_new_folder(root: Path) -> dict[str, object]:
    return killed(root, make=new_folder)


def new_folder(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)


def killed_twice(root: Path) -> dict[str, object]:
    """Cuts off the recovery as well, at each of its steps; of the run every third step will do."""
    result, runs = report(root, before), []
    for step, code in every_step(root, before, kill):
        notes = user_folder() / "transactions"
        if code == 0 or step % 3 or Journal(root).steps is None:
            continue
        half_done, noted = root.with_name("half_done"), root.with_name("noted")
        shutil.copytree(root, half_done)
        shutil.copytree(notes, noted)
        for inner in itertools.count():
            shutil.rmtree(root)
            shutil.rmtree(notes)
            shutil.copytree(half_done, root)
            shutil.copytree(noted, notes)

            def take_back(inner: int = inner) -> None:
                at_step(inner, kill)
                recover(root)

            code = in_child(take_back)
            recover(root)
            runs.append({"step": step, "inner": inner, "code": code, "recovered": snapshot(root)})
            if code == 0:
                break
        shutil.rmtree(half_done)
        shutil.rmtree(noted)
    return {**result, "runs": runs}


def interrupted(root: Path) -> dict[str, object]:
    result, runs = report(root, before), []
    for step, code in every_step(root, before, interrupt):
        left = snapshot(root)
        recover(root)
        runs.append({"step": step, "code": code, "cut_off": left, "recovered": snapshot(root)})
    return {**result, "runs": runs}


def stopped(root: Path) -> dict[str, object]:
    """Stops a run before it puts its first file in place, and says so; whoever reads it lets it go on."""
    before(root)
    target, process = root / "package/registry.py", os.fork()
    if process == 0:
        sys.addaudithook(
            lambda event, names: stop() if event == "os.rename" and os.fspath(names[1]) == str(target) else None
        )
        write_files(root, changes(root))
        os._exit(0)
    os.waitpid(process, os.WUNTRACED)
    print(process, flush=True)
    return {"code": os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), "after": snapshot(root)}


def tried(work: Callable[[], object]) -> str:
    """What went wrong, empty if nothing did."""
    try:
        work()
    except AddModelError as error:
        return str(error)
    return ""


def fill(folder: Path, free: int) -> None:
    """Fills the disk up to this many blocks."""
    with open(folder / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * _BLOCK)
        except OSError:
            file.truncate(max(os.fstat(file.fileno()).st_size - free * _BLOCK, 0))


def full_disk(folder: Path) -> dict[str, object]:
    """`folder` is a small disk of its own; with ever more room on it, a run that needs several blocks is tried."""
    root, runs = folder / "root", []
    for free in range(20):
        fresh(root, before)
        start = snapshot(root)
        fill(folder, free)
        error = tried(lambda: write_files(root, changes(root, size=600)))
        (folder / "ballast").unlink()
        runs.append({"free": free, "error": error, "changed": snapshot(root) != start, "state": (root / ".add-model").exists()})  # fmt: skip
    return {"runs": runs}


def few_files(folder: Path) -> dict[str, object]:
    """`folder` is a disk on which only so many more files and folders can be made."""
    root, runs = folder / "root", []
    for free in range(20):
        fresh(root, before)
        start = snapshot(root)
        ballast = folder / "ballast"
        ballast.mkdir()
        made = []
        try:
            for number in itertools.count():
                (ballast / str(number)).touch()
                made.append(ballast / str(number))
        except OSError:
            for path in made[len(made) - free :]:
                path.unlink()
        error = tried(lambda: write_files(root, changes(root)))
        shutil.rmtree(ballast)
        runs.append({"free": free, "error": error, "changed": snapshot(root) != start, "state": (root / ".add-model").exists()})  # fmt: skip
    return {"runs": runs}


def full_disk_after_a_kill(folder: Path) -> dict[str, object]:
    """The disk is full when a run that was cut off is to be taken back."""
    root = folder / "root"
    result, runs = report(root, before), []
    for step, code in every_step(root, before, kill):
        fill(folder, 0)
        error = tried(lambda: recover(root))
        runs.append({"step": step, "code": code, "error": error, "recovered": snapshot(root)})
        (folder / "ballast").unlink()
    return {**result, "runs": runs}


def read_only(folder: Path) -> dict[str, object]:
    """Below `folder`, `root` holds the tree and is read-only, or its `docs` is."""
    root = folder / "root"
    start = snapshot(root)
    error = tried(lambda: write_files(root, changes(root)))
    return {"error": error, "changed": snapshot(root) != start}


def several_writers(root: Path) -> dict[str, object]:
    """Processes that write into one tree at the same time, each its own files and all of them one that is the same."""
    root.mkdir(parents=True)
    (root / "shared.txt").write_text("0")
    processes = []
    for writer in range(4):
        process = os.fork()
        if process == 0:
            try:
                for number in range(15):
                    write_files(root, [Change(root / f"{writer}/{number}.txt", b"x", None)])
                    while True:
                        current = (root / "shared.txt").read_bytes()
                        if not tried(lambda: write_files(root, [Change(root / "shared.txt", b"%d" % (int(current) + 1), current)])):  # noqa: B023  # fmt: skip
                            break
                os._exit(0)
            finally:
                os._exit(1)
        processes.append(process)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    return {"codes": codes, "files": sorted(snapshot(root)), "shared": (root / "shared.txt").read_text()}


def nameless(root: Path) -> dict[str, object]:
    """For a user without a name or a home."""
    before(root)
    return {"error": tried(lambda: write_files(root, changes(root))), "user": os.getuid()}


COMMANDS = (killed, killed_in_a_new_folder, killed_twice, interrupted, stopped, full_disk, few_files, full_disk_after_a_kill, read_only, several_writers, nameless)  # fmt: skip

if __name__ == "__main__":
    command = {function.__name__: function for function in COMMANDS}[sys.argv[1]]
    print(json.dumps(command(Path(sys.argv[2]))))
