"""Recordings: what a forward pass leaves in the file, how it is bounded, and what is refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.recording import Recorder, record_forward
from add_model.porting.recording.file import Recording, load_recording, tensors_of
from add_model.porting.recording.tables import refusing_numbers_beyond
from add_model.porting.recording.writer import UNRECORDED, row_count, sampled_rows


class Block(nn.Module):
    """A layer that changes a tensor in place and draws random numbers when it is asked to."""

    def __init__(self, size: int = 4) -> None:
        super().__init__()
        self.size = size
        self.first = nn.Linear(size, size)
        self.second = nn.Linear(size, size)
        self.second.weight = self.first.weight
        self.activation = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5)

    def forward(self, states: torch.Tensor, *, mask: torch.Tensor | None = None) -> dict[str, Any]:
        hidden = self.activation(self.first(states))
        return {"states": self.dropout(self.second(hidden)), "extra": (1, None, object())}


def recorded(tmp_path: Path, model: nn.Module, *inputs: torch.Tensor, **options: Any) -> Recording:
    with record_forward(model, tmp_path / "run.safetensors", **options):
        model(*inputs)
    return load_recording(tmp_path / "run.safetensors")


def test_every_call_is_kept_with_what_goes_in_and_out(tmp_path: Path) -> None:
    model, states = Block().eval(), torch.randn(2, 3, 4)
    recording = recorded(tmp_path, model, states)
    assert [call.path for call in recording.calls] == ["", "first", "activation", "second", "dropout"]
    assert [call.class_name for call in recording.calls] == ["Block", "Linear", "ReLU", "Linear", "Dropout"]
    assert [call.parent for call in recording.calls] == [None, 0, 0, 0, 0]
    root, first, activation, second, _ = recording.calls
    torch.testing.assert_close(recording.values(root.inputs["states"]), states)
    assert root.outputs["extra"] == (1, None, {"?": "object"})
    # The activation works in place: what came in must still be what the projection gave out.
    before = model.first(states)
    torch.testing.assert_close(recording.values(first.outputs), before)
    torch.testing.assert_close(recording.values(activation.inputs["input"]), before)
    torch.testing.assert_close(recording.values(activation.outputs), before.relu())
    torch.testing.assert_close(recording.values(second.inputs["input"]), before.relu())
    assert recording.modules["dropout"].attributes == {"p": 0.5, "inplace": False}
    assert not any(call.training or call.drew_random for call in recording.calls)


def test_a_tensor_that_is_handed_on_is_stored_once(tmp_path: Path) -> None:
    recording = recorded(tmp_path, Block().eval(), torch.randn(2, 3, 4))
    root, _, _, second, dropout = recording.calls
    assert second.outputs.key == dropout.inputs["input"].key == dropout.outputs.key == root.outputs["states"].key


def test_random_numbers_that_are_drawn_are_noticed(tmp_path: Path) -> None:
    recording = recorded(tmp_path, Block().train(), torch.randn(2, 3, 4))
    assert [call.path for call in recording.calls if call.drew_random] == ["", "dropout"]
    assert recording.model["training"]


def test_parameters_are_kept_the_smallest_first_and_tied_ones_once(tmp_path: Path) -> None:
    model = Block()
    recording = recorded(tmp_path, model, torch.randn(2, 4), parameter_limit=40)
    assert recording.parameters["second.weight"].same_as == "first.weight"
    assert recording.parameters["first.weight"].shape == (4, 4)
    assert recording.parameter("first.weight") is None
    bias = recording.parameter("second.bias")
    assert bias is not None
    torch.testing.assert_close(bias, model.second.bias.detach())


def test_the_file_is_safetensors_that_anybody_can_read(tmp_path: Path) -> None:
    recording = recorded(tmp_path, Block(), torch.randn(2, 4))
    tensors = load_file(recording.path)
    keys = {record.key for call in recording.calls for _, record in tensors_of((dict(call.inputs), call.outputs))}
    assert keys <= tensors.keys()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_data_type_survives(tmp_path: Path, dtype: torch.dtype) -> None:
    states = torch.randn(3, 4).to(dtype)
    recording = recorded(tmp_path, Block().to(dtype), states)
    stored = recording.values(recording.root.inputs["states"])
    assert stored.dtype == dtype
    assert torch.equal(stored, states)


def test_what_is_larger_than_the_limit_is_sampled_in_the_same_rows(tmp_path: Path) -> None:
    states = torch.arange(4096 * 4, dtype=torch.float32).reshape(64, 64, 4)
    rows = {}
    for limit in (20_000, 200_000):
        recording = recorded(tmp_path, nn.Identity(), states, limit=limit)
        record = recording.root.inputs["input"]
        rows[limit] = recording.values(record)
        assert record.shape == (64, 64, 4)
        assert rows[limit].shape == (record.rows, 4)
        assert rows[limit].nbytes <= limit
        torch.testing.assert_close(rows[limit], states.reshape(-1, 4)[list(sampled_rows(4096, record.rows))])
    few = len(rows[20_000])
    assert few < len(rows[200_000])
    assert torch.equal(rows[20_000], rows[200_000][:few])


@given(st.integers(1, 3000), st.data())
def test_a_sample_is_the_beginning_of_every_larger_one(count: int, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, count))
    rows = sampled_rows(count, wanted)
    assert len(set(rows)) == wanted and all(0 <= row < count for row in rows)
    assert rows == sampled_rows(count, count)[:wanted]


def test_a_header_longer_than_expected_finds_room(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.safetensors") as recorder:
        for number in range(3000):
            recorder.record(f"value.{number}", numpy.full((2,), number))
    recording = load_recording(tmp_path / "run.safetensors")
    assert [int(recording.values(call.outputs)[0]) for call in recording.calls] == list(range(3000))


def test_other_frameworks_arrays_are_kept_by_name(tmp_path: Path) -> None:
    scores = numpy.random.default_rng(0).normal(size=(2, 3, 4)).astype(">f4")
    with Recorder(tmp_path / "run.safetensors") as recorder:
        recorder.record("scores", {"raw": scores, "sums": [scores.sum(0)]})
    recording = load_recording(tmp_path / "run.safetensors")
    (call,) = recording.calls
    assert call.path == "scores"
    assert recording.values(call.outputs["raw"]).tolist() == scores.tolist()
    assert recording.values(call.outputs["sums"][0]).tolist() == scores.sum(0).tolist()


def test_an_error_in_the_model_leaves_no_file_and_no_hooks(tmp_path: Path) -> None:
    model = Block()
    with pytest.raises(RuntimeError), record_forward(model, tmp_path / "run.safetensors"):
        model(torch.randn(2, 5))
    assert list(tmp_path.iterdir()) == []
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_recording_without_a_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddModelError, match="not called"), record_forward(Block(), tmp_path / "run.safetensors"):
        pass
    with Recorder(tmp_path / "empty.safetensors"):
        pass
    with pytest.raises(AddModelError, match="holds no call"):
        load_recording(tmp_path / "empty.safetensors")


def test_a_file_that_is_no_whole_recording_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path, Block(), torch.randn(2, 4)).path
    content = path.read_bytes()
    for name, kept in {"cut": content[:-9], "header": content[:100], "empty": b"", "text": b"hello, world"}.items():
        (tmp_path / name).write_bytes(kept)
        with pytest.raises(AddModelError, match="record it again"):
            load_recording(tmp_path / name)
    save_file({"weight": torch.zeros(2)}, tmp_path / "other")
    with pytest.raises(AddModelError, match="no recording"):
        load_recording(tmp_path / "other")
    with pytest.raises(AddModelError, match="no such recording"):
        load_recording(tmp_path / "absent")
    with pytest.raises(AddModelError, match="cannot be written"):
        Recorder(tmp_path / "absent" / "run.safetensors")


def test_recording_needs_no_other_part_of_the_tool(tmp_path: Path) -> None:
    code = """
