"""Vocabularies of SentencePiece give the ids of Transformers' tokenizers of ALBERT, XLNet, Pegasus and T5."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.zoo.models.albert.tokenization_albert import AlbertTokenizer
from add_model.zoo.models.pegasus.tokenization_pegasus import PegasusTokenizer
from add_model.zoo.models.t5.tokenization_t5 import T5Tokenizer
from add_model.zoo.models.xlnet.tokenization_xlnet import XLNetTokenizer
from add_model.zoo.tokenization_sentencepiece import SentencePieceTokenizer

from .test_parity_tokenizers import CORPUS, Pair, check_same_call, check_same_decoding
from .test_sentencepiece import MODELS


class Counterpart(NamedTuple):
    """A tokenizer that prepares text as one of Transformers does."""

    ours: type[SentencePieceTokenizer]
    theirs: Any
    options: dict[str, Any] = {}
    has_map: bool = True


COUNTERPARTS = {
    "albert": Counterpart(AlbertTokenizer, transformers.AlbertTokenizer),
    "albert-cased": Counterpart(AlbertTokenizer, transformers.AlbertTokenizer, {"do_lower_case": False}),
    "albert-accents": Counterpart(AlbertTokenizer, transformers.AlbertTokenizer, {"keep_accents": True}),
    "albert-without-map": Counterpart(AlbertTokenizer, transformers.AlbertTokenizer, has_map=False),
    "xlnet": Counterpart(XLNetTokenizer, transformers.XLNetTokenizer),
    "xlnet-small-letters": Counterpart(XLNetTokenizer, transformers.XLNetTokenizer, {"do_lower_case": True}),
    "xlnet-without-map": Counterpart(XLNetTokenizer, transformers.XLNetTokenizer, has_map=False),
    "pegasus": Counterpart(PegasusTokenizer, transformers.PegasusTokenizer, {"offset": 7}),
    "pegasus-without-map": Counterpart(PegasusTokenizer, transformers.PegasusTokenizer, {"offset": 7}, has_map=False),
    "t5": Counterpart(T5Tokenizer, transformers.T5Tokenizer, {"extra_ids": 4}),
    "t5-without-map": Counterpart(T5Tokenizer, transformers.T5Tokenizer, {"extra_ids": 4}, has_map=False),
}


def make_pair(counterpart: Counterpart) -> Pair:
    """Return a tokenizer whose vocabulary is learned here, and its counterpart with the same."""
    ours_class: Any = counterpart.ours
    # A map of characters comes with a vocabulary; learning keeps it.
    start = [MODELS / "spiece.model"] if counterpart.has_map else []
    ours = ours_class(*start, **counterpart.options).train_new_from_iterator(CORPUS, vocab_size=300)
    model = ours.sentencepiece_model()
    scores = [(piece.text, piece.score) for piece in model.pieces]
    options = dict(counterpart.options)
    if counterpart.theirs is transformers.XLNetTokenizer:
        options |= {"unk_id": ours.unk_token_id, "padding_side": "left"}
    theirs = counterpart.theirs(vocab=scores, _spm_precompiled_charsmap=model.character_map or None, **options)
    if counterpart.theirs is transformers.XLNetTokenizer:
        # Its constructor says so before that of its base class sets 0.
        theirs._pad_token_type_id = 3
    if counterpart.theirs is transformers.AlbertTokenizer:
        # 5.23.0 leaves the segments of a pair out unless asked, which the model then takes for one text.
        theirs.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return Pair(ours, theirs)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: make_pair(counterpart) for name, counterpart in COUNTERPARTS.items()}


@pytest.fixture(scope="module", params=COUNTERPARTS)
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    return pairs[request.param]


def test_vocabulary_and_special_tokens(pair: Pair) -> None:
    assert pair.ours.get_vocab() == pair.theirs.get_vocab()
    assert pair.ours.special_tokens_map == {
        name: token for name, token in pair.theirs.special_tokens_map.items() if name in pair.ours.special_tokens_map
    }
    assert list(pair.ours("text")) == list(pair.theirs("text"))


def test_texts_and_pairs_of_them(pair: Pair) -> None:
    for first, second in zip(CORPUS, CORPUS[::-1], strict=True):
        check_same_call(pair, first)
        check_same_call(pair, first, second)
        check_same_call(pair, first, add_special_tokens=False, return_offsets_mapping=True)
        check_same_decoding(pair, pair.ours.encode(first, second))


@pytest.mark.parametrize("length", [4, 16, 1000])
def test_padded_and_truncated(pair: Pair, length: int) -> None:
    texts, others = list(CORPUS), list(CORPUS[::-1])
    check_same_call(pair, texts, padding=True, pad_to_multiple_of=8)
    check_same_call(pair, texts, padding="max_length", truncation=True, max_length=length)
    check_same_call(pair, texts, others, padding="longest", truncation="longest_first", max_length=length)
    words = [text.split() or ["x"] for text in CORPUS]
    check_same_call(pair, words, is_split_into_words=True)


@settings(max_examples=40, deadline=None)
@given(first=st.text(), second=st.text())
def test_any_text(pairs: dict[str, Pair], first: str, second: str) -> None:
    for pair in pairs.values():
        check_same_call(pair, first, second)
        check_same_call(pair, [first, second], padding=True, truncation=True, max_length=12)
        check_same_decoding(pair, pair.ours.encode(first, second))


def test_files_written_by_either_are_read_by_the_other(pair: Pair, tmp_path: Path) -> None:
    pair.ours.save_pretrained(tmp_path / "ours")
    pair.theirs.save_pretrained(tmp_path / "theirs")
    for folder in ("ours", "theirs"):
        ours = type(pair.ours).from_pretrained(tmp_path / folder)
        theirs = type(pair.theirs).from_pretrained(tmp_path / folder)
        theirs._pad_token_type_id = pair.theirs._pad_token_type_id
        for text in CORPUS:
            check_same_call(Pair(ours, theirs), text, text)
            check_same_call(Pair(ours, pair.theirs), text, text)
        check_same_call(Pair(ours, theirs), list(CORPUS), padding=True, truncation=True, max_length=9)
