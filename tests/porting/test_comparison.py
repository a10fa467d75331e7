"""Two runs side by side: which calls belong together, what counts as a difference, and where one begins."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.comparison.comparing import compare
from add_model.porting.comparison.diagnosis import diagnose
from add_model.porting.comparison.page import page
from add_model.porting.comparison.report import document, missing_output, within_rounding
from add_model.porting.recording import Recorder, record_forward
from add_model.porting.recording.file import load_recording

from . import faults, originals
from .sketches import recorded


def both(tmp_path: Path, original: nn.Module, new: nn.Module, given: dict[str, Any], **options: Any) -> Any:
    first = recorded(tmp_path / "original.safetensors", original, **given)
    return compare(first, recorded(tmp_path / "new.safetensors", new, **given), **options)


@pytest.mark.parametrize("model", ["bert", "gpt2", "bart"])
@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_transformers_and_the_bundled_models_are_equal_layer_by_layer(
    model: str, implementation: str, tmp_path: Path
) -> None:
    source = originals.published(model, 5, implementation)
    comparison = both(tmp_path, source, originals.bundled(model, source), originals.inputs(model, 5))
    assert comparison.passed and comparison.place is None and comparison.largest < 1e-5
    assert diagnose(comparison) is None
    assert comparison.alignment.only_original == ()
    # Nothing is left over but what the other model does without a module.
    assert {call.class_name for call in comparison.alignment.only_new} <= {"Dropout"}
    layers = sum(
        "layer." in row.new.path or "layers." in row.new.path or ".h." in row.new.path for row in comparison.rows
    )
    assert layers > 20 * originals.LAYERS


@pytest.mark.parametrize("model", ["bert", "gpt2", "bart"])
def test_models_without_a_name_in_common_are_aligned(model: str, tmp_path: Path) -> None:
    source = originals.published(model, 6)
    given = originals.inputs(model, 6)
    first = recorded(tmp_path / "original.safetensors", source, **given)
    foreign = _with_foreign_names(first)
    new = originals.bundled(model, source)
    comparison = compare(foreign, recorded(tmp_path / "new.safetensors", new, **given))
    assert comparison.passed and comparison.place is None
    wrong = [
        (one.path, other.path)
        for one, other in comparison.alignment.pairs
        if _kind(first.calls[one.index].path) != _kind(other.path) and first.parameters.get(f"{first.calls[one.index].path}.weight")
    ]  # fmt: skip
    assert wrong == []


def _kind(path: str) -> str:
    return path.rpartition(".")[2]


def _with_foreign_names(recording: Any) -> Any:
    import dataclasses

    numbers = {path: f"part_{number}" if path else "" for number, path in enumerate(recording.modules)}
    parameters = {
        f"{numbers[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": record
        for name, record in recording.parameters.items()
    }
    return dataclasses.replace(
        recording,
        modules={numbers[path]: module for path, module in recording.modules.items()},
        parameters=parameters,
        calls=tuple(dataclasses.replace(call, path=numbers[call.path]) for call in recording.calls),
    )


def test_rules_say_what_belongs_together(tmp_path: Path) -> None:
    original, new = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), nn.Module()
    new.later, new.sooner = copy.deepcopy(original[1]), copy.deepcopy(original[0])
    new.forward = lambda states: new.later(new.sooner(states))  # type: ignore[method-assign]
    weights = [("0.weight", "sooner.weight"), ("1.weight", "later.weight"), ("1.bias", "later.bias")]
    states = torch.randn(2, 3)
    first = recorded(tmp_path / "original.safetensors", original, states)
    comparison = compare(first, recorded(tmp_path / "new.safetensors", new, states), weights=weights)
    assert [(one.path, other.path) for one, other in comparison.alignment.pairs] == [
        ("", ""),
        ("0", "sooner"),
        ("1", "later"),
    ]


def test_an_original_of_another_framework_is_compared_by_its_values(tmp_path: Path) -> None:
    source = originals.published("gpt2", 8)
    new, given = originals.bundled("gpt2", source), originals.inputs("gpt2", 8)
    run = recorded(tmp_path / "run.safetensors", source, **given)
    with Recorder(tmp_path / "original.safetensors") as recorder:
        recorder.record("input_ids", given["input_ids"].numpy())
        for call in run.calls:
            if call.path.endswith((".ln_1", ".mlp", "ln_f")):
                recorder.record(f"scope/{call.path.replace('.', '/')}", run.values(call.outputs).numpy())
    faults.edited("gpt2", ("hidden_states = self.activation(hidden_states)", "pass"))(new, "transformer.h.1.mlp")
    comparison = compare(
        load_recording(tmp_path / "original.safetensors"), recorded(tmp_path / "new.safetensors", new, **given)
    )
    assert not comparison.passed
    assert comparison.place is not None and comparison.place.path == "transformer.h.1.mlp"


def test_a_difference_below_the_tolerance_is_still_placed(tmp_path: Path) -> None:
    source = originals.published("bert", 9)
    new = originals.bundled("bert", source)
    new.bert.encoder.layer[1].attention.output.LayerNorm.eps = 1e-5
    comparison = both(tmp_path, source, new, originals.inputs("bert", 9), tolerance=1.0)
    cause = diagnose(comparison)
    assert comparison.passed
    assert comparison.place is not None
    assert comparison.place.path == "bert.encoder.layer.1.attention.output.LayerNorm"
    assert cause is not None and cause.name == "epsilon"


def test_sampled_recordings_are_compared_by_the_rows_that_both_have(tmp_path: Path) -> None:
    states = torch.randn(1, 512, 16)
    model = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16))
    wrong = copy.deepcopy(model)
    wrong[1] = nn.Sigmoid()
    recordings = []
    for name, network, limit in (("a", model, 40_000), ("b", model, 10_000_000), ("c", wrong, 20_000)):
        with record_forward(network, tmp_path / name, limit=limit):
            network(states)
        recordings.append(load_recording(tmp_path / name))
    assert recordings[0].calls[1].outputs.rows is not None
    assert recordings[1].calls[1].outputs.rows is None
    assert compare(recordings[0], recordings[1]).largest < 1e-6
    found = compare(recordings[1], recordings[2])
    assert found.place is not None and found.place.path == "1"


def test_two_runs_with_different_inputs_are_refused(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3))
    first = recorded(tmp_path / "first", model, torch.randn(2, 3))
    with pytest.raises(AddModelError, match="different inputs: input differs"):
        compare(first, recorded(tmp_path / "second", model, torch.randn(2, 3) + 5))
    with pytest.raises(AddModelError, match=r"different inputs: input has the shapes \[2, 3\] and \[4, 3\]"):
        compare(first, recorded(tmp_path / "third", model, torch.randn(4, 3)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_with_its_place(value: float, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken[1].bias[0] = value
    first = recorded(tmp_path / "first", model, torch.ones(2, 3))
    with pytest.raises(AddModelError, match=f"second: {'NaN' if value != value else 'infinity'} in output of 1"):
        compare(first, recorded(tmp_path / "second", broken, torch.ones(2, 3)))


def test_recordings_with_nothing_in_common_are_refused(tmp_path: Path) -> None:
    with Recorder(tmp_path / "original") as recorder:
        recorder.record("scores", numpy.zeros((7, 5), dtype=numpy.float32))
    first = load_recording(tmp_path / "original")
    second = recorded(tmp_path / "new", nn.Sequential(nn.Linear(3, 3)), torch.ones(2, 3))
    with pytest.raises(AddModelError, match="--rules"):
        compare(first, second)


class _Heads(nn.Module):
    """A body, what two heads make of it, and what is handed out by the way."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.scores, self.pooler = nn.Linear(4, 4), nn.Linear(4, 5), nn.Linear(4, 2)

    def forward(self, states: torch.Tensor) -> dict[str, Any]:
        body = self.body(states)
        scores = self.scores(body)
        return {"loss": None, "logits": scores, "body": body, "pooled": self.pooler(body), "double": scores * 2, "cache": (body + 1,)}  # fmt: skip


