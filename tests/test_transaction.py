import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model import journal
from add_model.boundary import ensure_inside
from add_model.errors import AddModelError
from add_model.journal import Journal, Step, Steps
from add_model.state import user_folder
from add_model.transaction import Change, recover, write_files
from tests.cut_off import before, changes, snapshot

REPOSITORY = Path(__file__).parents[1]


def run(command: str, folder: Path, *wrapper: str, **environment: str) -> Any:
    """What a run in a process of its own reports, in a name space of its own where a wrapper makes one."""
    arguments = [*wrapper, sys.executable, "-m", "tests.cut_off", command, str(folder)]
    process = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, **environment})  # fmt: skip
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def mounted(script: str, folder: Path) -> list[str]:
    """The wrapper that runs a command where this script has mounted something; skips where that cannot be done."""
    wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", f'{script}; exec "$@"', "sh"]
    try:
        subprocess.run([*wrapper, "true"], cwd=folder, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted here")
    return wrapper


# All or nothing


def test_every_file_is_written(tmp_path: Path) -> None:
    before(tmp_path / "root")
    write_files(tmp_path / "root", changes(tmp_path / "root"))
    assert snapshot(tmp_path / "root").keys() == {
        ".", "README.md", "docs", "docs/index.md", "package", "package/models", "package/models/bert",
        "package/models/bert/modeling.py", "package/registry.py", "package/script.py", "same.txt",
    }  # fmt: skip
    before(tmp_path / "other")
    for change in changes(tmp_path / "other"):
        written = tmp_path / "root" / change.path.relative_to(tmp_path / "other")
        assert (written.read_bytes() if written.exists() else None) == change.content


@pytest.mark.parametrize(("expected", "said"), [(b"another\n", "was changed while"), (b"", "was changed while")])
def test_a_file_that_is_to_go_and_was_changed_meanwhile_stops_everything(tmp_path: Path, expected: bytes, said: str) -> None:  # fmt: skip
    root = tmp_path / "root"
    before(root)
    fails(root, [*changes(root)[:1], Change(root / "README.md", None, expected)], f"README.md: {said}")


def test_a_file_that_is_to_go_and_is_gone_stops_everything(tmp_path: Path) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [Change(tmp_path / "root/gone.md", None, b"old")], "gone.md: was removed while")


def test_a_root_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    root = tmp_path / "several/new/folders"
    write_files(root, [Change(root / "a/b.txt", b"x", None)])
    assert snapshot(root).keys() == {".", "a", "a/b.txt"}


def test_nothing_to_write_changes_nothing(tmp_path: Path) -> None:
    before(tmp_path / "root")
    start = snapshot(tmp_path)
    write_files(tmp_path / "root", [])
    write_files(tmp_path / "new", [])
    assert {path for path in snapshot(tmp_path) if path not in start} <= {"new"}


NAMES = st.from_regex(r"([a-c]/){0,2}[x-z]{1,2}", fullmatch=True)


