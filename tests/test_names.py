import builtins
import keyword
import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.names import ModelName, Renaming, to_snake, words

BERT = ModelName("bert", "Bert", "BERT")
GPT2 = ModelName("gpt2", "GPT2", "GPT-2")
T5 = ModelName("t5", "T5", "T5")
OPT = ModelName("opt", "OPT", "OPT")
LED = ModelName("led", "LED", "LED")
SAM = ModelName("sam", "Sam", "SAM")
VIT = ModelName("vit", "ViT", "ViT")
MAMBA = ModelName("mamba", "Mamba", "Mamba")
WAV2VEC2 = ModelName("wav2vec2", "Wav2Vec2", "Wav2Vec2")
BRAND_NEW_BERT = ModelName.from_snake("brand_new_bert")
SNAKE_NET = ModelName.from_snake("snake_net")

# Words that spell nothing else in the texts below, so that a renaming has one way back.
NAME_WORDS = st.from_regex(r"[b-df-hj-np-tv-z]{3,6}[0-9]?", fullmatch=True)
NAMES = st.lists(NAME_WORDS, min_size=1, max_size=3).map("_".join)
OTHER_WORDS = st.sampled_from(["attention", "layer", "self", "head", "output", "a", "is", "available"])


def renamed(old: ModelName, new: ModelName, text: str) -> str:
    return Renaming(old, new).text(text)


def new_name(snake: str) -> ModelName:
    try:
        return ModelName.from_snake(snake)
    except AddModelError:
        assume(False)
        raise


@st.composite
def identifiers(draw: st.DrawFn, name: ModelName) -> str:
    """An identifier in one of the three casings of code, with the model's name as one of its words."""
    before, after = draw(st.lists(OTHER_WORDS, max_size=2)), draw(st.lists(OTHER_WORDS, min_size=1, max_size=2))
    casing = draw(st.sampled_from(["snake", "camel", "upper"]))
    if casing == "camel":
        return "".join([*map(str.capitalize, before), name.camel, *map(str.capitalize, after)])
    if casing == "upper":
        return "_".join([*map(str.upper, before), name.upper, *map(str.upper, after)])
    return "_".join([*before, name.snake, *after])


@st.composite
def codes(draw: st.DrawFn, name: ModelName) -> str:
    """Lines in which identifiers of the model stand among others."""
    token = st.one_of(identifiers(name), OTHER_WORDS, st.sampled_from(["(", ") = ", ".", ", ", "'", "\n    ", " + "]))
    return " ".join(draw(st.lists(token, max_size=20)))


@given(data=st.data(), old=NAMES, new=NAMES)
def test_there_and_back_is_where_one_started(data: st.DataObject, old: str, new: str) -> None:
    assume(not set(old.split("_")) & set(new.split("_")))
    first, second = new_name(old), new_name(new)
    text = data.draw(codes(first))
    there = renamed(first, second, text)
    assert (there == text) == (not any(spelling in text for spelling in (first.snake, first.camel, first.upper)))
    assert renamed(second, first, there) == text


@given(old=NAMES, new=NAMES, text=st.text(alphabet=string.printable, max_size=80))
def test_a_text_without_the_name_is_untouched(old: str, new: str, text: str) -> None:
    name = new_name(old)
    assume(not any(spelling in text for spelling in (name.snake, name.camel, name.upper, name.kebab)))
    assert renamed(name, new_name(new), text) == text


@given(old=NAMES, new=NAMES, prefix=st.from_regex(r"[a-z]{1,4}", fullmatch=True), suffix=st.from_regex(r"[a-z]{1,4}", fullmatch=True))  # fmt: skip
def test_the_name_inside_a_longer_word_is_untouched(old: str, new: str, prefix: str, suffix: str) -> None:
    name = new_name(old)
    assume(not old[-1].isdigit())
    first, _, _ = old.partition("_")
    text = f"{prefix}{old} {old}{suffix} {prefix.capitalize()}{first}Model {name.camel}{suffix}Model"
    assert renamed(name, new_name(new), text) == text


