"""`add-model like` on a disk that is full or read-only, and killed while it writes: all of it, or nothing."""

import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from .commands import Contents, Result, add_model_here, contents, refused, run

pytestmark = pytest.mark.slow

NEW = ("bert", "--name", "brand_new_bert", "--into", "my_models")
SECOND = ("gpt2", "--name", "tiny_gpt")
also_slow = partial(pytest.param, marks=pytest.mark.slow)
FAILING = ("bert", "--name", "class")

# Kills itself at the n-th call of a function of `os`; calls that have nothing to do with the library do not count.
KILLED = """
import os, signal, sys

name, count = sys.argv[1], int(sys.argv[2])
original = getattr(os, name)

def counting(*arguments, **options):
    global count
    if name == "fsync" or "transaction" in str(arguments[0]):
        count -= 1
    if count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

setattr(os, name, counting)
sys.argv = ["add-model", *sys.argv[3:]]

from add_model.cli import main

main()
"""


def kill(folder: Path, function: str, count: int, *arguments: str) -> None:
    result = run([sys.executable, "-c", KILLED, function, str(count), "like", *arguments], folder)
    assert result.returncode == -signal.SIGKILL, (result.returncode, result.stderr)


def recovered_by_a_failing_run(folder: Path) -> Result:
    """The next run takes back what was half done before it looks at what it is asked for."""
    result = add_model_here(folder, "like", *FAILING)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith("error: --name 'class'")
    return result


@pytest.mark.parametrize(
    ("function", "count"),
    [
        pytest.param("fsync", 5, id="while staging"),
        pytest.param("replace", 2, id="before the journal stands", marks=pytest.mark.slow),
        pytest.param("replace", 3, id="before the first file", marks=pytest.mark.slow),
        pytest.param("replace", 12, id="in the middle"),
        pytest.param("unlink", 1, id="after the last file"),
    ],
)
def test_a_model_cut_off_is_taken_back_by_the_next_run(library: Path, function: str, count: int) -> None:
    before = contents(library)
    kill(library, function, count, *SECOND)
    assert any((library / ".add-model").glob("transaction-*"))
    taken_back = recovered_by_a_failing_run(library).stderr.splitlines()[:-1]
    assert contents(library) == before
    assert all(line.startswith("taken back from a run that was cut off: ") for line in taken_back)
    assert any("modeling_tiny_gpt.py" in line for line in taken_back) == (count == 12 or function == "unlink")


def test_a_dry_run_takes_nothing_back_and_says_so(library: Path) -> None:
    kill(library, "replace", 12, *SECOND)
    refused(library, *SECOND, "--dry-run", naming=("cut off", "without --dry-run"))


def test_taking_back_is_itself_taken_up_again_where_it_was_cut_off(library: Path) -> None:
    before = contents(library)
    kill(library, "unlink", 1, *SECOND)
    kill(library, "replace", 1, *FAILING)
    recovered_by_a_failing_run(library)
    assert contents(library) == before


@pytest.mark.parametrize(("function", "count"), [also_slow("fsync", 30), ("replace", 20), also_slow("replace", 36)])
def test_a_library_cut_off_is_written_whole_by_the_next_run(
    tmp_path: Path, made_library: Path, function: str, count: int
) -> None:
    kill(tmp_path, function, count, *NEW)
    result = add_model_here(tmp_path, "like", *NEW)
    assert result.returncode == 0, result.stderr
    assert contents(tmp_path / "my_models") == contents(made_library)


def test_an_edit_made_after_the_kill_survives(library: Path) -> None:
    kill(library, "unlink", 1, *SECOND)
    page = library / "docs/models/tiny_gpt.md"
    page.write_text("mine, since\n")
    recovered_by_a_failing_run(library)
    assert page.read_text() == "mine, since\n"
    assert not (library / "src/my_models/models/tiny_gpt").exists()


needs_mounts = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0,
    reason="needs a mount namespace of its own (unshare -rm)",
)


def in_a_namespace(folder: Path, script: str, *arguments: str) -> tuple[Result, Contents, Contents]:
    """Runs a script, then `add-model like`, where mounts can be made; with what the working folder holds before and after."""
    copies = folder.parent / "copies"
    copies.mkdir()
    shell = f"""set -e
{script}
cp -a . {copies}/before
code=0
"$@" || code=$?
cp -a . {copies}/after
exit $code
"""
    command = ["unshare", "-rm", "sh", "-c", shell, "sh", sys.executable, "-m", "add_model", "like", *arguments]
    return run(command, folder), contents(copies / "before"), contents(copies / "after")


def check_nothing_happened(outcome: tuple[Result, Contents, Contents], *naming: str) -> None:
    result, before, after = outcome
    lines = result.stderr.splitlines()
    assert (result.returncode, result.stdout, len(lines)) == (2, "", 1), (result.returncode, result.stderr)
    assert lines[0].startswith("error: ") and all(text in lines[0] for text in naming), lines[0]
    assert before == after


@needs_mounts
@pytest.mark.parametrize("kilobytes", [also_slow(40), 200, also_slow(300)])
def test_a_full_disk_leaves_no_trace_of_a_new_library(tmp_path: Path, kilobytes: int) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs {folder}; cd {folder}"
    check_nothing_happened(in_a_namespace(folder, mount, *NEW), "No space left on device", "nothing was changed")


@needs_mounts
def test_a_full_disk_leaves_a_library_as_it_was(library: Path) -> None:
    size = sum(len(content or b"") // 4096 + 1 for content in contents(library).values()) * 4 + 60
    mount = f"""cp -a {library} {library.parent}/kept
mount -t tmpfs -o size={size}k tmpfs {library}; cd {library}; cp -a {library.parent}/kept/. ."""
    outcome = in_a_namespace(library, mount, "bart", "--name", "new_bart")
    check_nothing_happened(outcome, "No space left on device", "nothing was changed")
    assert "src/my_models/registry.py" in outcome[2]


@needs_mounts
@pytest.mark.parametrize("read_only", [also_slow("."), "docs", also_slow("src/my_models/models")])
def test_a_read_only_library_or_folder_in_it(library: Path, read_only: str) -> None:
    place = library / read_only
    mount = f"mount --bind {place} {place}; mount -o remount,ro,bind {place}; cd {library}"
    outcome = in_a_namespace(library, mount, *SECOND)
    check_nothing_happened(outcome, "cannot be written", str(place) if read_only != "docs" else "docs")


@needs_mounts
def test_a_read_only_folder_for_a_new_library(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}; cd {folder}"
    check_nothing_happened(in_a_namespace(folder, mount, *NEW), str(folder), "cannot be written", "--into")
