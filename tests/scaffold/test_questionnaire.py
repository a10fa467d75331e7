from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.references import find_reference
from add_model.scaffold.answers import Answers
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.questionnaire import Request, check_name, chosen_heads, complete
from add_model.scaffold.standalone.target import Standalone
from tests.scaffold.libraries import make_library

BERT, GPT2 = find_reference("zoo:bert", None), find_reference("zoo:gpt2", None)
BERT_HEADS = tuple(BERT.heads)
REQUEST = Request(STANDALONE.new(Path("my_models"), "my_models"), "bert", "brand_new_bert")
STORED = Answers("zoo:bert", "stored", "my_models", ("masked-lm",), "none", "Rotary")


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    library = make_library(tmp_path, {"brand_new_bert": "BrandNewBert", "gpt2": "GPT2"})
    return Request(Standalone(library), "bert", "newer_bert")


def test_defaults_are_filled_in() -> None:
    assert complete(REQUEST) == Answers("zoo:bert", "brand_new_bert", "my_models", BERT_HEADS, "same", "")


def test_what_was_asked_for_is_taken() -> None:
    request = replace(REQUEST, heads=("masked-lm",), tokenizer_like="gpt2", novelty="Rotary positions")
    assert complete(request) == Answers("zoo:bert", "brand_new_bert", "my_models", ("masked-lm",), "zoo:gpt2", "Rotary positions")  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "said"), [({"reference": None}, "add-model like bert"), ({"name": None}, "pass --name")]
)
def test_a_missing_answer_names_what_to_pass(missing: dict[str, None], said: str) -> None:
    with pytest.raises(AddModelError, match=said):
        complete(replace(REQUEST, **missing))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reference": "brt"}, "unknown reference 'brt'; nearest: .*zoo:bert"),
        ({"reference": "zoo:brt"}, "unknown reference 'zoo:brt'; nearest: .*zoo:bert"),
        ({"reference": "no_such_package:bert"}, "no package 'no_such_package'"),
        ({"reference": "library:bert"}, "no package 'library'"),
        ({"name": "Bert"}, "try bert"),
        ({"name": "../evil"}, "not a snake_case name"),
        ({"name": "class"}, "keyword"),
        ({"name": "print"}, "builtin"),
        ({"heads": ("masked-ml",)}, r"did you mean masked-lm\?"),
        ({"tokenizer_like": "brt"}, "unknown reference 'brt'"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_remedy(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(AddModelError, match=said) as error:
        complete(replace(REQUEST, **wrong))
    assert "\n" not in str(error.value)


# Names in a library that has models


def test_a_name_that_is_free_is_taken(request_: Request) -> None:
    assert check_name("newer_bert", request_).camel == "NewerBert"


def test_an_existing_model_is_replaced_only_when_asked_to(request_: Request) -> None:
    with pytest.raises(AddModelError, match="'brand_new_bert' exists .* choose another --name, or replace it with --force"):  # fmt: skip
        check_name("brand_new_bert", request_)
    assert check_name("brand_new_bert", replace(request_, replace=True)).snake == "brand_new_bert"


@pytest.mark.parametrize("name", ["brandnewbert", "brand_newbert", "gpt_2"])
@pytest.mark.parametrize("force", [False, True])
def test_a_name_that_differs_by_casing_alone_is_refused(request_: Request, name: str, force: bool) -> None:
    with pytest.raises(AddModelError, match="differs from the existing model .* only in its casing"):
        check_name(name, replace(request_, replace=force))


def test_a_model_that_is_not_in_the_registry_exists_all_the_same(request_: Request) -> None:
    folder = request_.root / "src/my_models/models/by_hand"
    folder.mkdir()
    (folder / "modeling_by_hand.py").touch()
    with pytest.raises(AddModelError, match="'by_hand' exists"):
        check_name("by_hand", request_)


def test_a_model_of_the_library_is_found_before_one_of_the_zoo(request_: Request) -> None:
    assert complete(replace(request_, reference="gpt2")).reference == "library:gpt2"
    assert complete(replace(request_, reference="bert")).reference == "zoo:bert"
    assert complete(replace(request_, reference="my_models:gpt2")).reference == "my_models:gpt2"


@pytest.mark.parametrize("reference", ["brand_new_bert", "library:brand_new_bert", "my_models:brand_new_bert"])
def test_a_model_is_not_made_from_itself(request_: Request, reference: str) -> None:
    request = replace(request_, reference=reference, name="brand_new_bert", replace=True)
    with pytest.raises(AddModelError, match="cannot be made from itself; choose another --name, or another reference"):
        complete(request)


def test_a_model_of_the_same_name_in_the_zoo_is_another(request_: Request) -> None:
    request = replace(request_, reference="zoo:gpt2", name="gpt2", replace=True)
    assert complete(request).reference == "zoo:gpt2"


# Heads


@pytest.mark.parametrize(
    "spelling", ["masked-lm", "masked_lm", "MASKED-LM", "BertForMaskedLM", "ForMaskedLM", "MaskedLM", "maskedlm"]
)
def test_a_head_is_named_by_its_task_or_its_class(spelling: str) -> None:
    assert chosen_heads([spelling], BERT) == ("masked-lm",)


def test_a_head_with_an_unusual_class_name() -> None:
    assert chosen_heads(["GPT2LMHeadModel"], GPT2) == chosen_heads(["LMHeadModel"], GPT2) == ("causal-lm",)


@pytest.mark.parametrize(("wanted", "heads"), [(["all"], BERT_HEADS), (["ALL"], BERT_HEADS), (["none"], ()), ([], ())])
def test_all_and_none(wanted: list[str], heads: tuple[str, ...]) -> None:
    assert chosen_heads(wanted, BERT) == heads


@given(wanted=st.lists(st.sampled_from(BERT_HEADS), min_size=1))
def test_heads_come_once_and_in_the_order_of_the_reference(wanted: list[str]) -> None:
    chosen = chosen_heads(wanted, BERT)
    assert set(chosen) == set(wanted) and list(chosen) == sorted(chosen, key=BERT_HEADS.index)


@pytest.mark.parametrize("wanted", [["juggling"], ["masked-lm", "juggling"], ["all", "masked-lm"], [""]])
def test_an_unknown_head_is_answered_with_the_list(wanted: list[str]) -> None:
    with pytest.raises(AddModelError, match="--heads: bert has no head .* choose from: masked-lm, .*all, none"):
        chosen_heads(wanted, BERT)


# Tokenizers


@pytest.mark.parametrize(
    ("wanted", "tokenizer"),
    [("same", "same"), ("none", "none"), ("gpt2", "zoo:gpt2"), ("zoo:gpt2", "zoo:gpt2"), ("bert", "same")],
)
def test_a_tokenizer_is_the_references_anothers_or_none(wanted: str, tokenizer: str) -> None:
    assert REQUEST.target.check_tokenizer(wanted, BERT) == tokenizer


def test_a_reference_without_a_tokenizer(request_: Request) -> None:
    without = request_.target.find_candidate("brand_new_bert")
    assert request_.target.check_tokenizer("same", without) == "none"
    assert request_.target.check_tokenizer("bert", without) == "zoo:bert"
    with pytest.raises(AddModelError, match="--tokenizer-like: brand_new_bert has no tokenizer; choose another"):
        request_.target.check_tokenizer("brand_new_bert", BERT)


# Replaying stored answers


def test_stored_answers_fill_in_what_was_not_asked_for() -> None:
    request = Request(STANDALONE.new(Path("my_models"), "my_models")).with_defaults(STORED)
    assert complete(request) == STORED


def test_what_is_asked_for_wins_over_stored_answers() -> None:
    request = replace(REQUEST, heads=(), tokenizer_like="same", novelty="").with_defaults(STORED)
    assert complete(replace(request, reference="zoo:bert")) == Answers("zoo:bert", "brand_new_bert", "my_models", ())


def test_another_reference_starts_afresh() -> None:
    request = replace(REQUEST, reference="zoo:gpt2").with_defaults(STORED)
    assert complete(request).heads == tuple(GPT2.heads)
    assert complete(request).tokenizer_like == "same" and complete(request).novelty == "Rotary"
