"""`check-copies --fix` in real processes: several at once, killed, stopped, on a full disk; no text is ever lost."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Contents, Result, add_model_process, contents, run
from tests.test_transaction import mounted

from .fix_cut_off import COPIES, before
from .test_sides import commit, git

REPOSITORY = Path(__file__).parents[2]
ORIGINAL = '''class Bert:
    """Bert."""

    def f(self, x):
        # A line that every copy lays out in its own way.
        return self.dense(x, 1)

    def g(self, x):
        return Bert.f(self, x)


def scale(x):
    return x * 2
'''


def check_copies(root: Path, *options: str) -> Result:
    """A run from another folder, so that nothing depends on where it is started."""
    return add_model_process(root.parent, "check-copies", "--root", str(root), *options)


def kept_patch(result: Result) -> Path:
    """The patch that the summary names."""
    (line,) = (line for line in result.stderr.splitlines() if line.startswith("kept what was replaced"))
    return Path(shlex.split(line.partition("`git apply ")[2].partition("`")[0])[0])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Drifted copies that no commit knows."""
    before(tmp_path / "root")
    return tmp_path / "root"


def library_of_copies(root: Path) -> Path:
    """A tree in which all copies hold: copies of copies, of methods, with layouts and methods of their own."""
    wrapped = ORIGINAL.replace("self.dense(x, 1)", "self.dense(\n            x,\n            1,\n        )")
    files = {
        "bert": ORIGINAL,
        "vit": "# Copied from my_models.bert.Bert with Bert->ViT\n" + wrapped.replace("Bert", "ViT"),
        "deit": "# Copied from my_models.vit.ViT with ViT->DeiT\n"
        + wrapped.replace("Bert", "DeiT").replace(
            "def scale", "    # Ignore copy\n    def own(self): ...\n\n\ndef scale"
        )
        + "# behind",
        "beit": "class BeiT:\n    # Copied from my_models.vit.ViT.f\n    def f(self,\n          x):\n        # A line that every copy lays out in its own way.\n        return (self.dense(x, 1))\n",
        "swin": "x = 1\r\n# Copied from my_models.bert.scale\r\ndef scale(x):\r\n    return (x\r\n            * 2)",
    }
    package = root / "src/my_models"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name, text in files.items():
        (package / f"{name}.py").write_bytes(text.encode())
    return root


def edit_originals(root: Path, old: str, new: str) -> None:
    path = root / "src/my_models/bert.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.slow
@pytest.mark.parametrize("in_git", [True, False], ids=["in git", "outside git"])
def test_round_trip(tmp_path: Path, in_git: bool) -> None:
    root = library_of_copies(tmp_path / "root")
    if in_git:
        git(root, "init", "-q")
        commit(root)
    start = contents(root / "src")
    assert check_copies(root).returncode == 0
    changes = (
        ("self.dense(x, 1)", "self.dense(x, 2, 3)"),
        ("x * 2", "x * 3"),
        ("self.dense(x, 2, 3)", "self.dense(x)"),
        ("    def g(self, x):\n        return Bert.f(self, x)\n", "    def h(self):\n        return None\n"),
    )
    for old, new in changes:
        edit_originals(root, old, new)
        result = check_copies(root, "--fix")
        assert result.returncode == 0, result.stdout
    assert contents(root / "src") != start
    for old, new in reversed(changes):
        edit_originals(root, new, old)
    result = check_copies(root, "--fix")
    assert result.returncode == 0, result.stdout
    assert contents(root / "src") == start


# What is replaced is kept


def test_outside_git_what_is_replaced_is_kept_and_comes_back(root: Path) -> None:
    start = contents(root)
    result = check_copies(root, "--fix")
    assert result.returncode == 0 and contents(root) != start
    patch = kept_patch(result)
    assert str(patch).startswith(os.environ["XDG_STATE_HOME"])
    assert run(["git", "apply", str(patch)], root).returncode == 0
    assert contents(root) == start


def test_in_git_what_force_replaces_is_kept_where_no_commit_has_it(root: Path) -> None:
    git(root, "init", "-q")
    commit(root)
    package = root / "src/my_models"
    draft = (package / "vit.py").read_bytes().replace(b"draft", b"new draft")
    (package / "vit.py").write_bytes(draft)
    result = check_copies(root, "--fix", "--force")
    assert result.returncode == 0 and "rewrote 3 copies" in result.stderr
    patch = kept_patch(result)
    assert [line for line in patch.read_text().splitlines() if line.startswith("+++ ")] == [
        "+++ b/src/my_models/vit.py"
    ]
    assert run(["git", "apply", str(patch)], root).returncode == 0
    assert (package / "vit.py").read_bytes() == draft


def test_nothing_is_kept_of_what_is_committed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    git(root, "init", "-q")
    commit(root)
    result = check_copies(root, "--fix")
    assert result.returncode == 0 and "kept what" not in result.stderr
    assert not (tmp_path / "state/add-model/replaced").exists()