@settings(max_examples=25)
@given(contents=st.dictionaries(NAMES, st.tuples(st.booleans(), st.binary(max_size=20)), max_size=5))
def test_any_bytes_are_written_as_they_are(contents: dict[str, tuple[bool, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, wanted = Path(folder), []
        for name, (exists, content) in contents.items():
            if exists:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(b"old")
            wanted.append(Change(root / name, content, b"old" if exists else None))
        write_files(root, wanted)
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert files == {name: content for name, (_, content) in contents.items()}
        assert not (root / ".add-model").exists()


def test_what_the_library_remembers_stays(tmp_path: Path) -> None:
    answers = tmp_path / ".add-model/models/bert/answers.toml"
    write_files(tmp_path, [Change(answers, b"version = 1\n", None)])
    assert snapshot(tmp_path / ".add-model").keys() == {".", "models", "models/bert", "models/bert/answers.toml"}
    assert recover(tmp_path) == [] and answers.exists()


def fails(root: Path, wanted: list[Change], said: str) -> None:
    """Asserts that the changes are refused, in one line, and that nothing came of them."""
    start = snapshot(root)
    with pytest.raises(AddModelError, match=said) as error:
        write_files(root, wanted)
    assert "\n" not in str(error.value)
    assert snapshot(root) == start


# Somebody else was at work meanwhile


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_file_that_was_changed_meanwhile_stops_everything(tmp_path: Path, place: int) -> None:
    root = tmp_path / "root"
    before(root)
    wanted = changes(root)
    wanted.insert(place, Change(root / "README.md", b"new", b"what it was when it was read"))
    fails(root, wanted, "README.md: was changed while")


def test_a_file_that_was_created_meanwhile_stops_everything(tmp_path: Path) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [*changes(tmp_path / "root"), Change(tmp_path / "root/README.md", b"new", None)], "README.md: was changed while")  # fmt: skip


def test_a_file_that_was_removed_meanwhile_stops_everything(tmp_path: Path) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [*changes(tmp_path / "root"), Change(tmp_path / "root/gone.md", b"new", b"old")], "gone.md: was removed while")  # fmt: skip


def test_a_folder_in_the_place_of_a_file_stops_everything(tmp_path: Path) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [*changes(tmp_path / "root"), Change(tmp_path / "root/package", b"new", None)], "package: cannot be written: Is a directory; nothing was changed")  # fmt: skip


def test_a_file_in_the_place_of_a_folder_stops_everything(tmp_path: Path) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [*changes(tmp_path / "root"), Change(tmp_path / "root/README.md/a/b", b"new", None)], "cannot be written: .*; nothing was changed")  # fmt: skip


def test_a_failure_takes_a_new_root_away_again(tmp_path: Path) -> None:
    root = tmp_path / "new/root"
    fails(root, [Change(root / "a", b"a", None), Change(root / "b", b"b", b"old")], "b: was removed while")
    assert not (tmp_path / "new").exists()


def test_a_file_above_the_root_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AddModelError, match="file/root: cannot be made: Not a directory"):
        write_files(tmp_path / "file/root", [Change(tmp_path / "file/root/a", b"a", None)])


# Where the writing goes


def test_a_link_that_leaves_the_tree_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    before(root)
    outside.mkdir()
    (outside / "file").write_text("theirs")
    (root / "folder").symlink_to(outside)
    (root / "link").symlink_to(outside / "file")
    (root / "dangling").symlink_to(outside / "new")
    (root / "relative").symlink_to("../outside/file")
    for path, expected in (("folder/new", None), ("folder/file", b"theirs"), ("link", b"theirs"), ("dangling", None), ("relative", b"theirs")):  # fmt: skip
        fails(root, [*changes(root), Change(root / path, b"ours", expected)], "outside .*remove the symbolic link")
    assert snapshot(outside).keys() == {".", "file"} and (outside / "file").read_text() == "theirs"


@pytest.mark.parametrize("path", ["../outside", "a/../../outside", "/tmp/outside"])
def test_a_path_that_leaves_the_tree_is_refused(tmp_path: Path, path: str) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [Change(tmp_path / "root" / path, b"ours", None)], "outside")
    assert not (tmp_path / "outside").exists()


def test_a_state_folder_that_leaves_the_tree_is_refused(tmp_path: Path) -> None:
    before(tmp_path / "root")
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/.add-model").symlink_to(tmp_path / "outside")
    fails(tmp_path / "root", changes(tmp_path / "root"), "outside")
    with pytest.raises(AddModelError, match="outside"):
        recover(tmp_path / "root")
    assert not any((tmp_path / "outside").iterdir())


