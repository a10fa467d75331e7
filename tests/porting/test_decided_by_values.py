"""A recorded forward pass of the original decides what names and shapes leave open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from add_model.porting.recording import record_forward
from tests.cli.commands import add_model_here
from tests.porting.foreign_checkpoints import (
    ORIGINALS,
    Original,
    logits,
    scrambled_names,
    stored_weights,
    write_configuration,
)
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


def write_shuffled(original: Original, folder: Path, seed: int) -> nn.Module:
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
        model(input_ids=torch.tensor([[5, 6, 7, 8, 9, 10]]))
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


def test_a_recording_without_a_suggestion_is_refused(tmp_path: Path) -> None:
    result = add_model_here(tmp_path, "convert", "zoo:bert", "original", "--recording", "original.safetensors")
    assert result.returncode == 2 and "--recording belongs to --suggest" in result.stderr
