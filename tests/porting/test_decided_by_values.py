"""A recorded forward pass of the original decides what names and shapes leave open."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from add_model.porting.conversion.plan import new_weights
from add_model.porting.recording import record_forward
from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Fill
from tests.cli.commands import add_model_here
from tests.porting.foreign_checkpoints import (
    BART,
    BERT,
    ORIGINALS,
    Original,
    logits,
    scrambled_names,
    stored_weights,
    write_configuration,
)
from tests.porting.judged import Judged, judge
from tests.porting.test_suggested_conversions import convert, says_the_same


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small models are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Renamed(nn.Module):
    """A model whose every submodule has another name, as in somebody else's code."""

    def __init__(self, model: nn.Module, names: dict[str, str]) -> None:
        super().__init__()
        self.names, self.inner = names, (model,)

    def named_modules(self, *arguments: object, **keywords: object):  # type: ignore[no-untyped-def, override]
        for path, module in self.inner[0].named_modules():
            yield self.names.get(path, path) if path else "", module

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.inner[0](input_ids).logits
        return output


TEXT = (5, 6, 7, 8, 9, 10)


def write_shuffled(original: Original, folder: Path, seed: int, text: tuple[int, ...] = TEXT) -> nn.Module:
    """The original under names that say nothing and in the alphabet's order, with a recording of it."""
    model = original.build(seed)
    weights = stored_weights(model)
    names = scrambled_names(list(weights), seed)
    write_configuration(original, model, folder)
    torch.save(
        {names[name]: weights[name] for name in sorted(weights, key=lambda name: names[name])}, folder / "weights.pt"
    )
    paths = {name.rpartition(".")[0]: new.rpartition(".")[0] for name, new in names.items()}
    renamed = Renamed(model, paths)
    with record_forward(renamed, folder / "original.safetensors"):
        model(input_ids=torch.tensor([text]))
    return model


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_names_that_say_nothing_in_no_order(original: Original, seed: int, tmp_path: Path) -> None:
    expected = write_shuffled(original, tmp_path / "original", seed)
    arguments = [f"zoo:{original.name}", "original/weights.pt"]
    without = convert(tmp_path, *arguments, "--suggest", "--rules", "guessed.toml").stdout.count("unsure = true")
    recorded = ["--suggest", "--recording", "original/original.safetensors"]
    text = convert(tmp_path, *arguments, *recorded).stdout
    assert "decided by the recorded values" in text
    assert text.count("unsure = true") < without
    convert(tmp_path, *arguments, "--out", "new", "--accept-unsure")
    assert says_the_same(original, expected, tmp_path / "new")
    assert logits(expected).isfinite().all()


def suggested(original: Original, folder: Path, seed: int, values: dict[str, object]) -> Judged:
    """What is suggested for the original with its recording, for a model that has other values in its configuration."""
    model = original.build(seed)
    truth = stored_weights(model)
    names = scrambled_names(list(truth), seed)
    path = folder / "original/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    convert(folder, f"zoo:{original.name}", "original/weights.pt", "--suggest", "--recording", "original/original.safetensors")  # fmt: skip
    rules = load_rules(folder / f"{original.name}.rules.toml")
    return judge(rules, {names[name]: tensor for name, tensor in truth.items()}, truth, new_weights(model))


@pytest.mark.slow
def test_a_recording_that_tells_query_from_key_no_better_than_names_do(tmp_path: Path) -> None:
    # With one token there is nothing to attend to, so that nothing depends on query and key.
    write_shuffled(BART, tmp_path / "original", 6, text=(5,))
    found = suggested(BART, tmp_path, 6, {})
    assert not found.wrong
    assert any("q_proj" in rule.targets[0].text for rule in found.unsure if isinstance(rule, Fill))
    assert found.right


@pytest.mark.parametrize("values", [{"num_attention_heads": 4}, {"hidden_act": "relu"}], ids=["heads", "activation"])
def test_a_new_model_that_computes_something_else(values: dict[str, object], tmp_path: Path) -> None:
    write_shuffled(BERT, tmp_path / "original", 1)
    found = suggested(BERT, tmp_path, 1, values)
    assert not found.wrong and found.unsure


def test_names_that_the_values_speak_against(tmp_path: Path) -> None:
    folder = tmp_path / "original"
    model = BERT.build()
    swapped = {"self.query": "self.key", "self.key": "self.query"}
    paths = {path: re.sub("self.(query|key)$", lambda found: swapped[found[0]], path) for path, _ in model.named_modules()}  # fmt: skip
    weights = {re.sub("self.(query|key)(?=.)", lambda found: swapped[found[0]], name): tensor for name, tensor in stored_weights(model).items()}  # fmt: skip
    write_configuration(BERT, model, folder)
    torch.save({f"m.{name}": tensor for name, tensor in weights.items()}, folder / "weights.pt")
    with record_forward(Renamed(model, {old: f"m.{new}" for old, new in paths.items()}), folder / "original.safetensors"):  # fmt: skip
        model(input_ids=torch.tensor([TEXT]))
    arguments = ["zoo:bert", "original/weights.pt", "--suggest"]
    assert "unsure" not in convert(tmp_path, *arguments, "--rules", "guessed.toml").stdout
    text = convert(tmp_path, *arguments, "--recording", "original/original.safetensors").stdout
    assert "decided by the recorded values" in text
    truth = stored_weights(model)
    rules = load_rules(tmp_path / "bert.rules.toml")
    found = judge(rules, {f"m.{name}": tensor for name, tensor in weights.items()}, truth, new_weights(model))
    assert not found.wrong
    # Nothing that comes out depends on the bias of the keys.
    assert all("key.bias" in name or "query.bias" in name for name in found.missing)


def test_a_recording_of_another_model(tmp_path: Path) -> None:
    write_shuffled(BERT, tmp_path / "original", 1)
    write_shuffled(BERT, tmp_path / "other", 2)
    arguments = ["zoo:bert", "original/weights.pt", "--suggest", "--recording", "other/original.safetensors"]
    result = add_model_here(tmp_path, "convert", *arguments)
    assert (
        result.returncode == 2 and "none of its modules has a name that the checkpoint's weights have" in result.stderr
    )


def test_a_recording_without_a_suggestion_is_refused(tmp_path: Path) -> None:
    result = add_model_here(tmp_path, "convert", "zoo:bert", "original", "--recording", "original.safetensors")
    assert result.returncode == 2 and "--recording belongs to --suggest" in result.stderr