def test_nothing_is_written_through_a_link_within_the_tree(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("old")
    (tmp_path / "link").symlink_to("real/file")
    (tmp_path / "folder").symlink_to("real")
    for change in (Change(tmp_path / "link", b"new", b"old"), Change(tmp_path / "folder/other", b"x", None), Change(tmp_path / "link", None, b"old")):  # fmt: skip
        fails(tmp_path, [change], "is a symbolic link to .*real.*, and nothing is written through one")


@pytest.mark.parametrize("path", [".git/hooks/pre-commit", ".GIT/config", ".git./config", "git~1/config", "a/.hg/hgrc", ".svn/x", "sub/.jj/config", ".git"])  # fmt: skip
def test_nothing_is_written_into_a_folder_of_version_control(tmp_path: Path, path: str) -> None:
    before(tmp_path / "root")
    fails(tmp_path / "root", [*changes(tmp_path / "root"), Change(tmp_path / "root" / path, b"#!/bin/sh\n", None)], "version control's own")  # fmt: skip


def test_nothing_is_written_where_the_root_lies_in_a_folder_of_version_control(tmp_path: Path) -> None:
    root = tmp_path / ".git/modules/root"
    before(root)
    fails(root, changes(root), "version control's own")


def test_a_root_behind_a_link_is_written(tmp_path: Path) -> None:
    before(tmp_path / "root")
    (tmp_path / "link").symlink_to("root")
    write_files(tmp_path / "link", changes(tmp_path / "link"))
    assert (tmp_path / "root/docs/index.md").read_text() == "an index\n"


def test_inside_is_inside(tmp_path: Path) -> None:
    ensure_inside(tmp_path, tmp_path / "a/b")
    ensure_inside(tmp_path, tmp_path)
    with pytest.raises(AddModelError):
        ensure_inside(tmp_path / "root", tmp_path / "root-of-another-name")


# Modes


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o444, 0o664])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_files(tmp_path, [Change(path, b"new", b"old", mode=0o777)])
    assert path.read_text() == "new" and path.stat().st_mode & 0o7777 == mode


def test_a_new_file_has_the_mode_asked_for_or_the_usual_one(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    write_files(tmp_path, [Change(tmp_path / "script", b"", None, mode=0o755), Change(tmp_path / "plain", b"", None)])
    assert (tmp_path / "script").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "plain").stat().st_mode == usual.stat().st_mode


