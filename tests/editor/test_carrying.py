"""An edit of a copy, carried to its original: afterwards the copy is one again, and so are the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.editor.carrying import Carried, carried
from add_model.editor.documents import Documents
from add_model.editor.held import Held
from add_model.library import find_library
from add_model.source import Module

from .conftest import COPY, ORIGINAL, OTHER_COPY

NESTED = ORIGINAL.replace(
    "    def forward(self, states):\n        return BertNorm",
    "    # Copied from brand.models.bert.BertPooler.forward\n    def first(self, states):\n        return states[0]\n\n    def forward(self, states):\n        return BertNorm",
)
WITH_FIRST = "    def first(self, states):\n        return states[0]\n\n    def forward"


def held(root: Path, texts: Mapping[str, str]) -> Held:
    documents = Documents()
    for name, text in texts.items():
        documents.put(str(root / "brand" / "models" / name), text)
    found = Held(find_library(root), documents)
    found.check_all()
    return found


def applied(edits: Mapping[Module, Sequence[Edit]], texts: Mapping[str, str]) -> dict[str, str]:
    after = dict(texts)
    for module, some in edits.items():
        name = Path(module.place).name
        after[name] = apply_edits(texts[name].encode(), "utf-8", some).decode()
    return after


def carry(root: Path, texts: Mapping[str, str]) -> dict[str, str] | None:
    """The texts with an edit of RoBERTa carried on; `None` where it cannot be."""
    library = held(root, texts)
    path = str(root / "brand" / "models" / "roberta.py")
    found = library.marker_at(path, 1)
    pair = library.pair(path, *found) if found is not None else None
    assert pair is not None
    edits = carried(library, pair, Carried.ALL)
    return applied(edits, texts) if edits else None


LINES = (
    "        self.bert = size",
    "        return states",
    "    def more(self):",
    "        pass",
    "",
    "        # Bert",
    "x = 1",
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(3, 10), st.sampled_from(LINES), st.booleans()), min_size=1, max_size=3),
    st.booleans(),
)
def test_what_is_carried_leaves_no_finding(library: Path, edits: list[tuple[int, str, bool]], is_nested: bool) -> None:
    original, copy, other = ORIGINAL, COPY, OTHER_COPY
    if is_nested:
        original, copy, other = NESTED, *(each.replace("    def forward", WITH_FIRST) for each in (COPY, OTHER_COPY))
    lines = copy.split("\n")
    for at, line, replaces in edits:
        lines[at : at + replaces] = [line]
    texts = {"bert.py": original, "roberta.py": "\n".join(lines), "albert.py": other}
    after = carry(library, texts)
    if after is None:
        return
    assert after["roberta.py"] == texts["roberta.py"]
    again = held(library, after)
    for name in after:
        path = str(library / "brand" / "models" / name)
        assert [each.message for each in again.findings(path) if each.code.name == "CP001"] == []


def test_the_names_of_the_copy_become_the_originals(library: Path) -> None:
    texts = {"bert.py": ORIGINAL, "roberta.py": COPY.replace("self.size = size", "self.roberta = RobertaSize(size)"), "albert.py": OTHER_COPY}  # fmt: skip
    after = carry(library, texts)
    # `roberta` stands in no replacement.
    assert after is not None and "self.roberta = BertSize(size)" in after["bert.py"]
    assert "self.roberta = AlbertSize(size)" in after["albert.py"]


@pytest.mark.parametrize(
    "edit",
    [
        ("self.size = size", "self.size = BertSize(size)"),  # the marker would make another name of it
        ("    def forward", "    # Ignore copy\n    def forward"),
        ("self.size = size", "self.size = ("),
    ],
)
def test_what_cannot_be_said_of_the_original_is_not_carried(library: Path, edit: tuple[str, str]) -> None:
    texts = {"bert.py": ORIGINAL, "roberta.py": COPY.replace(*edit), "albert.py": OTHER_COPY}
    assert carry(library, texts) is None


def test_a_copy_that_differs_by_itself_is_left_alone(library: Path) -> None:
    own = OTHER_COPY.replace("A layer", "Another layer")
    texts = {"bert.py": ORIGINAL, "roberta.py": COPY.replace("* self.size", "+ self.size"), "albert.py": own}
    after = carry(library, texts)
    assert after is not None and after["albert.py"] == own and "+ self.size" in after["bert.py"]
