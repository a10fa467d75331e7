"""`add-model remove`, killed at any step and on a disk that is nearly full: all of it, or nothing."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.removal import plan_removal, remove
from add_model.transaction import Change, recover
from tests.cut_off import at_step, in_child, kill

from .commands import add_model_here, contents, done, run


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs fork and kill")
def test_a_removal_killed_at_any_step_is_all_or_nothing(library: Path, tmp_path: Path) -> None:
    start, step, code = contents(library), 0, 1
    shutil.copytree(library, tmp_path / "kept")
    while code != 0:
        shutil.rmtree(library)
        shutil.copytree(tmp_path / "kept", library)

        def removing(step: int = step) -> None:
            planned = plan_removal(library, "brand_new_bert", force=False)
            at_step(step, kill)
            remove(planned)

        code = in_child(removing)
        assert code in (0, -signal.SIGKILL)
        recover(library)
        now = contents(library)
        # Gone is gone whole: no empty folder, and no memory of a model that is not there.
        assert now == start or not [path for path in now if "brand_new_bert" in path or path.startswith(".add-model")]
        step += 1
    assert step > 40


@pytest.mark.slow
@pytest.mark.parametrize("free", [0, 4, 12, 28])
@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0,
    reason="needs a mount namespace of its own (unshare -rm)",
)
def test_on_a_full_disk_a_removal_makes_its_own_room(library: Path, tmp_path: Path, free: int) -> None:
    done(library, "gpt2", "--name", "tiny_gpt", "--yes")
    folder = tmp_path / "disk"
    folder.mkdir()
    size = sum(len(content) // 4096 * 4 + 8 for content in contents(library).values() if content is not None)
    # So many kilobytes are free, for what the user's own folder keeps as well.
    script = f"""set -e
mount -t tmpfs -o size={size + 400}k tmpfs {folder}
cp -a {library} {folder}/library
dd if=/dev/zero of={folder}/ballast bs=4k 2>/dev/null || true
[ {free} = 0 ] || truncate -s -{free}k {folder}/ballast
export XDG_STATE_HOME={folder}/state XDG_CACHE_HOME={folder}/cache TMPDIR={folder}
cd {folder}/library
"$@"
find . -name '*brand_new_bert*'
"""
    command = ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-m", "add_model"]
    result = run([*command, "remove", "brand_new_bert"], library)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].startswith("brand_new_bert: ") and result.stderr == ""


def test_what_made_room_is_back_where_the_removal_does_not_come_about(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, refused = contents(library), []

    def full(root: Path, changes: Sequence[Change]) -> None:
        refused.append(len(changes))
        raise AddModelError("no room") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("add_model.scaffold.room.write_files", full)
    with pytest.raises(AddModelError, match="no room"):
        remove(plan_removal(library, "brand_new_bert", force=False))
    # One file after the other was given for room, until none was left that no folder goes with.
    assert refused == list(range(refused[0], refused[-1] - 1, -1)) and len(refused) > 4
    assert contents(library) == before


def test_models_made_and_removed_in_the_same_order_leave_the_registry_as_it_was(library: Path) -> None:
    def remove_model(name: str) -> None:
        result = add_model_here(library, "remove", name)
        assert (result.returncode, result.stderr) == (0, "")

    registry = library / "src/my_models/registry.py"
    remove_model("brand_new_bert")
    before = registry.read_bytes()
    for name in ("aa", "bb"):
        done(library, "bert", "--name", name, "--yes")
    for name in ("aa", "bb"):
        remove_model(name)
    assert registry.read_bytes() == before