@given(text=st.text(max_size=30))
def test_a_suggested_name_is_a_name(text: str) -> None:
    suggestion = to_snake(text)
    assume(suggestion and not keyword.iskeyword(suggestion) and not hasattr(builtins, suggestion))
    assume(not re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", suggestion))
    assert ModelName.from_snake(suggestion).snake == suggestion


@given(snake=NAMES)
def test_every_casing_suggests_the_name_it_came_from(snake: str) -> None:
    name = new_name(snake)
    assume(not re.search(r"[0-9]", snake))
    assert {to_snake(spelling) for spelling in (name.snake, name.camel, name.upper, name.kebab)} == {snake}


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("GPT2LMHeadModel", ["GPT2", "LM", "Head", "Model"]),
        ("is_mambapy_available", ["is", "mambapy", "available"]),
        ("BertForMaskedLM", ["Bert", "For", "Masked", "LM"]),
        ("BERT_INPUTS_DOCSTRING", ["BERT", "INPUTS", "DOCSTRING"]),
        ("MT5Model", ["MT5", "Model"]),
        ("", []),
    ],
)
def test_an_identifier_splits_into_words(identifier: str, expected: list[str]) -> None:
    assert words(identifier) == expected


@pytest.mark.parametrize(
    ("old", "text"),
    [
        (OPT, "Optional[int] option optimizer adopt ADOPT Optimized"),
        (LED, "called LEDGER scaled filled_in Called scheduled"),
        (SAM, "sample samples sam3 SAM3 Sam3Model sam2_video same Samples SAMPLE"),
        (VIT, "activity ACTIVITY invite ViTMAE vitdet gravitation vitmatte"),
        (BERT, "albert ALBERT AlbertModel roberta RoBERTa RobertaModel XLMRobertaModel bertify Bertha"),
        (BERT, "DistilBERT CamemBERT SciBERT mBERT VisualBERT ModernBERT distilbert"),
        (MAMBA, "is_mambapy_available mamba2 Mamba2Model mambas"),
        (T5, "mt5 MT5Model umt5 UMT5Config mT5 t511 byt5"),
        (GPT2, "distilgpt2 gpt20 gpt_2 gpt22 GPT-20 GPT-2s"),
        (ModelName("gpt", "GPT", "GPT"), "gpt2 GPT2Model gptj GPTJModel OpenAIGPTs"),
    ],
)
def test_other_words_and_other_models_keep_their_names(old: ModelName, text: str) -> None:
    assert renamed(old, SNAKE_NET, text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class BertModel(BertPreTrainedModel):", "class BrandNewBertModel(BrandNewBertPreTrainedModel):"),
        ("self.bert = BertModel(config)", "self.brand_new_bert = BrandNewBertModel(config)"),
        ("TFBertModel, TestBert, load_in_bert", "TFBrandNewBertModel, TestBrandNewBert, load_in_brand_new_bert"),
        ("BERT_INPUTS_DOCSTRING", "BRAND_NEW_BERT_INPUTS_DOCSTRING"),
        ("_BERT_DOC", "_BRAND_NEW_BERT_DOC"),
        ("The BERT model. BERT's heads.", "The BrandNewBert model. BrandNewBert's heads."),
        ("a BERT-like model", "a BrandNewBert-like model"),
        ("bert-base-uncased", "brand-new-bert-base-uncased"),
        ("my/tiny-bert", "my/tiny-brand-new-bert"),
        ("models/bert/modeling_bert.py", "models/brand_new_bert/modeling_brand_new_bert.py"),
        ("bert->albert", "brand_new_bert->albert"),
        ("x = bert - base", "x = brand_new_bert - base"),
        ("from .modeling_bert import BertModel", "from .modeling_brand_new_bert import BrandNewBertModel"),
        ('model_type = "bert"', 'model_type = "brand_new_bert"'),
        ("bert beside albert and roberta", "brand_new_bert beside albert and roberta"),
    ],
)
def test_the_name_is_renamed_in_every_casing(before: str, after: str) -> None:
    assert renamed(BERT, BRAND_NEW_BERT, before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("GPT2LMHeadModel", "TinyGptLMHeadModel"),
        ("TestGPT2Model", "TestTinyGptModel"),
        ("GPT2_INPUTS_DOCSTRING", "TINY_GPT_INPUTS_DOCSTRING"),
        ("GPT-2 and GPT2", "TinyGpt and TinyGpt"),
        ("GPT-2-style", "TinyGpt-style"),
        ('"gpt2", "gpt2-medium"', '"tiny_gpt", "tiny-gpt-medium"'),
        ("gpt2_config.GPT2Config", "tiny_gpt_config.TinyGptConfig"),
    ],
)
def test_a_name_whose_class_prefix_is_all_capitals(before: str, after: str) -> None:
    assert renamed(GPT2, ModelName.from_snake("tiny_gpt"), before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("BrandNewBertModel", "NewerModel"),
        ("brand_new_bert", "newer"),
        ("BRAND_NEW_BERT_X", "NEWER_X"),
        ("brand-new-bert-base", "newer-base"),
        ("hub/brand-new-bert", "hub/newer"),
        ("brand_new bert BrandNew new_bert", "brand_new bert BrandNew new_bert"),
        ("a_brand_new_bert_b", "a_newer_b"),
        ("brand_new_berts xbrand_new_bert", "brand_new_berts xbrand_new_bert"),
    ],
)
def test_a_name_of_several_words_is_renamed_as_a_whole(before: str, after: str) -> None:
    assert renamed(BRAND_NEW_BERT, ModelName.from_snake("newer"), before) == after


