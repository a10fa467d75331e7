"""Evidence is checked, not remembered: it counts while the files it rests on are what they were."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.porting.evidence import Evidence, forget, load, make, stale_because, store


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "library" / "weights.bin"
    path.parent.mkdir()
    path.write_bytes(b"\x00" * 3_000_000)
    return path


def test_what_is_stored_comes_back(weights: Path) -> None:
    root = weights.parent
    evidence = make(
        root, "conversion", passed=True, figure="199 weights filled", files=[weights], details={"open": []}
    )
    store(root, "brand_new_bert", evidence)
    assert load(root, "brand_new_bert") == {"conversion": evidence}
    assert evidence.step == 6
    assert list(evidence.files) == ["weights.bin"]
    assert load(root, "another") == {}


def test_a_later_result_of_a_kind_takes_the_place_of_the_earlier(weights: Path) -> None:
    root = weights.parent
    for figure in ("first", "second"):
        store(root, "bert", make(root, "comparison", passed=True, figure=figure))
    assert [evidence.figure for evidence in load(root, "bert").values()] == ["second"]


def test_it_goes_stale_when_a_file_changes_or_goes(weights: Path) -> None:
    root = weights.parent
    evidence = make(root, "conversion", passed=True, figure="", files=[weights])
    assert stale_because(root, evidence) is None
    weights.write_bytes(b"\x00" * 2_999_999 + b"\x01")
    assert stale_because(root, evidence) == "weights.bin has changed"
    weights.unlink()
    assert stale_because(root, evidence) == "weights.bin has gone"


def test_a_clone_of_the_library_may_lie_elsewhere(weights: Path, tmp_path: Path) -> None:
    outside = tmp_path / "original.bin"
    outside.write_bytes(b"1")
    evidence = make(weights.parent, "conversion", passed=True, figure="", files=[weights, outside])
    assert list(evidence.files) == ["weights.bin", outside.as_posix()]
    clone = weights.parent.rename(tmp_path / "clone")
    assert stale_because(clone, evidence) is None


def test_a_result_can_be_taken_back(weights: Path) -> None:
    root = weights.parent
    store(root, "bert", make(root, "note-13", passed=True, figure="reviewed"))
    assert load(root, "bert")["note-13"].step == 13
    assert forget(root, "bert", "note-13")
    assert not forget(root, "bert", "note-13")
    assert load(root, "bert") == {}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "\x00", '{"kind": "tests"}', json.dumps({"kind": "docs", "step": 8, "made_at": "", "passed": 1, "figure": "", "files": {}, "details": {}})],
)  # fmt: skip
def test_a_file_that_is_no_evidence_is_named(tmp_path: Path, content: str) -> None:
    path = store(tmp_path, "bert", make(tmp_path, "tests", passed=True, figure=""))
    path.write_text(content)
    with pytest.raises(AddModelError, match=r"evidence/tests\.json: is no evidence .*; remove it"):
        load(tmp_path, "bert")


@pytest.mark.parametrize("model", ["", "../other", "a/b", ".", "a b"])
def test_a_name_cannot_lead_elsewhere(tmp_path: Path, model: str) -> None:
    with pytest.raises(AddModelError, match="no name of a model"):
        store(tmp_path, model, make(tmp_path, "tests", passed=True, figure=""))


def test_what_it_rests_on_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(AddModelError, match=r"gone\.bin: cannot be read"):
        make(tmp_path, "conversion", passed=True, figure="", files=[tmp_path / "gone.bin"])
    with pytest.raises(ValueError, match="no kind of evidence"):
        make(tmp_path, "guess", passed=True, figure="")


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(figure=texts, details=st.dictionaries(texts, texts), passed=st.booleans())
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, figure: str, details: dict[str, str], passed: bool) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("root")
    evidence = Evidence("tests", 8, "2030-01-01T00:00:00+00:00", passed, figure, {}, details)
    store(root, "bert", evidence)
    assert load(root, "bert") == {"tests": evidence}