@pytest.mark.parametrize(
    ("names", "unreached"),
    [
        (["body"], ("logits", "pooled")),
        (["body", "scores"], ("pooled",)),
        (["pooler"], ("logits",)),
        (["scores", "pooler"], ()),
    ],
)
def test_what_a_comparison_has_to_reach_is_the_output_and_what_every_head_returns(
    names: list[str], unreached: tuple[str, ...], tmp_path: Path
) -> None:
    torch.manual_seed(3)
    run = recorded(tmp_path / "new.safetensors", _Heads(), torch.randn(3, 4))
    with Recorder(tmp_path / "original.safetensors") as recorder:
        for call in run.calls:
            if call.path in names:
                recorder.record(f"scope/{call.path}", run.values(call.outputs).numpy())
    comparison = compare(load_recording(tmp_path / "original.safetensors"), run)
    assert comparison.passed and comparison.unreached == unreached


@pytest.mark.parametrize("model", ["bert", "gpt2", "bart"])
def test_a_whole_recording_reaches_the_output(model: str, tmp_path: Path) -> None:
    source = originals.published(model, 7)
    comparison = both(tmp_path, source, originals.bundled(model, source), originals.inputs(model, 7))
    assert comparison.unreached == ()
    bases = source.base_model, originals.bundled(model, source).base_model
    assert both(tmp_path, *bases, originals.inputs(model, 7)).unreached == ()