import sys
allowed = {"torch", "safetensors"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"typer", "rich", "libcst", "jinja2", "tomlkit", "prompt_toolkit", "filelock", "click"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import torch
from add_model.porting.recording import record_forward
model = torch.nn.Linear(2, 2)
with record_forward(model, sys.argv[1]):
    model(torch.zeros(1, 2))
print(sorted(name for name in sys.modules if name.startswith("add_model")))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "run.safetensors")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert result.returncode == 0, result.stderr
    assert "add_model.cli" not in json.loads(result.stdout.replace("'", '"'))
    assert row_count(()) == 1


@pytest.mark.slow
def test_more_activations_than_memory_are_streamed(tmp_path: Path) -> None:
    code = """
import resource, sys, torch
from add_model.porting.recording import record_forward
class Grow(torch.nn.Module):
    def forward(self, states):
        return states + 1
model = torch.nn.Sequential(*(Grow() for _ in range(60)))
states = torch.zeros(1024, 2560)
with torch.no_grad():
    model(states)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with record_forward(model, sys.argv[1]):
        model(states)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    path = tmp_path / "run.safetensors"
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert path.stat().st_size > 600_000_000
    # In kilobytes: less than a tenth of what was written.
    assert int(result.stdout) < 60_000


def test_complex_numbers_are_kept_as_pairs(tmp_path: Path) -> None:
    states = torch.complex(torch.randn(2, 3), torch.randn(2, 3))
    with Recorder(tmp_path / "run.safetensors") as recorder:
        recorder.record("torch", states.conj())
        recorder.record("numpy", states.conj().resolve_conj().numpy())
    recording = load_recording(tmp_path / "run.safetensors")
    for call in recording.calls:
        assert torch.equal(recording.values(call.outputs), torch.view_as_real(states.conj().resolve_conj()))


class Packed(nn.Module):
    """A model that returns a tensor that has no value for each of its elements, and another."""

    def __init__(self, pack: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.body, self.pack = nn.Linear(4, 4), pack

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        states = self.body(states)
        return self.pack(states), states


@pytest.mark.parametrize("pack", [torch.Tensor.to_sparse, lambda states: states.to("meta"), lambda states: torch.nested.nested_tensor([*states])])  # fmt: skip
def test_a_tensor_whose_values_are_not_in_memory_is_named_only(pack: Callable[[torch.Tensor], torch.Tensor], tmp_path: Path) -> None:  # fmt: skip
    recording = recorded(tmp_path, Packed(pack), torch.ones(2, 4))
    packed, states = recording.root.outputs
    assert "Tensor of torch.float32" in packed[UNRECORDED]
    assert recording.values(states).shape == (2, 4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_torchscript_compiled_is_recorded_from_outside(tmp_path: Path) -> None:
    layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    states = torch.ones(2, 4)
    for model in (torch.jit.trace(layers, states), nn.Sequential(torch.jit.script(layers))):
        recording = recorded(tmp_path, model, states)
        assert torch.equal(recording.values(recording.root.outputs), model(states))
    with pytest.raises(AddModelError, match="in the forward of a module of your own"):
        recorded(tmp_path, torch.jit.script(layers), states)


class _Followed(nn.Module):
    """Two branches, of which one is written into the other's result in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        first, second = self.first(states), self.second(states)
        joined = torch.zeros_like(first)
        joined[:, :2] = second[:, :2] * 2
        returned: torch.Tensor = self.last(joined) + first
        return returned


