"""Checkpoints that hold more than one mapping of weights: what is read of them, what is left, and how to choose."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.commands import Result, add_model_here, contents
from tests.porting.foreign_checkpoints import GPT2, stored_weights, write_configuration

LAST = "transformer.ln_f."


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, torch.Tensor]:
    """The weights of an original, whose configuration is in the test's folder."""
    model = GPT2.build()
    write_configuration(GPT2, model, tmp_path)
    return stored_weights(model)


def convert(folder: Path, *arguments: str, code: int = 0) -> Result:
    result = add_model_here(folder, "convert", "zoo:gpt2", "file.pt", "--out", "new", *arguments)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result


def filled(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "new/model.safetensors")


def doubled(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight * 2 for name, weight in weights.items()}


def equal(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> bool:
    return some.keys() == others.keys() and all(torch.equal(some[name], others[name]) for name in some)


@pytest.mark.parametrize("other", ["model_ema", "params", "ema"])
@pytest.mark.parametrize("is_first", [True, False])
def test_another_mapping_of_weights_is_not_left_without_a_word(tmp_path: Path, weights: dict[str, torch.Tensor], other: str, is_first: bool) -> None:  # fmt: skip
    content = {"model": weights, other: doubled(weights), "epoch": 3}
    torch.save(dict(reversed(content.items())) if is_first else content, tmp_path / "file.pt")
    number = len(weights)
    result = convert(tmp_path)
    assert equal(filled(tmp_path), weights)
    notes = [line for line in result.stderr.splitlines() if line.startswith("note: file.pt")]
    assert notes == [f"note: file.pt: of its parts model ({number} weights) is read, {other} ({number} weights) is left; choose with --read, or `read` in the rules"]  # fmt: skip
    assert f"{other} of file.pt: left, with {number} weights" in result.stdout.splitlines()
    report = json.loads((tmp_path / "new/conversion.json").read_text())
    parts = [{"file": "file.pt", "name": "model", "weights": number, "read": True}, {"file": "file.pt", "name": other, "weights": number, "read": False}]  # fmt: skip
    assert sorted(report["parts"], key=lambda part: not part["read"]) == parts

    result = convert(tmp_path, "--read", other, "--force")
    assert equal(filled(tmp_path), doubled(weights))
    assert f"of its parts {other} ({number} weights) is read, model ({number} weights) is left" in result.stderr
    (tmp_path / "gpt2.rules.toml").write_text(f'read = "{other}"\n')
    convert(tmp_path, "--force")
    assert equal(filled(tmp_path), doubled(weights))


def test_weights_beside_the_known_ones_can_be_named(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    head = {name.removeprefix(LAST): weight for name, weight in weights.items() if name.startswith(LAST)}
    trunk = {name: weight for name, weight in weights.items() if not name.startswith(LAST)}
    torch.save({"model": trunk, "head": head}, tmp_path / "file.pt")
    before = contents(tmp_path)
    result = convert(tmp_path, code=2)
    assert "head (2 weights) is left; choose with --read" in result.stderr.splitlines()[0]
    assert contents(tmp_path) == before

    fill = '[[fill]]\nfrom = "model.{rest*}"\nto = "{rest*}"\n\n[[fill]]\nfrom = "head.{rest*}"\nto = "transformer.ln_f.{rest*}"\n'  # fmt: skip
    (tmp_path / "gpt2.rules.toml").write_text(f'read = ["model", "head"]\n\n{fill}')
    result = convert(tmp_path)
    assert equal(filled(tmp_path), weights) and "is left" not in result.stderr
    convert(tmp_path, "--suggest", "--read", "model", "--read", "head", "--force")
    assert (tmp_path / "gpt2.rules.toml").read_text().count('\nread = ["model", "head"]\n') == 1
    convert(tmp_path, "--force", "--accept-unsure")
    assert equal(filled(tmp_path), weights)


def test_what_training_leaves_beside_the_weights_is_only_mentioned(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:  # fmt: skip
    optimizer = {"state": {0: {"exp_avg": torch.ones(3), "step": torch.tensor(2.0)}}, "param_groups": [{"lr": 0.1}]}
    torch.save({"state_dict": {"model": weights, "old": {}}, "optimizer": optimizer}, tmp_path / "file.pt")
    result = convert(tmp_path)
    assert equal(filled(tmp_path), weights)
    assert f"of its parts state_dict.model ({len(weights)} weights) is read, optimizer (2 weights) is left" in result.stderr  # fmt: skip


def test_a_checkpoint_with_nothing_beside_its_weights_needs_no_word(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:  # fmt: skip
    torch.save({"model": weights, "epoch": 3, "args": {"lr": 0.1}}, tmp_path / "file.pt")
    result = convert(tmp_path)
    assert "note: " not in result.stderr
    assert json.loads((tmp_path / "new/conversion.json").read_text())["parts"] == []


def test_a_part_can_be_as_deep_as_it_is(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    torch.save({"step": torch.tensor(3), "runs": [{"best.pt": {"net": weights}}]}, tmp_path / "file.pt")
    result = convert(tmp_path, "--read", "runs.0.best.pt.net")
    assert equal(filled(tmp_path), weights)
    assert "step (1 weight) is left" in result.stderr
    assert "step of file.pt: left, with 1 weight\n" in result.stdout


def test_suggested_rules_say_what_was_read(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    torch.save({"model": weights, "ema": doubled(weights)}, tmp_path / "file.pt")
    convert(tmp_path, "--suggest", "--read", "ema")
    text = (tmp_path / "gpt2.rules.toml").read_text()
    assert f"# Left of file.pt: model ({len(weights)} weights).\n" in text and '\nread = ["ema"]\n' in text
    convert(tmp_path)
    assert equal(filled(tmp_path), doubled(weights))
    convert(tmp_path, "--suggest", "--force")
    assert '\nread = ["model"]\n' in (tmp_path / "gpt2.rules.toml").read_text()


@pytest.mark.parametrize(
    ("name", "naming"),
    [
        ("head", ("file.pt: has no part 'head' with weights", "it has: model (", "ema (")),
        ("epoch", ("file.pt: has no part 'epoch' with weights",)),
        ("model.nothing", ("no part 'model.nothing'",)),
    ],
)
def test_a_part_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, weights: dict[str, torch.Tensor], name: str, naming: tuple[str, ...]) -> None:  # fmt: skip
    torch.save({"model": weights, "ema": weights, "epoch": 3}, tmp_path / "file.pt")
    (line,) = convert(tmp_path, "--read", name, code=2).stderr.splitlines()
    assert line.startswith("error: ") and all(text in line for text in naming)


def test_a_file_without_parts_has_none_to_choose_from(tmp_path: Path) -> None:
    from tests.porting.foreign_checkpoints import write_safetensors

    write_safetensors(GPT2, tmp_path / "file.pt")
    (line,) = convert(tmp_path, "--read", "model", code=2).stderr.splitlines()
    assert "model.safetensors: holds weights alone, and no part 'model'; leave `read` out" in line


@pytest.mark.parametrize("text", ["read = 3\n", "read = []\n", 'read = ["model", 3]\n', 'read = ""\n'])
def test_what_names_no_part_is_refused(tmp_path: Path, weights: dict[str, torch.Tensor], text: str) -> None:
    torch.save({"model": weights}, tmp_path / "file.pt")
    (tmp_path / "gpt2.rules.toml").write_text(text)
    (line,) = convert(tmp_path, code=2).stderr.splitlines()
    assert 'gpt2.rules.toml: read must name parts of the checkpoint, such as read = ["model", "head"]' in line


def test_figures_beside_the_weights_do_not_hide_them(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    content = {
        "model": weights,
        "best_val_loss": torch.tensor(2.5),
        "rng_state": torch.get_rng_state(),
        "iteration": 3,
    }
    torch.save(content, tmp_path / "file.pt")
    result = convert(tmp_path)
    assert equal(filled(tmp_path), weights)
    assert "best_val_loss (1 weight), rng_state (1 weight) is left" in result.stderr
