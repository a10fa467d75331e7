import subprocess
import sys
from collections import Counter

import pytest

from add_model.family import family, family_member
from add_model.references import registry_of, zoo
from add_model.scaffold.elsewhere import installed_types

# Gone from current releases of Transformers.
RETIRED = {"trajectory_transformer"}


def test_the_whole_family_is_there() -> None:
    groups = Counter((member.modality, member.kind) for member in family())
    assert groups == {
        ("vision", "convolutional"): 1,
        ("vision", "encoder"): 5,
        ("vision", "decoder"): 1,
        ("vision", "encoder-decoder"): 1,
        ("text", "encoder"): 6,
        ("text", "decoder"): 5,
        ("text", "encoder-decoder"): 3,
        ("audio", "encoder"): 2,
        ("audio", "encoder-decoder"): 2,
        ("multimodal", "encoder"): 4,
        ("multimodal", "encoder-decoder"): 2,
        ("reinforcement learning", "decoder"): 2,
    }


def test_every_model_is_listed_once() -> None:
    assert len({member.model_type for member in family()}) == len({member.title for member in family()}) == 34


@pytest.mark.parametrize("member", family(), ids=lambda member: member.model_type)
def test_a_description_is_one_short_line_of_its_own(member) -> None:
    assert 20 <= len(member.description) <= 80
    assert "\n" not in member.description and not member.description.endswith(".")
    assert [other for other in family() if other.description == member.description] == [member]


@pytest.mark.parametrize("member", family(), ids=lambda member: member.model_type)
def test_a_type_is_what_transformers_calls_the_folder(member) -> None:
    assert (member.model_type in installed_types()) == (member.model_type not in RETIRED)


def test_every_bundled_model_is_a_member() -> None:
    assert all(family_member(model_type) is not None for model_type in registry_of(zoo()).model_types)


def test_a_member_is_found_by_its_type() -> None:
    member = family_member("gpt2")
    assert member is not None and (member.title, member.modality, member.kind) == ("GPT-2", "text", "decoder")
    assert family_member("brand_new_bert") is None


def test_it_is_light_to_import() -> None:
    code = "import sys, add_model.family; print(sorted({'rich', 'libcst', 'torch', 'typer'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