def test_what_each_value_was_computed_from_is_recorded(tmp_path: Path) -> None:
    model, path = _Followed().eval(), tmp_path / "run.safetensors"
    with torch.no_grad(), record_forward(model, path):
        model(torch.ones(2, 3))
    run = load_recording(path)
    root, first, second, last = run.calls
    given = root.inputs["states"].key
    assert run.flow[first.outputs.key] == run.flow[second.outputs.key] == (given,)
    assert second.outputs.key in run.flow[last.inputs["input"].key]
    assert set(run.flow[root.outputs.key]) == {first.outputs.key, last.outputs.key}


class Positions(nn.Embedding):
    """A table of positions that is given the ids, as Whisper's is."""

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.arange(input_ids.shape[-1]))


@pytest.mark.parametrize("table", [nn.Embedding, Positions])
def test_a_row_that_a_table_has_not_is_refused_where_the_table_is_asked_for_it(table: type[nn.Embedding]) -> None:
    model, ids = nn.Sequential(table(5, 2)), torch.tensor([[7, 1]])
    if table is Positions:
        with refusing_numbers_beyond(model):
            model(ids)
        return
    with refusing_numbers_beyond(model), pytest.raises(AddModelError, match=r"0 \(Embedding\) has the rows 0 to 4, and was asked for 7"):  # fmt: skip
        model(ids)