def test_a_new_name_that_contains_the_old_is_put_in_once() -> None:
    text = "BertModel bert BERT_X bert-base"
    there = renamed(BERT, BRAND_NEW_BERT, text)
    assert there == "BrandNewBertModel brand_new_bert BRAND_NEW_BERT_X brand-new-bert-base"


def test_an_old_name_that_contains_the_new_comes_off_whole() -> None:
    text = "BrandNewBertModel brand_new_bert BRAND_NEW_BERT_X brand-new-bert-base"
    assert renamed(BRAND_NEW_BERT, BERT, text) == "BertModel bert BERT_X bert-base"


def test_the_same_name_changes_nothing() -> None:
    renaming = Renaming(BERT, BERT)
    text = "BertModel bert BERT BERT_X bert-base"
    assert renaming.text(text) == text and renaming.pairs() == []


def test_names_of_somebody_else_are_kept_where_they_are_imported_from_elsewhere() -> None:
    text = "Wav2Vec2BaseModelOutput, Wav2Vec2Model, wav2vec2"
    kept = Renaming(WAV2VEC2, SNAKE_NET).text(text, keep=frozenset({"Wav2Vec2BaseModelOutput"}))
    assert kept == "Wav2Vec2BaseModelOutput, SnakeNetModel, snake_net"


def test_a_kept_name_does_not_keep_names_that_contain_it() -> None:
    text = "is_bert_available() and is_bert_available_now()"
    kept = Renaming(BERT, SNAKE_NET).text(text, keep=frozenset({"is_bert_available"}))
    assert kept == "is_bert_available() and is_snake_net_available_now()"


def test_one_identifier_is_renamed_like_a_text_that_holds_it() -> None:
    renaming = Renaming(BERT, BRAND_NEW_BERT)
    for identifier in ("BertModel", "modeling_bert", "BERT_X", "AlbertModel", "RobertaModel"):
        assert renaming.identifier(identifier) == renaming.text(identifier)


def test_the_spellings_are_listed_with_what_they_become() -> None:
    pairs = Renaming(BERT, BRAND_NEW_BERT).pairs()
    assert ("Bert", "BrandNewBert") in pairs
    assert ("bert", "brand_new_bert") in pairs
    assert ("BERT", "BRAND_NEW_BERT") in pairs
    assert ("BERT", "BrandNewBert") in pairs
    assert len(pairs) == len(set(pairs))


def test_a_new_name_has_every_casing() -> None:
    name = ModelName.from_snake("brand_new_bert2")
    assert (name.snake, name.camel, name.title) == ("brand_new_bert2", "BrandNewBert2", "BrandNewBert2")
    assert (name.upper, name.kebab) == ("BRAND_NEW_BERT2", "brand-new-bert2")


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ("Brand-New BERT", "try brand_new_bert"),
        ("BrandNewBert", "try brand_new_bert"),
        ("brand__new", "try brand_new"),
        ("_brand", "try brand"),
        ("brand_", "try brand"),
        ("2fast", "try fast"),
        ("a/b", "try a_b"),
        ("../evil", "try evil"),
        ("a.b", "try a_b"),
        ("bert\n", "try bert"),
        ("", "snake_case"),
        ("模型", "snake_case"),
        ("ünder", "snake_case"),
        ("class", "keyword of Python; try class_model"),
        ("async", "keyword of Python; try async_model"),
        ("nul", "device on Windows, where no folder can be called that; try nul_model"),
        ("com1", "device on Windows, where no folder can be called that; try com1_model"),
        ("print", "builtin of Python; try print_model"),
        ("int", "builtin of Python; try int_model"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_remedy(wrong: str, remedy: str) -> None:
    with pytest.raises(AddModelError) as error:
        ModelName.from_snake(wrong)
    assert remedy in str(error.value) and "\n" not in str(error.value)