# Cut off


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("command", ["killed", "killed_in_a_new_folder"])
def test_a_kill_at_any_step_leaves_all_or_nothing(tmp_path: Path, command: str) -> None:
    found = run(command, tmp_path / "new/root")
    contents: dict[str, set[str]] = {}
    for state in (found["before"], found["after"]):
        for path, content in state.items():
            contents.setdefault(path, set()).add(content)
    for killed in found["runs"]:
        assert killed["code"] in (-signal.SIGKILL, 0)
        # No file is ever half written, and after the recovery all of them are as before, or all are as after.
        for path, content in killed["cut_off"].items():
            assert path.startswith(".add-model") or content in contents[path]
        empty_root = {".": ""} if command == "killed_in_a_new_folder" else None
        assert killed["recovered"] in (found["before"], found["after"], empty_root), killed["step"]
    assert len(found["runs"]) > 30
    assert found["runs"][0]["recovered"] == found["before"] and found["runs"][-1]["recovered"] == found["after"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_of_the_recovery_leaves_something_to_recover_from(tmp_path: Path) -> None:
    found = run("killed_twice", tmp_path / "root")
    assert len(found["runs"]) > 50
    for killed in found["runs"]:
        assert killed["recovered"] == found["before"], (killed["step"], killed["inner"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_an_interrupt_at_any_step_leaves_all_or_nothing_at_once(tmp_path: Path) -> None:
    found = run("interrupted", tmp_path / "root")
    for interrupted in found["runs"]:
        left = {path: content for path, content in interrupted["cut_off"].items() if path != ".add-model"}
        assert left in (found["before"], found["after"]), interrupted["step"]
        assert interrupted["recovered"] in (found["before"], found["after"])


def cut_off(root: Path, kept: str = "0.old", target: str = "package/registry.py", made: tuple[str, ...] = ("docs",)) -> None:  # fmt: skip
    """The tree, and the user's notes about it, as a run leaves them that is cut off when two of its files stand."""
    before(root)
    journal, folder = Journal(root), root / ".add-model/transaction-0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "0.old").write_text("old registry\n")
    (root / "package/registry.py").write_text("new registry\n")
    (root / "docs").mkdir()
    (root / "docs/index.md").write_text("an index\n")
    steps = (
        Step(target, "0.new", kept, digest("new registry\n")),
        Step("docs/index.md", "1.new", None, digest("an index\n")),
    )
    journal.open(folder)
    journal.begin(Steps(steps, made, ()))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_next_run_takes_back_what_was_cut_off(tmp_path: Path) -> None:
    before(tmp_path / "clean")
    cut_off(tmp_path / "root")
    assert set(recover(tmp_path / "root")) == {tmp_path / "root/package/registry.py", tmp_path / "root/docs/index.md"}
    assert snapshot(tmp_path / "root") == snapshot(tmp_path / "clean")
    assert recover(tmp_path / "root") == []


def test_writing_takes_back_what_was_cut_off_first(tmp_path: Path) -> None:
    cut_off(tmp_path / "root")
    write_files(tmp_path / "root", [Change(tmp_path / "root/package/registry.py", b"newer\n", b"old registry\n")])
    assert (tmp_path / "root/package/registry.py").read_text() == "newer\n"
    assert not (tmp_path / "root/docs").exists()


def test_a_file_that_was_edited_after_the_run_was_cut_off_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    cut_off(root)
    (root / "docs/index.md").write_text("an index, edited\n")
    assert recover(root) == [root / "package/registry.py"]
    assert (root / "docs/index.md").read_text() == "an index, edited\n"
    assert (root / "package/registry.py").read_text() == "old registry\n"


@pytest.mark.parametrize("leaving", [{"target": "../outside"}, {"made": ("../empty",)}])
def test_notes_reach_nothing_outside_whoever_wrote_them(tmp_path: Path, leaving: dict[str, Any]) -> None:
    (tmp_path / "outside").write_text("new registry\n")
    (tmp_path / "empty").mkdir()
    cut_off(tmp_path / "root", **leaving)
    with pytest.raises(AddModelError, match="outside"):
        recover(tmp_path / "root")
    assert (tmp_path / "outside").read_text() == "new registry\n" and (tmp_path / "empty").is_dir()


@pytest.mark.parametrize("name", ["staging.json", "steps.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": [{}], "made": [], "emptied": []}', "[" * 100_000, "\xff"])  # fmt: skip
def test_notes_that_are_none_are_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    cut_off(tmp_path / "root")
    (path,) = user_folder().glob(f"transactions/*/{name}")
    path.write_text(text, encoding="latin-1")
    with pytest.raises(AddModelError, match=f"is no note of add-model.*remove {path.parent} and run again"):
        recover(tmp_path / "root")


@pytest.mark.parametrize("name", ["missing", "file", "empty"])
def test_where_nothing_was_cut_off_there_is_nothing_to_recover(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    start = snapshot(tmp_path)
    assert recover(tmp_path / name) == []
    assert snapshot(tmp_path) == start


# Disks that are full, or read-only


def test_a_full_disk_leaves_all_or_nothing(tmp_path: Path) -> None:
    found = run("full_disk", tmp_path, *mounted(f"mount -t tmpfs -o size=128k tmpfs '{tmp_path}'", REPOSITORY))
    errors = [tried["error"] for tried in found["runs"]]
    assert errors[0] and not errors[-1]
    for tried in found["runs"]:
        assert not tried["state"] and tried["changed"] == (tried["error"] == "")
        assert not tried["error"] or "No space left on device; nothing was changed" in tried["error"]


def test_a_disk_with_too_many_files_leaves_all_or_nothing(tmp_path: Path) -> None:
    found = run("few_files", tmp_path, *mounted(f"mount -t tmpfs -o nr_inodes=48 tmpfs '{tmp_path}'", REPOSITORY))
    errors = [tried["error"] for tried in found["runs"]]
    assert errors[0] and not errors[-1]
    # Folders are made after the journal stands: what was done by then is taken back.
    assert any("package/models: cannot be written" in error for error in errors)
    for tried in found["runs"]:
        assert not tried["state"] and tried["changed"] == (tried["error"] == "")


def test_a_run_that_was_cut_off_is_taken_back_on_a_full_disk(tmp_path: Path) -> None:
    wrapper = mounted(f"mount -t tmpfs -o size=128k tmpfs '{tmp_path}'", REPOSITORY)
    found = run("full_disk_after_a_kill", tmp_path, *wrapper)
    for killed in found["runs"]:
        assert killed["error"] == ""
        assert killed["recovered"] in (found["before"], found["after"]), killed["step"]


@pytest.mark.parametrize("folder", [".", "package"])
def test_a_read_only_folder_is_named_and_nothing_changes(tmp_path: Path, folder: str) -> None:
    before(tmp_path / "root")
    place = tmp_path / "root" / folder
    wrapper = mounted(f"mount --bind '{place}' '{place}'; mount -o remount,bind,ro '{place}'", REPOSITORY)
    found = run("read_only", tmp_path, *wrapper)
    assert not found["changed"]
    named = place / (".add-model" if folder == "." else "models")
    assert str(named) in found["error"] and "Read-only file system; nothing was changed" in found["error"]


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_is_named_and_nothing_changes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    before(root)
    (root / "package").chmod(0o555)
    try:
        fails(root, changes(root), "package/.*cannot be written: Permission denied; nothing was changed")
    finally:
        (root / "package").chmod(0o755)


def test_a_file_that_cannot_be_replaced_is_named_by_its_own_name(tmp_path: Path) -> None:
    before(tmp_path / "root")
    place = tmp_path / "root/package/registry.py"
    wrapper = mounted(f"mount --bind '{place}' '{place}'", REPOSITORY)
    found = run("read_only", tmp_path, *wrapper)
    assert not found["changed"]
    assert found["error"].startswith(f"{place}: cannot be written")


# Several at once


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_several_writers_wait_for_each_other(tmp_path: Path) -> None:
    found = run("several_writers", tmp_path / "root")
    assert found["codes"] == [0, 0, 0, 0]
    assert [path for path in found["files"] if path.endswith(".txt") and path != "shared.txt"] == sorted(f"{writer}/{number}.txt" for writer in range(4) for number in range(15))  # fmt: skip
    assert ".add-model" not in found["files"] and found["shared"] == "60"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")
def test_a_writer_that_keeps_others_waiting_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    command = [sys.executable, "-m", "tests.cut_off", "stopped", str(root)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        writer = int(process.stdout.readline())
        try:
            monkeypatch.setattr(journal, "_LOCK_SECONDS", 0)
            for work in (lambda: write_files(root, [Change(root / "other", b"x", None)]), lambda: recover(root)):
                with pytest.raises(AddModelError, match="another add-model run is writing here; wait for it"):
                    work()
            assert not (root / "other").exists()
        finally:
            os.kill(writer, signal.SIGCONT)
        found = json.loads(process.stdout.read())
    # The waiting ones have not disturbed it.
    assert found["code"] == 0 and found["after"]["docs/index.md"].endswith("an index\n")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_user_without_a_name_can_write(tmp_path: Path) -> None:
    wrapper = ["unshare", "--user", "--map-user=54321", "env"]
    wrapper += [f"--unset={name}" for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "HOME")]
    if subprocess.run([*wrapper, "true"], capture_output=True).returncode:
        pytest.skip("no other user can be had here")
    assert run("nameless", tmp_path / "root", *wrapper) == {"error": "", "user": 54321}
