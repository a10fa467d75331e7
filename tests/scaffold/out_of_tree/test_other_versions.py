"""Packages made on one release of Transformers and fixed under another: no name is undefined afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copies.released import installed_apart
from tests.scaffold.out_of_tree.installed import add_model

pytestmark = pytest.mark.slow


def undefined(package: Path) -> list[str]:
    """What ruff says of names that are not defined."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--output-format", "concise"]
    run = subprocess.run([*command, "--no-cache", "--quiet", "src"], cwd=package, capture_output=True, text=True)
    return run.stdout.splitlines()


def texts(package: Path) -> dict[str, bytes]:
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(package.rglob("*.py"))}


@pytest.mark.parametrize(
    ("model", "before", "after"),
    [
        *((model, "4.57.6", "5.23.0") for model in ("llama", "bert", "vit", "whisper")),
        *((model, "5.23.0", "5.24.0") for model in ("llama", "bert")),
        ("llama", "5.23.0", "4.57.6"),
    ],
)
def test_a_package_follows_to_another_release(model: str, before: str, after: str, tmp_path: Path) -> None:
    old, new = (installed_apart(f"transformers=={version}") for version in (before, after))
    made = add_model(tmp_path, "like", f"transformers:{model}", "--name", f"my_{model}", "--into", "mine", "--yes", path=old)  # fmt: skip
    assert made.returncode == 0, made.stderr
    library = tmp_path / "mine"
    assert undefined(library) == []
    run = add_model(library, "check-copies", "--fix", path=new)
    assert "rewrote" in run.stderr
    assert undefined(library) == []
    if (model, after) == ("bert", "5.23.0"):
        # What the new text uses no more goes, where the new release has it no more; what something uses is said.
        assert (
            b"find_pruneable_heads_and_indices" not in (library / "src/mine/my_bert/modeling_my_bert.py").read_bytes()
        )
        assert "imports `OnnxConfig` from transformers.onnx, which has it no more" in run.stderr
    fixed = texts(library)
    again = add_model(library, "check-copies", "--fix", path=new)
    assert texts(library) == fixed and again.stdout == run.stdout
    if (before, after) != ("5.23.0", "5.24.0"):
        return
    assert run.returncode == 0, run.stdout
    code = f"import mine.my_{model}.modeling_my_{model}, transformers; print(transformers.__version__)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(new), str(library / "src")])}
    imported = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert imported.stdout.strip() == after, imported.stderr
