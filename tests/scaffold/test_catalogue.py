from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.family import FamilyMember, family
from add_model.scaffold.answers import Answers
from add_model.scaffold.catalogue import catalogue, matching, rows
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.standalone.target import Standalone
from tests.scaffold.libraries import bundled, make_library

MEMBERS = [
    FamilyMember("vit", "ViT", "vision", "encoder", ""),
    FamilyMember("bert", "BERT", "text", "encoder", ""),
    FamilyMember("gpt2", "GPT-2", "text", "decoder", ""),
    FamilyMember("newer_bert", "NewerBert", "text", "encoder", ""),
    FamilyMember("odd", "Odd", "other", "", ""),
    FamilyMember("dt", "Decision Transformer", "reinforcement learning", "decoder", ""),
]
PLACES = {"library": ["newer_bert", "odd", "bert"], "zoo": ["bert", "gpt2"], "transformers": ["bert", "vit"]}
ROWS = rows(MEMBERS, PLACES)


def types(found):
    return [row.member.model_type for row in found]


def test_models_of_one_group_stand_together() -> None:
    assert types(ROWS) == ["vit", "bert", "newer_bert", "gpt2", "odd", "dt"]


def test_a_row_says_where_the_model_can_be_had() -> None:
    available = {row.member.model_type: row.available for row in ROWS}
    assert available["bert"] == ("library", "zoo", "transformers")
    assert available["vit"] == ("transformers",)
    assert available["dt"] == ()


def test_only_the_library_and_the_zoo_can_be_started_from() -> None:
    specifications = {row.member.model_type: row.specifications for row in ROWS}
    assert specifications["bert"] == ("library:bert", "zoo:bert")
    assert specifications["vit"] == ()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("text", ["bert", "newer_bert", "gpt2"]),
        ("Text", ["bert", "newer_bert", "gpt2"]),
        ("decoder", ["gpt2", "dt"]),
        ("reinforcement learning", ["dt"]),
        ("reinforcement", ["dt"]),
        ("bert", ["bert", "newer_bert"]),
        ("GPT-2", ["gpt2"]),
        ("decision", ["dt"]),
    ],
)
def test_a_filter_names_a_modality_a_kind_or_a_part_of_a_name(wanted: str, found: list[str]) -> None:
    assert types(matching(ROWS, wanted)) == found


@pytest.mark.parametrize(("wanted", "near"), [("txt", "text"), ("gtp2", "gpt2"), ("encodr", "encoder")])
def test_an_unknown_filter_is_answered_with_the_nearest(wanted: str, near: str) -> None:
    with pytest.raises(AddModelError, match=f"{wanted}.*nearest: .*{near}"):
        matching(ROWS, wanted)


@pytest.mark.parametrize("wanted", ["qqqqqq", "", "---"])
def test_a_filter_like_nothing_is_answered_with_the_modalities(wanted: str) -> None:
    with pytest.raises(AddModelError, match="modalities: vision, text, other, reinforcement learning"):
        matching(ROWS, wanted)


def test_without_a_library_the_catalogue_is_the_family() -> None:
    found = catalogue(STANDALONE.new(Path("my_models"), "my_models"))
    assert set(types(found)) == {member.model_type for member in family()}
    in_the_zoo = "albert bart beit bert bloom convnext deberta decision_transformer detr distilbert gpt2 gptj imagegpt longformer opt pegasus roberta segformer swin t5 vit vit_mae xlnet"
    assert (
        {row.member.model_type for row in found if "zoo" in row.available} == set(in_the_zoo.split()) == set(bundled())
    )


def test_the_librarys_own_models_are_listed_with_their_ancestors_kind(tmp_path) -> None:
    made_from = {
        "brand_new_bert": Answers("zoo:bert", "brand_new_bert", "my_models", (), novelty="Rotary positions"),
        "newer_bert": Answers("library:brand_new_bert", "newer_bert", "my_models", ()),
    }
    models = {"brand_new_bert": "BrandNewBert", "newer_bert": "NewerBert", "by_hand": "ByHand", "roberta": "Roberta"}
    found = {row.member.model_type: row for row in catalogue(Standalone(make_library(tmp_path, models, made_from)))}
    assert found["brand_new_bert"].group == "text / encoder"
    assert found["brand_new_bert"].available == ("library",)
    assert found["brand_new_bert"].member.description == "Made from BERT: Rotary positions"
    assert found["newer_bert"].group == "text / encoder"
    assert found["newer_bert"].member.description == "Made from BrandNewBert"
    assert (found["by_hand"].group, found["by_hand"].member.title) == ("other", "ByHand")
    assert "library" in found["roberta"].available and found["roberta"].member.title == "RoBERTa"


def test_answers_that_go_round_in_a_circle_are_survived(tmp_path) -> None:
    made_from = {
        "one": Answers("library:two", "one", "my_models", ()),
        "two": Answers("library:one", "two", "my_models", ()),
    }
    found = {row.member.model_type: row for row in catalogue(Standalone(make_library(tmp_path, {"one": "One", "two": "Two"}, made_from)))}  # fmt: skip
    assert found["one"].group == "other"


def test_a_long_novelty_is_cut_to_one_short_line(tmp_path) -> None:
    answers = Answers("zoo:bert", "one", "my_models", (), novelty="many words\n" * 40)
    [row] = matching(catalogue(Standalone(make_library(tmp_path, {"one": "One"}, {"one": answers}))), "one")
    assert len(row.member.description) <= 80 and "\n" not in row.member.description
