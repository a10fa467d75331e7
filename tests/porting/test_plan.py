"""Every weight of the new model is filled once or named as open, whatever the rules are; and written as it was read."""

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from add_model.errors import AddModelError
from add_model.porting.checkpoints import staged
from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.shards import ShardsWriter, make_shards
from add_model.porting.checkpoints.staged import staged_folder
from add_model.porting.conversion.plan import NewWeights, make_plan
from add_model.porting.rules.reading import parse_rules

SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
DTYPES = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.float64])  # fmt: skip
FOLDERS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NAMES = ["a.w", "b.w", "c.w", "d.w"]


def weights_of(names: list[str], shapes: list[tuple[int, ...]]) -> dict[str, Weight]:
    return {name: Weight(shape, torch.float32) for name, shape in zip(names, shapes, strict=True)}


@given(
    st.lists(st.sampled_from([(2, 3), (3, 2), (6,)]), min_size=4, max_size=4),
    st.lists(st.sampled_from([(2, 3), (3, 2), (6,)]), min_size=4, max_size=4),
    st.lists(
        st.tuples(
            st.sampled_from([*NAMES, "{any*}", "e.w"]),
            st.sampled_from([*NAMES, "e.w"]),
            st.sampled_from(["", "do = [{ transpose = [0, 1] }]\n", "do = [{ reshape = [6] }]\n"]),
            st.booleans(),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_a_plan_without_problems_fills_everything_once(
    old_shapes: list[tuple[int, ...]],
    new_shapes: list[tuple[int, ...]],
    chosen: list[tuple[str, str, str, bool]],
    tied: bool,
) -> None:
    text = ""
    for source, target, steps, is_drop in chosen:
        if is_drop:
            text += f'[[drop]]\nfrom = "{source}"\nreason = "unneeded"\n'
        elif "{" not in source:
            text += f'[[fill]]\nfrom = "{source}"\nto = "{target}"\n{steps}'
    old, weights = weights_of(NAMES, old_shapes), weights_of(NAMES, new_shapes)
    new = NewWeights(weights, tied={"e.w": "a.w"} if tied else {})
    plan = make_plan(parse_rules(text, Path("rules.toml")), old, new)
    targets = [target for filling in plan.fillings for target in filling.targets]
    used = [source for filling in (*plan.fillings, *plan.repeats) for source in filling.move.sources]
    assert len(targets) == len(set(targets)) and set(targets) <= weights.keys()
    assert all(weight.shape == weights[target].shape for filling in plan.fillings for target, weight in zip(filling.targets, filling.weights, strict=True))  # fmt: skip
    if not plan.problems:
        assert set(targets) == set(weights)
        assert sorted([*used, *plan.dropped]) == sorted(old)
    else:
        assert all("\n" not in problem for problem in plan.problems)


@given(st.lists(st.tuples(SHAPES, DTYPES), min_size=1, max_size=6), st.integers(1, 200), st.randoms())
@FOLDERS
def test_what_is_written_in_any_order_is_read_by_the_library(
    tmp_path: Path, kinds: list[tuple[tuple[int, ...], torch.dtype]], most: int, random: object
) -> None:
    tensors = {}
    for number, (shape, dtype) in enumerate(kinds):
        values = torch.arange(torch.Size(shape).numel(), dtype=torch.float32) % 2
        tensors[f"w{number}"] = values.reshape(shape).to(dtype)
        if len(shape) == 2:
            tensors[f"w{number}"] = tensors[f"w{number}"].T
    weights = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    shards = make_shards(weights, most)
    target = tmp_path / "new"
    with staged_folder(target) as folder:
        writer = ShardsWriter(folder, shards)
        names = list(tensors)
        random.shuffle(names)  # type: ignore[attr-defined]
        assert all(writer.write(name, tensors[name]) for name in names)
    read = {}
    for shard in shards:
        read.update(load_file(target / shard.file_name))
    assert read.keys() == tensors.keys()
    assert all(
        torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in tensors.items()
    )
    assert (target / "model.safetensors.index.json").is_file() == (len(shards) > 1)
    for path in target.iterdir():
        path.unlink()
    target.rmdir()


def write(target: Path, text: str) -> None:
    with staged_folder(target) as folder:
        folder.create("model.safetensors").write(text.encode())


@pytest.mark.parametrize("nameless", [True, False], ids=["nameless files", "a hidden folder"])
def test_a_folder_appears_as_a_whole_or_not_at_all(
    nameless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE")
    target = tmp_path / "made" / "new"
    with pytest.raises(KeyboardInterrupt), staged_folder(target) as folder:
        folder.create("model.safetensors").write(b"half")
        assert not target.exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    write(target, "whole")
    assert [(path.name, path.read_text()) for path in target.iterdir()] == [("model.safetensors", "whole")]
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_is_replaced_keeps_what_is_no_weight(tmp_path: Path) -> None:
    target = tmp_path / "new"
    (target / "more").mkdir(parents=True)
    (target / "more" / "notes.txt").write_text("mine")
    (target / "README.md").write_text("mine")
    (target / "model-00001-of-00002.safetensors").write_text("old")
    (target / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {}}))
    write(target, "whole")
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert found == {"README.md", "more/notes.txt", "model.safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    dead = tmp_path / f".new.add-model-{_no_process()}.x"
    alive = tmp_path / f".new.add-model-{os.getpid()}.x"
    other = tmp_path / ".new.mine"
    for path in (dead, alive, other):
        path.mkdir()
    staged.remove_leftovers(tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "refused"])
def test_a_folder_that_has_lost_its_place_gets_it_back(
    killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new"
    target.mkdir()
    (target / "README.md").write_text("mine")
    (target / "model.safetensors").write_text("old")
    rename = os.rename

    def ends(old: Path, new: Path) -> None:
        if new == target and old.name.startswith(".new.add-model-") and ".before." not in old.name:
            if killed:
                os._exit(9)
            raise PermissionError
        rename(old, new)

    child = os.fork()
    if child == 0:
        status = 1
        try:
            monkeypatch.setattr(os, "rename", ends)
            with pytest.raises(AddModelError, match="nothing was changed"):
                write(target, "whole")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (9 if killed else 0)
    assert target.exists() is not killed
    staged.remove_leftovers(target)
    assert {path.name: path.read_text() for path in target.iterdir()} == {
        "README.md": "mine",
        "model.safetensors": "old",
    }
    assert list(tmp_path.iterdir()) == [target]


def _no_process() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child
