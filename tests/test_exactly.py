"""Whatever goes through LibCST keeps every byte that no edit is about."""

from __future__ import annotations

import random

import libcst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.exactly import exactly
from add_model.registry_edits import with_entries, without_model
from add_model.scaffold.checkout.package_file import without_modules
from add_model.scaffold.standalone.selection import without_names

from .copies.released import RELEASES, released

PIECES = st.sampled_from(
    [
        "x = 1\n",
        "\fx = 2\n",
        "\f\n",
        "  \n",
        "\t\n",
        "def kept():\n    return 1\n",
        "\fdef kept():\n    \f    return 2  \n",
        "# note\n\f# note\n",
        "if x:\n    x = 3\n\felse:\n    x = 4\n",
        "class Gone:\n    x = 5\n",
        "\fclass Gone:\n    \f    x = 6\n\n\n",
        "x = Gone\n",
        "x = '''\n\f\n'''\n",
        "x = (\\\n  7)\n",
        "x = 8",
        "\n",
    ]
)


@given(st.lists(PIECES, max_size=8))
@settings(max_examples=1000, deadline=None)
def test_an_edit_changes_what_it_is_about_alone(pieces: list[str]) -> None:
    text = "".join(piece if piece.endswith("\n") else f"{piece}\n" for piece in pieces)
    if pieces and not pieces[-1].endswith("\n"):
        text = text[:-1]
    try:
        given_back = libcst.parse_module(text).code
    except libcst.ParserSyntaxError:
        return
    assert exactly(text, given_back, given_back) == text
    left, _ = without_names(text, {"Gone"})
    # What stands directly above a class goes with it.
    removed = {"class Gone:", "\fclass Gone:", "    x = 5", "    \f    x = 6", "x = Gone", "# note", "\f# note"}
    lines = [line for line in text.split("\n") if line.strip(" \t\f") and line not in removed]
    assert [line for line in left.split("\n") if line.strip(" \t\f") and line not in removed] == lines
    assert "Gone" not in left


def test_a_line_that_stands_there_again_is_not_taken_for_another() -> None:
    text = "\fx = 2\nclass Gone:\n    x = 5\n\fx = 2\n\fx = 2\n"
    assert without_names(text, {"Gone"})[0] == "\fx = 2\n\fx = 2\n\fx = 2\n"


@pytest.mark.parametrize("release", RELEASES)
def test_the_released_trees_come_through_whole(release: str) -> None:
    generator = random.Random(3)
    (package,) = released(release).packages.values()
    for path in generator.sample(sorted(package.rglob("*.py")), 40):
        lines = path.read_text(encoding="utf-8").split("\n")
        starts = [number for number, line in enumerate(lines) if line.startswith(("class ", "def ", "@"))]
        for number in generator.sample(starts, min(3, len(starts))):
            lines[number] = f"\f{lines[number]}"
        text = "\n".join(lines) + "  \n"
        given_back = libcst.parse_module(text).code
        assert exactly(text, given_back, given_back) == text
        added = f"{given_back}added = 1\n"
        assert exactly(text, given_back, added).replace("added = 1\n", "") == text


def test_a_registry_and_a_package_file_keep_their_form_feeds() -> None:
    registry = 'import a\n\n\f\nMODEL_MAPPING_NAMES: dict[str, str] = {\n    "bert": "Bert",\n}\n\n\fx = 1\n  \n\t\n'
    with_entry = with_entries(registry, {"MODEL_MAPPING_NAMES": {"vit": "ViT"}})
    assert with_entry == registry.replace('    "bert": "Bert",\n', '    "bert": "Bert",\n    "vit": "ViT",\n')
    assert without_model(with_entry, "vit", {"MODEL_MAPPING_NAMES"}) == registry
    package = 'from typing import TYPE_CHECKING\n\n\fif TYPE_CHECKING:\n    from .one import *\n    from .two import *\n\felse:\n    pass\n'  # fmt: skip
    assert without_modules(package, {"two"}) == package.replace("    from .two import *\n", "")
