"""The bundled tokenizers give the ids of Transformers' tokenizers of the same vocabulary files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizerSequence

from add_model.zoo.models.bart.tokenization_bart import BartTokenizer
from add_model.zoo.models.bert.tokenization_bert import BertTokenizer
from add_model.zoo.models.bloom.tokenization_bloom import BloomTokenizer
from add_model.zoo.models.deberta.tokenization_deberta import DebertaTokenizer
from add_model.zoo.models.distilbert.tokenization_distilbert import DistilBertTokenizer
from add_model.zoo.models.gpt2.tokenization_gpt2 import GPT2Tokenizer
from add_model.zoo.models.gptj.tokenization_gptj import GPTJTokenizer
from add_model.zoo.models.longformer.tokenization_longformer import LongformerTokenizer
from add_model.zoo.models.opt.tokenization_opt import OPTTokenizer
from add_model.zoo.models.roberta.tokenization_roberta import RobertaTokenizer
from add_model.zoo.tokenization_utils import PreTrainedTokenizer

CORPUS = (
    "The quick brown fox jumps over the lazy dog. The lazy dog doesn't care; it's asleep!",
    "Crème brûlée, naïve café, Ångström, Smörgåsbord, fiancée, ÉCOLE, İstanbul, ﬁancé, Straße",
    "e\u0301 a\u030a o\u0308: the same letters with combining accents, \u1e9b\u0323",
    "你好, 世界! こんにちは世界。 안녕하세요 세계 𠀀𪛖 漢字とkana混じり",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 🏳️‍🌈 ❤️ 1️⃣ text between 👨🏿‍🚀 emoji",
    "12345 3.14159 1e-9 1,000,000 50% $9.99 ½ ² Ⅷ १२३ １２３ 2024-02-29T23:59:60Z",
    "control\x00 characters\x07 \x1b[0m\x7f \x85 \u200b\u200d\u2060\ufeff\ufffd end",
    "  runs   of \t\t whitespace \n\n\r\n \u00a0\u2003\u3000 everywhere   ",
    "punctuation: ...!?--- «quotes» “curly” 'single' {[(<>)]} @#$%^&*_+=|\\/~` … —",
    "Привет, мир! Γειά σου Κόσμε. שלום עולם مرحبا بالعالم नमस्ते दुनिया ไทย",
    "snake_case camelCase http://example.com/a?b=c&d=e user@example.com C++ <html></html>",
    "[CLS] special [MASK][MASK] tokens [SEP] <s> in <mask> the <mask>text</s><|endoftext|> [UNK] <pad>[PAD] <unk>",
    "I'll you're they've he'd can't I'm 'tis DON'T",
    "supercalifragilisticexpialidocious" * 8,
    "a",
    " ",
    "\n",
    "",
)


class Pair(NamedTuple):
    """A tokenizer and its counterpart in Transformers, made of the same files.

    `template` is what has to be told to the counterpart whenever it is made.
    """

    ours: PreTrainedTokenizer
    theirs: Any
    template: Any = None


def train(tokenizer: PreTrainedTokenizer, folder: Path) -> Path:
    """Write the vocabulary files that a tokenizer learns from the corpus, and nothing else."""
    trained = tokenizer.train_new_from_iterator(CORPUS, vocab_size=600)
    for path in trained.save_pretrained(folder):
        if path.name in ("tokenizer.json", "tokenizer_config.json"):
            path.unlink()
    return folder


def make_bert(folder: Path, **options: Any) -> Pair:
    vocab = train(BertTokenizer(**options), folder) / "vocab.txt"
    return Pair(BertTokenizer(vocab, **options), transformers.BertTokenizer(str(vocab), **options))


def make_deberta(folder: Path, **options: Any) -> Pair:
    train(DebertaTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    mask_token: Any = AddedToken("[MASK]", lstrip=True, normalized=False, special=True)
    ours = DebertaTokenizer(*files, **options)
    theirs = transformers.DebertaTokenizer(*files, mask_token=mask_token, **options)
    # The model was trained with one separator in a pair and a token type for each text, as the original code and
    # Transformers 4 have it; Transformers 5 has two separators and one type, and has to be told so.
    template = ours.build_post_processor()
    theirs.backend_tokenizer.post_processor = template
    return Pair(ours, theirs, template)


def make_distilbert(folder: Path, **options: Any) -> Pair:
    vocab = train(DistilBertTokenizer(**options), folder) / "vocab.txt"
    return Pair(DistilBertTokenizer(vocab, **options), transformers.DistilBertTokenizer(str(vocab), **options))


def make_gpt2(folder: Path, **options: Any) -> Pair:
    train(GPT2Tokenizer(), folder)
    options = {"pad_token": "<|endoftext|>", **options}
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    return Pair(GPT2Tokenizer(*files, **options), transformers.GPT2Tokenizer(*files, **options))


def make_bart(folder: Path, **options: Any) -> Pair:
    train(BartTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    # Published BART vocabularies have the mask token take the space before it; here Transformers has to be told so.
    mask_token: Any = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    return Pair(BartTokenizer(*files, **options), transformers.BartTokenizer(*files, mask_token=mask_token, **options))


def make_bloom(folder: Path, **options: Any) -> Pair:
    train(BloomTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    # Transformers has no class for it: it runs what the published tokenizer.json describes, which is this.
    pipeline = Tokenizer(BPE.from_file(*files))
    word = Split(Regex(r" ?[^(\s|[.,!?…。，、।۔،])]+"), behavior="isolated", invert=False)
    pipeline.pre_tokenizer = PreTokenizerSequence([word, ByteLevel(add_prefix_space=False, use_regex=False)])
    pipeline.decoder = ByteLevelDecoder()
    special_tokens = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    published = transformers.PreTrainedTokenizerFast(tokenizer_object=pipeline, **special_tokens, **options)
    return Pair(BloomTokenizer(*files, **options), published)


def make_longformer(folder: Path, **options: Any) -> Pair:
    train(LongformerTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    # As for BART: the published mask token takes the space before it.
    mask_token: Any = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    theirs = transformers.LongformerTokenizer(*files, mask_token=mask_token, **options)
    return Pair(LongformerTokenizer(*files, **options), theirs)


def make_roberta(folder: Path, **options: Any) -> Pair:
    train(RobertaTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    # As for BART: the published mask token takes the space before it.
    mask_token: Any = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    theirs = transformers.RobertaTokenizer(*files, mask_token=mask_token, **options)
    return Pair(RobertaTokenizer(*files, **options), theirs)


def make_gptj(folder: Path, **options: Any) -> Pair:
    pair = make_gpt2(folder, **options)
    options = {"pad_token": "<|endoftext|>", **options}
    return Pair(GPTJTokenizer(folder / "vocab.json", folder / "merges.txt", **options), pair.theirs)


def make_opt(folder: Path, **options: Any) -> Pair:
    train(OPTTokenizer(), folder)
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    # Transformers has no class for it; published checkpoints name GPT-2's, with these options.
    special_tokens = {"unk_token": "</s>", "bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}
    published = transformers.GPT2Tokenizer(*files, **special_tokens, **{"add_bos_token": True, **options})
    return Pair(OPTTokenizer(*files, **options), published)


VARIANTS: dict[str, tuple[Callable[..., Pair], dict[str, Any]]] = {
    "bert": (make_bert, {}),
    "bert-cased": (make_bert, {"do_lower_case": False}),
    "bert-cased-without-accents": (make_bert, {"do_lower_case": False, "strip_accents": True}),
    "bert-with-accents": (make_bert, {"strip_accents": False}),
    "bert-chinese-words": (make_bert, {"tokenize_chinese_chars": False}),
    "bert-left": (make_bert, {"padding_side": "left", "truncation_side": "left"}),
    "deberta": (make_deberta, {}),
    "distilbert": (make_distilbert, {}),
    "gpt2": (make_gpt2, {}),
    "gpt2-prefix-space": (make_gpt2, {"add_prefix_space": True}),
    "gpt2-begin": (make_gpt2, {"add_bos_token": True}),
    "gpt2-new-padding-token": (make_gpt2, {"pad_token": "<pad>", "padding_side": "left"}),
    "bart": (make_bart, {}),
    "bart-prefix-space": (make_bart, {"add_prefix_space": True}),
    "bart-left": (make_bart, {"padding_side": "left", "truncation_side": "left"}),
    "bloom": (make_bloom, {}),
    "bloom-left": (make_bloom, {"padding_side": "left", "truncation_side": "left"}),
    "roberta": (make_roberta, {}),
    "roberta-prefix-space": (make_roberta, {"add_prefix_space": True}),
    "gptj": (make_gptj, {}),
    "longformer": (make_longformer, {}),
    "opt": (make_opt, {}),
    "opt-left": (make_opt, {"padding_side": "left", "truncation_side": "left"}),
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    return {name: make(tmp_path_factory.mktemp(name), **options) for name, (make, options) in VARIANTS.items()}


@pytest.fixture(scope="module", params=VARIANTS)
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    return pairs[request.param]


def check_same_call(pair: Pair, *texts: Any, **options: Any) -> None:
    """Assert that both tokenizers return the same values under the same names."""
    ours = pair.ours(*texts, return_token_type_ids=True, return_special_tokens_mask=True, **options)
    theirs = pair.theirs(*texts, return_token_type_ids=True, return_special_tokens_mask=True, **options)
    assert dict(ours) == dict(theirs)


def check_same_decoding(pair: Pair, ids: list[int]) -> None:
    """Assert that both tokenizers write the same text for ids."""
    for skip_special_tokens in (False, True):
        for clean_up in (False, True):
            options = {"skip_special_tokens": skip_special_tokens, "clean_up_tokenization_spaces": clean_up}
            assert pair.ours.decode(ids, **options) == pair.theirs.decode(ids, **options)


def test_vocabulary_and_special_tokens(pair: Pair) -> None:
    assert pair.ours.get_vocab() == pair.theirs.get_vocab()
    assert len(pair.ours) == len(pair.theirs)
    assert pair.ours.vocab_size == pair.theirs.vocab_size
    assert pair.ours.special_tokens_map == pair.theirs.special_tokens_map
    assert sorted(pair.ours.all_special_ids) == sorted(pair.theirs.all_special_ids)
    assert pair.ours.model_max_length == pair.theirs.model_max_length
    assert list(pair.ours("text")) == list(pair.theirs("text"))
    for is_pair in (False, True):
        assert pair.ours.num_special_tokens_to_add(is_pair) == pair.theirs.num_special_tokens_to_add(is_pair)


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_single_text(pair: Pair, text: str) -> None:
    check_same_call(pair, text)
    check_same_call(pair, text, add_special_tokens=False)
    assert pair.ours.convert_ids_to_tokens(pair.ours.encode(text)) == (
        pair.theirs.convert_ids_to_tokens(pair.theirs.encode(text))
    )
    check_same_decoding(pair, pair.ours.encode(text))


def test_pairs_of_texts(pair: Pair) -> None:
    for first, second in zip(CORPUS, CORPUS[::-1], strict=True):
        check_same_call(pair, first, second)
        check_same_call(pair, first, "")
        check_same_call(pair, "", second)
    check_same_call(pair, list(CORPUS), list(CORPUS[::-1]))


@pytest.mark.parametrize("length", [4, 7, 16, 64, 1000])
def test_padded_and_truncated(pair: Pair, length: int) -> None:
    texts, others = list(CORPUS), list(CORPUS[::-1])
    check_same_call(pair, texts, padding=True)
    check_same_call(pair, texts, padding=True, pad_to_multiple_of=8)
    check_same_call(pair, texts, padding=True, truncation=True, max_length=length)
    check_same_call(pair, texts, padding="max_length", truncation=True, max_length=length)
    check_same_call(pair, texts, padding="max_length", max_length=length)
    check_same_call(pair, texts, max_length=length)
    check_same_call(pair, texts, others, padding="longest", truncation="longest_first", max_length=length)
    check_same_call(pair, texts[0], others[-1], truncation="longest_first", max_length=length)
    check_same_call(pair, texts[3], "a", truncation="only_first", max_length=max(length, 7))
    check_same_call(pair, "a", texts[3], truncation="only_second", max_length=max(length, 7))
    check_same_call(
        pair, texts, truncation=True, max_length=length + 4, stride=2, padding=True, return_overflowing_tokens=True
    )


def test_tensors(pair: Pair) -> None:
    ours = pair.ours(list(CORPUS), padding=True, return_tensors="pt")
    theirs = pair.theirs(list(CORPUS), padding=True, return_tensors="pt")
    assert ours.keys() == theirs.keys()
    assert all(ours[name].dtype == theirs[name].dtype and bool((ours[name] == theirs[name]).all()) for name in ours)


def test_length_of_the_model(pairs: dict[str, Pair]) -> None:
    for pair in pairs.values():
        lengths = pair.ours.model_max_length, pair.theirs.model_max_length
        try:
            pair.ours.model_max_length = pair.theirs.model_max_length = 9
            check_same_call(pair, list(CORPUS), padding=True, truncation=True)
            check_same_call(pair, CORPUS[0], padding="max_length", truncation=True)
        finally:
            pair.ours.model_max_length, pair.theirs.model_max_length = lengths


@pytest.mark.parametrize("name", ["bert", "gpt2-prefix-space", "bart-prefix-space"])
def test_texts_split_into_words(pairs: dict[str, Pair], name: str) -> None:
    pair = pairs[name]
    words = [text.split() or ["x"] for text in CORPUS]
    check_same_call(pair, words, is_split_into_words=True)
    check_same_call(pair, words[0], is_split_into_words=True)
    ours, theirs = pair.ours(words, is_split_into_words=True), pair.theirs(words, is_split_into_words=True)
    assert [ours.word_ids(row) for row in range(len(words))] == [theirs.word_ids(row) for row in range(len(words))]


@pytest.mark.parametrize("name", ["bert", "gpt2", "bart"])
def test_offsets(pairs: dict[str, Pair], name: str) -> None:
    for text in CORPUS:
        check_same_call(pairs[name], text, return_offsets_mapping=True)


@settings(max_examples=60, deadline=None)
@given(first=st.text(), second=st.text())
def test_any_text(pairs: dict[str, Pair], first: str, second: str) -> None:
    for pair in pairs.values():
        check_same_call(pair, first)
        check_same_call(pair, first, second)
        check_same_call(pair, [first, second], padding=True, truncation=True, max_length=12)
        check_same_decoding(pair, pair.ours.encode(first, second))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([text for text in CORPUS if len(text) < 200]) | st.text(max_size=8), max_size=6))
def test_any_mixture_with_special_tokens(pairs: dict[str, Pair], pieces: list[str]) -> None:
    for pair in pairs.values():
        special_tokens = pair.ours.all_special_tokens
        text = "".join(
            piece + special_tokens[len(piece) % len(special_tokens)] + " " * (index % 3)
            for index, piece in enumerate(pieces)
        )
        check_same_call(pair, text)


def test_files_written_by_either_are_read_by_the_other(pair: Pair, tmp_path: Path) -> None:
    pair.ours.save_pretrained(tmp_path / "ours")
    pair.theirs.save_pretrained(tmp_path / "theirs")
    ours, theirs = type(pair.ours), type(pair.theirs)
    for tokenizer in (ours.from_pretrained(tmp_path / "theirs"), ours.from_pretrained(tmp_path / "ours")):
        assert tokenizer.special_tokens_map == pair.ours.special_tokens_map
        for text in CORPUS:
            check_same_call(Pair(tokenizer, pair.theirs), text, text)
        check_same_call(Pair(tokenizer, pair.theirs), list(CORPUS), padding=True, truncation=True, max_length=9)
    read_back = theirs.from_pretrained(tmp_path / "ours")
    if pair.template is not None:
        read_back.backend_tokenizer.post_processor = pair.template
    for text in CORPUS:
        check_same_call(Pair(pair.ours, read_back), text, text)
    check_same_call(Pair(pair.ours, read_back), list(CORPUS), padding=True, truncation=True, max_length=9)
