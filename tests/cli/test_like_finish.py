"""A half-written earlier attempt is finished with --finish, replaced with --force, and never touched without either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..scaffold.checkout.trees import make_checkout
from .commands import add_model_here, contents, done, refused

MODEL = "src/transformers/models/jay"


@pytest.fixture(params=[4, 5], ids=["4.x", "5.x"])
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A checkout with some of what `like` would write: a module somebody went on with, and a few of the entries."""
    whole = make_checkout(tmp_path / "whole", request.param)
    done(whole, "wren", "--name", "jay", "--yes")
    root = make_checkout(tmp_path / "begun", request.param)
    (root / MODEL).mkdir()
    (root / MODEL / "modeling_jay.py").write_bytes((whole / MODEL / "modeling_jay.py").read_bytes() + b"# mine\n")
    name = "src/transformers/models/auto/modeling_auto.py"
    (root / name).write_text((root / name).read_text().replace('("wren", "WrenModel"),', '("jay", "JayModel"),\n        ("wren", "WrenModel"),'))  # fmt: skip
    return root


def whole(begun: Path) -> Path:
    return begun.parent / "whole"


def test_it_is_refused_with_the_ways_out(begun: Path) -> None:
    naming = ("model 'jay' exists", "another --name", "--force", "--finish")
    refused(begun, "wren", "--name", "jay", "--yes", naming=naming)


def test_it_is_finished_and_what_is_there_is_kept(begun: Path) -> None:
    document = json.loads(done(begun, "wren", "--name", "jay", "--finish", "--json"))
    assert document["kept"] == [f"{MODEL}/modeling_jay.py"]
    finished, complete = contents(begun), contents(whole(begun))
    assert finished.keys() == complete.keys()
    different = {path for path in finished if finished[path] != complete[path] and not path.startswith(".add-model")}
    assert different == {f"{MODEL}/modeling_jay.py"}


def test_it_is_replaced(begun: Path) -> None:
    done(begun, "wren", "--name", "jay", "--force", "--yes")
    finished, complete = contents(begun), contents(whole(begun))
    assert {path for path in finished if finished[path] != complete[path]} <= {".add-model/models/jay/written.json"}


def test_removing_a_finished_one_leaves_what_was_there_before(begun: Path) -> None:
    before = contents(begun)
    done(begun, "wren", "--name", "jay", "--finish", "--yes")
    result = add_model_here(begun, "remove", "jay")
    assert (result.returncode, result.stderr) == (0, "")
    assert contents(begun) == before


def test_an_entry_that_says_something_else_is_named_with_its_line(begun: Path) -> None:
    path = begun / "src/transformers/models/auto/modeling_auto.py"
    path.write_text(path.read_text().replace('"JayModel"', '"JayBaseModel"'))
    naming = ("modeling_auto.py:11: MODEL_MAPPING_NAMES has an entry 'jay' already", "remove it")
    refused(begun, "wren", "--name", "jay", "--finish", "--yes", naming=naming)


def test_finishing_and_replacing_exclude_each_other(begun: Path) -> None:
    refused(begun, "wren", "--name", "jay", "--finish", "--force", naming=("--finish keeps", "pass one of them"))


def test_finishing_what_was_not_begun_is_making_it(tmp_path: Path) -> None:
    for name, arguments in (("made", ()), ("finished", ("--finish",))):
        done(make_checkout(tmp_path / name), "wren", "--name", "jay", "--yes", *arguments)
    assert contents(tmp_path / "made") == contents(tmp_path / "finished")


def test_in_a_library_it_is_finished_as_well(library: Path) -> None:
    complete = contents(library)
    (library / "src/my_models/models/brand_new_bert/modeling_brand_new_bert.py").unlink()
    (library / "src/my_models/models/brand_new_bert/tokenization_brand_new_bert.py").unlink()
    refused(library, "zoo:bert", "--name", "brand_new_bert", "--yes", naming=("exists", "--finish"))
    done(library, "zoo:bert", "--name", "brand_new_bert", "--finish", "--yes")
    assert contents(library) == complete