@pytest.mark.parametrize("options", [(), ("--diff",)])
def test_looking_keeps_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert check_copies(root, *options).returncode == 1
    assert not (tmp_path / "state").exists()


def test_where_nothing_can_be_kept_nothing_is_replaced(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    start = contents(root)
    result = check_copies(root, "--fix")
    assert (result.returncode, result.stdout) == (2, "") and result.stderr.count("\n") == 1
    assert "nothing was changed" in result.stderr and "XDG_STATE_HOME" in result.stderr
    assert contents(root) == start


def test_which_side_moved_is_said_in_text_and_json(root: Path) -> None:
    git(root, "init", "-q")
    commit(root)
    edit_originals(root, "return 2", "return 3")
    result = check_copies(root, "--output-format", "json")
    assert {finding["moved"] for finding in json.loads(result.stdout)} == {"original"}
    assert "; the original moved since HEAD\n" in check_copies(root).stdout
    assert check_copies(root, "--base", "missing").stderr.startswith("error: --base missing: ")


# Others at work meanwhile


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_several_fixes_at_once(tmp_path: Path, attempt: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root, alone = tmp_path / "root", tmp_path / "alone"
    for folder in (root, alone):
        before(folder)
    assert check_copies(alone, "--fix").returncode == 0
    command = [sys.executable, "-m", "add_model", "check-copies", "--root", str(root), "--fix"]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [process.communicate()[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes and set(codes) <= {0, 2}
    assert all("run again" in error for code, error in zip(codes, errors, strict=True) if code)
    assert contents(root) == contents(alone)
    assert sum("kept what was replaced" in error for error in errors) == 1


def cut_off(command: str, folder: Path, *wrapper: str) -> Any:
    arguments = [*wrapper, sys.executable, "-m", "tests.copies.fix_cut_off", command, str(folder)]
    process = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def holds_every_draft(patch: str) -> bool:
    return all(f"+        return 'draft {name.title()}'" in patch for name in COPIES)


@pytest.mark.slow
def test_killed_at_every_step(tmp_path: Path) -> None:
    result = cut_off("killed", tmp_path)
    start, end = result["before"], result["after"]
    written = 0
    for outcome in result["runs"]:
        assert outcome["code"] == -signal.SIGKILL
        for path, text in outcome["cut_off"].items():
            assert path.startswith(".add-model/") or text in (start[path], end[path])
        assert outcome["recovered"] in (start, end)
        assert outcome["recovered"] == start or any(map(holds_every_draft, outcome["kept"]))
        assert outcome["fixed"] == end
        written += any(path.startswith(".add-model/") for path in outcome["cut_off"])
    assert len(result["runs"]) > 20 and written > 10


@pytest.mark.slow
@pytest.mark.parametrize("deleted", [False, True], ids=["changed", "deleted"])
def test_a_file_changed_or_deleted_at_every_step(tmp_path: Path, deleted: bool) -> None:
    alone = tmp_path / "alone"
    before(alone)
    start = texts(contents(alone))
    assert check_copies(alone, "--fix").returncode == 0
    end = texts(contents(alone))
    name = f"src/my_models/{COPIES[-1]}.py"
    target = tmp_path / "root" / name
    command = [sys.executable, "-m", "tests.copies.fix_cut_off", "stopped", str(tmp_path)]
    codes = []
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while (line := process.stdout.readline()) not in ("", "null\n"):
            stopped = int(line)
            if deleted:
                target.unlink()
            else:
                target.write_text("mine = 1\n")
            os.kill(stopped, signal.SIGCONT)
            outcome = json.loads(process.stdout.readline())
            others = dict(start if outcome["code"] else end)
            del others[name]
            assert outcome["files"] == others | ({} if deleted else {name: "mine = 1\n"})
            codes.append(outcome["code"])
    assert process.returncode == 0
    # Refused from the first step on, until the file was in its place.
    assert set(codes) == {0, 2} and codes == sorted(codes, reverse=True) and codes.count(2) > 15


def texts(found: Contents) -> dict[str, str]:
    return {path: content.decode() for path, content in found.items() if content is not None}


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    wrapper = mounted(f"mount -t tmpfs -o size=2m tmpfs {disk}", tmp_path)
    result = cut_off("full_disk", disk, *wrapper)
    codes = [outcome["code"] for outcome in result["runs"]]
    # With too little room nothing happens, with enough everything does.
    assert codes == sorted(codes, reverse=True) and set(codes) == {0, 2}
    for outcome in result["runs"]:
        assert outcome["changed"] == (outcome["code"] == 0)
        assert not any(path.startswith(".add-model/") for path in outcome["files"])
        assert not outcome["changed"] or any(map(holds_every_draft, outcome["kept"]))