class _Own:
    """What a code base returns that has a class of its own for it."""

    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = logits


class _Returning(nn.Module):
    """A model that makes something of its last states."""

    def __init__(self, make: Any, factor: float) -> None:
        super().__init__()
        self.body, self.make, self.factor = nn.Linear(4, 4), make, factor

    def forward(self, states: torch.Tensor) -> Any:
        return self.make(self.body(states) * self.factor)


def _returned(tmp_path: Path, make: Any, factor: float) -> Any:
    torch.manual_seed(3)
    model = _Returning(make, 1.0)
    other = copy.deepcopy(model)
    other.factor = factor
    return both(tmp_path, model, other, {"states": torch.ones(3, 4)})


@pytest.mark.parametrize("make", [_Own, lambda states: [None, _Own(states)], lambda states: {"own": _Own(states)}])
def test_an_output_of_which_nothing_is_recorded_is_not_reached(make: Any, tmp_path: Path) -> None:
    comparison = _returned(tmp_path, make, 2.0)
    assert comparison.unreached == ("",) and comparison.unrecorded == "_Own"
    said = missing_output(comparison)
    assert said is not None and "_Own" in said
    assert "As far as they were compared" in page(comparison, None)


def test_what_is_returned_beside_a_tensor_need_not_be_recorded(tmp_path: Path) -> None:
    comparison = _returned(tmp_path, lambda states: (None, states, _Own(states)), 1.0)
    assert comparison.passed and comparison.unreached == () and comparison.unrecorded is None


def test_complex_numbers_are_compared(tmp_path: Path) -> None:
    for make in (lambda states: states * (1 + 1j), lambda states: (states * (1 + 1j)).conj()):
        assert _returned(tmp_path, make, 1.0).passed
        assert not _returned(tmp_path, make, 2.0).passed
    assert not both(tmp_path, _Returning(lambda states: states * 1j, 1.0), _Returning(lambda states: states * -1j, 1.0), {"states": torch.ones(3, 4)}).passed  # fmt: skip


def test_the_document_is_json_though_nothing_was_expected(tmp_path: Path) -> None:
    """Of zeros, any difference is infinitely many times as large."""
    zeros = both(tmp_path, _Returning(torch.zeros_like, 1.0), _Returning(torch.ones_like, 1.0), {"states": torch.ones(3, 4)})  # fmt: skip
    json.dumps(document(zeros, None), allow_nan=False)
    assert [row["relative"] for row in document(zeros, None)["rows"] if row["place"] == "model output"] == [None]


class _Attention(nn.Module):
    """As many heads as positions; one head is another one where its number is that of a position of padding."""

    def __init__(self, head: float) -> None:
        super().__init__()
        self.weights, self.head = nn.Identity(), head

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        weights = states[:, None, :, None] * torch.ones(1, 3, 1, 3)
        weights[:, 2] *= self.head
        return self.weights(weights).sum()


def test_a_head_is_not_padding_though_there_are_as_many_as_positions(tmp_path: Path) -> None:
    given = {"states": torch.ones(1, 3), "attention_mask": torch.tensor([[1, 1, 0]])}
    comparison = both(tmp_path, _Attention(1.0), _Attention(2.0), given)
    assert comparison.place is not None and comparison.place.before.path == "weights"


def test_without_values_nothing_is_equal(tmp_path: Path) -> None:
    with pytest.raises(AddModelError, match="hold values"):
        both(tmp_path, nn.Linear(4, 4), nn.Linear(4, 4), {"input": torch.ones(0, 4)})


def test_a_difference_that_rounding_could_have_made_is_not_left_without_a_word(tmp_path: Path) -> None:
    given = {"states": torch.ones(3, 4, dtype=torch.bfloat16)}
    torch.manual_seed(3)
    model = _Returning(lambda states: states, 1.0).to(torch.bfloat16)
    other = copy.deepcopy(model)
    other.factor = 1.05
    comparison = both(tmp_path, model, other, given)
    assert not comparison.passed and comparison.place is None
    assert "BF16" in str(within_rounding(comparison)) and "BF16" in page(comparison, None)
