"""Which numbers of a recording an integration test holds."""

from pathlib import Path

import numpy
import pytest
import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.recording import Recorder, record_forward
from add_model.porting.recording.file import load_recording
from add_model.porting.steps.integration_test import numbers_of


class Tiny(nn.Module):
    """Two outputs, of which the first counts; arguments of several kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 7)

    def forward(self, idx: torch.Tensor, mask: torch.Tensor | None = None, flag: bool = True) -> dict[str, torch.Tensor]:  # fmt: skip
        values = self.embedding(idx)
        return {"positions": idx, "scores": values, "pooled": values[:, 0]}


def recorded(path: Path, *arguments: object, limit: int = 1 << 20, training: bool = False, **keywords: object) -> Path:
    model = Tiny().train(training)
    with record_forward(model, path, limit=limit), torch.no_grad():
        model(*arguments, **keywords)
    return path


def test_the_first_output_of_numbers_is_held_by_its_corner_and_mean(tmp_path: Path) -> None:
    ids = torch.arange(10).reshape(2, 5)
    recording = load_recording(recorded(tmp_path / "run.safetensors", ids, flag=False))
    numbers = numbers_of(recording, ["input_ids", "attention_mask"], {"idx": "input_ids"})
    (call,) = [call for call in recording.calls if call.path == "embedding"]
    values = recording.values(call.outputs)
    assert numbers.inputs == {"input_ids": ids.tolist()}
    assert (numbers.output, numbers.shape) == ("scores", (2, 5, 7))
    torch.testing.assert_close(torch.tensor(numbers.corner), values[:2, :3, :5], rtol=0, atol=1e-6)
    assert numbers.mean == pytest.approx(values.abs().mean().item(), abs=1e-6)


def test_a_lone_input_of_integers_is_the_ids_whatever_it_is_called(tmp_path: Path) -> None:
    recording = load_recording(recorded(tmp_path / "run.safetensors", torch.ones(1, 2, dtype=torch.long)))
    assert numbers_of(recording, ["input_ids"], {}).inputs == {"input_ids": [[1, 1]]}


@pytest.mark.parametrize(
    ("options", "arguments", "renamed", "message"),
    [
        ({}, ["tokens"], {}, r"the input idx of the original is no argument .* --rename idx=ARGUMENT"),
        ({}, ["input_ids"], {"idx": "tokens"}, "the input tokens of the original"),
        ({"mask": torch.ones(1, 3)}, ["input_ids"], {"idx": "input_ids"}, "the input mask of the original"),
        ({"training": True}, ["input_ids"], {}, "training mode"),
        ({"limit": 64}, ["input_ids"], {}, "greater --limit"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy(tmp_path: Path, options: dict, arguments: list[str], renamed: dict[str, str], message: str) -> None:  # fmt: skip
    path = recorded(tmp_path / "run.safetensors", torch.zeros(9, 3, dtype=torch.long), **options)
    with pytest.raises(AddModelError, match=message):
        numbers_of(load_recording(path), arguments, renamed)


def test_of_values_recorded_by_name_the_last_is_the_result(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.safetensors") as recorder:
        recorder.record("input_ids", numpy.array([[1, 2]]))
        recorder.record("embeddings", numpy.zeros((1, 2, 3), numpy.float32))
        recorder.record("logits", numpy.ones((1, 2, 4), numpy.float32))
    recording = load_recording(tmp_path / "run.safetensors")
    numbers = numbers_of(recording, ["input_ids"], {})
    assert (numbers.inputs, numbers.output) == ({"input_ids": [[1, 2]]}, "logits")
    assert numbers.mean == 1.0
    with pytest.raises(AddModelError, match=r"none of its values \(input_ids, .* --rename"):
        numbers_of(recording, ["tokens"], {})
