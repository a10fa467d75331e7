"""What a hostile checkpoint, configuration, rules file or recording comes to: one line that names it, and exit code 2."""

import json
import os
from pathlib import Path

import numpy
import pytest
import torch

from tests.cli.commands import add_model_here
from tests.security.hostile_ports import (
    CONVERT,
    HOSTILE,
    NAME,
    WITH_RULES,
    Hostile,
    Marked,
    call,
    marked_pickle,
    recording,
    safetensors,
    tensor,
    write_checkpoint,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("hostile", HOSTILE, ids=[hostile.name for hostile in HOSTILE])
def test_a_hostile_input_is_refused_in_one_line(tmp_path: Path, hostile: Hostile) -> None:
    hostile.make(tmp_path)
    result = add_model_here(tmp_path, *hostile.command)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert result.returncode == 2, (result.returncode, result.stderr[:500])
    assert len(lines) == 1 and lines[0].startswith("error: ") and hostile.said in lines[0], result.stderr[:500]
    assert len(lines[0]) < 2000
    assert not (tmp_path / "new").exists()


def test_one_name_twice_counts_once_or_not_at_all(tmp_path: Path) -> None:
    """What reads the header decides which of two tensors of one name there is; neither may be half of each."""
    write_checkpoint(tmp_path)
    first, second = tensor([8], 0, 32), tensor([4], 32, 48)
    header = f'{{"{NAME}": {first}, "{NAME}": {second}}}'.replace("'", '"').encode()
    (tmp_path / "checkpoint" / "model.safetensors").write_bytes(safetensors(header, bytes(48)))
    result = add_model_here(tmp_path, *CONVERT)
    assert result.returncode == 2 and "Traceback" not in result.stderr
    (tmp_path / "whole.safetensors").write_bytes(recording([call()]))
    (tmp_path / "twice.safetensors").write_bytes(safetensors(header, bytes(48)))
    assert add_model_here(tmp_path, "compare", "whole.safetensors", "twice.safetensors").returncode == 2


def test_thousands_of_calls_that_belong_to_nothing_are_compared_as_far_as_they_go(tmp_path: Path) -> None:
    """Calls are held against each other as far as a limit allows; what that leaves out is said."""
    for name, kind in (("first", "Alpha"), ("second", "Beta")):
        inner = [call(path=f"{kind}{at}", class_name=kind, parent=0, began=2 * at, ended=2 * at + 1, inputs={}) for at in range(1, 1_501)]  # fmt: skip
        calls = [call(began=1, ended=2 * len(inner) + 2), *inner]
        (tmp_path / f"{name}.safetensors").write_bytes(recording(calls))
    result = add_model_here(tmp_path, "compare", "first.safetensors", "second.safetensors")
    assert result.returncode == 0, result.stderr
    (said,) = [line for line in result.stdout.splitlines() if "too many" in line]
    assert said.startswith("3000 calls were not held against all that they could belong to, as there are too many")
    document = json.loads(
        add_model_here(tmp_path, "compare", "first.safetensors", "second.safetensors", "--json").stdout
    )
    assert document["unmatched"]["unweighed"] == 3_000 and len(document["unmatched"]["new"]) == 1_500


def test_hundreds_of_calls_of_other_names_are_held_against_each_other(tmp_path: Path) -> None:
    for name, kind in (("first", "Alpha"), ("second", "Beta")):
        inner = [call(path=f"{kind}{at}", class_name=kind, parent=0, began=2 * at, ended=2 * at + 1, inputs={}) for at in range(1, 301)]  # fmt: skip
        (tmp_path / f"{name}.safetensors").write_bytes(recording([call(began=1, ended=602), *inner]))
    document = json.loads(
        add_model_here(tmp_path, "compare", "first.safetensors", "second.safetensors", "--json").stdout
    )
    assert document["unmatched"] == {"original": [], "new": [], "unweighed": 0}


def test_no_code_runs_from_anything_that_is_read(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    write_checkpoint(tmp_path)
    marked_pickle(tmp_path / "plain.pt", marker)
    torch.save({"weight": torch.ones(2), "hook": Marked(marker)}, tmp_path / "zipped.pt")
    torch.save({"hook": Marked(marker)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    numpy.savez(tmp_path / "arrays.npz", weight=numpy.array([Marked(marker)], dtype=object))
    for name in ("plain.pt", "zipped.pt", "old.pt", "arrays.npz"):
        result = add_model_here(tmp_path, "convert", "zoo:gpt2", name, "--out", "new")
        assert result.returncode == 2 and "could run code" in result.stderr
        renamed = tmp_path / f"{name}.safetensors"
        os.rename(tmp_path / name, renamed)
        assert add_model_here(tmp_path, "convert", "zoo:gpt2", renamed.name, "--out", "new").returncode == 2
        assert add_model_here(tmp_path, "compare", renamed.name, renamed.name).returncode == 2
        os.rename(renamed, tmp_path / "inputs.npz")
        inputs = add_model_here(tmp_path, "record", "zoo:gpt2", "--inputs", "inputs.npz", "--out", "r.safetensors")
        assert inputs.returncode == 2
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    (tmp_path / "rules.toml").write_text(f'[[fill]]\nfrom = "{{{code}}}"\nto = "a"\ndo = [{{ cast = "{code}" }}]\n')
    assert add_model_here(tmp_path, *WITH_RULES).returncode == 2
    (tmp_path / "code.safetensors").write_bytes(recording([call(path=code, class_name=code)], model={"class": code}))
    assert add_model_here(tmp_path, "compare", "code.safetensors", "code.safetensors").returncode == 0
    assert not marker.exists()


def test_what_training_shares_and_expands_is_still_read(tmp_path: Path) -> None:
    from add_model.porting.checkpoints.checkpoint import open_checkpoint

    values = torch.arange(12.0)
    weights = {"a": values, "tied": values, "part": values[2:4], "row": torch.arange(4.0)[None].expand(3, 4)}
    torch.save({"model": weights, "ema": weights}, tmp_path / "model.pt")
    with open_checkpoint(tmp_path / "model.pt") as checkpoint:
        assert torch.equal(checkpoint.read("row"), weights["row"]) and torch.equal(
            checkpoint.read("part"), values[2:4]
        )
