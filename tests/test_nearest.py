import pytest

from add_model.nearest import close, named_in_checkpoint, nearest, spelled_otherwise

TYPES = {name: name for name in ("bert", "distilbert", "gpt2", "vit", "vit_mae", "owlvit", "clip", "llama")}
SPELLINGS = {**TYPES, "GPT-2": "gpt2", "ViTMAE": "vit_mae", "OWL-ViT": "owlvit"}


@pytest.mark.parametrize(
    ("wanted", "first"),
    [("brand_nw_bert", "brand_new_bert"), ("brand", "brand_new_bert"), ("new_tiny_gpt", "tiny_gpt"), ("gtp", "tiny_gpt")],
)  # fmt: skip
def test_the_most_alike_comes_first_and_none_is_left_out(wanted: str, first: str) -> None:
    names = ["other", "tiny_gpt", "brand_new_bert"]
    assert nearest(wanted, names)[0] == first
    assert sorted(nearest(wanted, names)) == sorted(names)


def test_what_is_like_nothing_is_near_nothing() -> None:
    assert close("zzz", TYPES) == []
    assert close("", TYPES) == close("---", TYPES) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("BERT", "bert"), ("GPT-2", "gpt2"), ("gpt_2", "gpt2"), ("OWL ViT", "owlvit"), ("ViT-MAE", "vit_mae")],
)
def test_another_spelling_is_the_same_name(typed: str, meant: str) -> None:
    assert spelled_otherwise(typed, SPELLINGS) == meant


@pytest.mark.parametrize("typed", ["", "-", "../bert", "bert!", "bert-base-uncased", "google/bert"])
def test_what_says_more_than_a_name_is_no_spelling_of_it(typed: str) -> None:
    assert spelled_otherwise(typed, SPELLINGS) is None


def test_two_names_that_are_spelled_alike_are_not_chosen_between() -> None:
    assert spelled_otherwise("A-B", {"ab": "ab", "a_b": "a_b"}) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bert-base-uncased", "bert"),
        ("google/vit-base-patch16-224", "vit"),
        ("facebook/vit-mae-base", "vit_mae"),
        ("distilbert/distilbert-base-cased", "distilbert"),
        ("openai/clip-vit-base-patch32", "clip"),
        ("meta-llama/Meta-Llama-3-8B", "llama"),
        ("gpt2-medium", "gpt2"),
        ("bertine-base", None),
        ("", None),
    ],
)
def test_a_checkpoint_tells_its_model_by_whole_words(typed: str, meant: str | None) -> None:
    assert named_in_checkpoint(typed, SPELLINGS) == meant
