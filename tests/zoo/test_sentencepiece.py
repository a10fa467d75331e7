"""Tokenizers whose vocabulary comes from SentencePiece: what every tokenizer has to do, and the files of the package.

The files in `sentencepiece_models` were learned by sentencepiece 0.2.3, with a map of its own for characters of full
width and spaces; the ids beside them are those that the package gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.sentencepiece_files import (
    CONTROL,
    UNKNOWN,
    Piece,
    SentencePieceModel,
    read_sentencepiece_model,
    to_single_precision,
    write_sentencepiece_model,
)
from add_model.zoo.tests.test_tokenization_common import TRAINING_TEXTS, TokenizerTesterMixin
from add_model.zoo.tokenization_sentencepiece import build_normalizer, character_map_of
from add_model.zoo.tokenization_utils import PreTrainedTokenizer

from .sentencepiece_tokenizers import (
    ClassifyingTokenizer,
    LeftPaddedTokenizer,
    MergingTokenizer,
    OffsetTokenizer,
    SentinelTokenizer,
)

MODELS = Path(__file__).parent / "sentencepiece_models"


class TestClassifyingTokenizer(TokenizerTesterMixin):
    tokenizer_class = ClassifyingTokenizer
    space_follows_special_tokens = True


class TestLeftPaddedTokenizer(TokenizerTesterMixin):
    tokenizer_class = LeftPaddedTokenizer
    space_follows_special_tokens = True

    def test_padding_is_of_a_token_type_of_its_own(self) -> None:
        tokenizer = self.get_tokenizer()
        texts = ["the quick brown fox", "fox"]
        rows = tokenizer(texts, padding=True, return_token_type_ids=True)
        kept = len(tokenizer.encode("fox"))
        assert rows["token_type_ids"][1] == [3] * (len(rows["input_ids"][0]) - kept) + [0] * (kept - 1) + [2]
        assert dict(tokenizer.pad(tokenizer(texts, return_token_type_ids=True))) == dict(rows)


class TestOffsetTokenizer(TokenizerTesterMixin):
    tokenizer_class = OffsetTokenizer
    space_follows_special_tokens = True


class TestSentinelTokenizer(TokenizerTesterMixin):
    tokenizer_class = SentinelTokenizer
    space_follows_special_tokens = True


class TestMergingTokenizer(TokenizerTesterMixin):
    tokenizer_class = MergingTokenizer
    space_follows_special_tokens = True


@pytest.mark.parametrize("name", ["spiece", "sentencepiece.bpe"])
def test_published_files_give_the_ids_of_sentencepiece(name: str, tmp_path: Path) -> None:
    expected = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    tokenizer = SentinelTokenizer(MODELS / f"{name}.model")
    assert {text: tokenizer.encode(text, add_special_tokens=False) for text in expected} == expected
    tokenizer.save_pretrained(tmp_path)
    for file_name in ("tokenizer.json", "spiece.model"):
        loaded = SentinelTokenizer.from_pretrained(tmp_path)
        assert {text: loaded.encode(text, add_special_tokens=False) for text in expected} == expected
        (tmp_path / file_name).unlink()


def test_bytes_stand_for_characters_that_the_vocabulary_lacks() -> None:
    tokenizer = SentinelTokenizer(MODELS / "sentencepiece.bpe.model")
    assert tokenizer.tokenize("½ 你") == ["\u2581", "1", "<0x2F>", "2", "\u2581", "<0xE4>", "<0xBD>", "<0xA0>"]
    assert tokenizer.decode(tokenizer.encode("the ½ of 你好")) == "the 1/2 of 你好</s>"


def test_pieces_are_rearranged_once(tmp_path: Path) -> None:
    """What stands before or behind the published pieces is saved along, and not added again."""
    size = len(read_sentencepiece_model(MODELS / "spiece.model").pieces)
    sentinels = SentinelTokenizer(MODELS / "spiece.model", extra_ids=3)
    assert sentinels.encode("fox<extra_id_0>")[-2:] == [size + 2, 1]
    offset = OffsetTokenizer(MODELS / "spiece.model", offset=5)
    ids = [index for index in sentinels.encode("the lazy dog", add_special_tokens=False)]
    assert offset.encode("the lazy dog") == [*(index + 5 for index in ids), 1]
    for tokenizer in (sentinels, offset):
        folder = tmp_path / type(tokenizer).__name__
        tokenizer.save_pretrained(folder)
        (folder / "tokenizer.json").unlink()
        assert type(tokenizer).from_pretrained(folder).get_vocab() == tokenizer.get_vocab()


def test_learning_keeps_the_map_of_characters() -> None:
    tokenizer = ClassifyingTokenizer(MODELS / "spiece.model", pad_token="<pad>")
    learned = tokenizer.train_new_from_iterator(TRAINING_TEXTS, vocab_size=100)
    assert character_map_of(learned.backend) == character_map_of(tokenizer.backend) != b""
    assert learned.encode("ＦＯＸ ﬁne") == learned.encode("FOX fine")


def test_options_of_the_normalizer() -> None:
    def normalized(text: str, **options: bool) -> str:
        normalizer = build_normalizer(**options)
        assert normalizer is not None
        return normalizer.normalize_str(text)

    assert build_normalizer() is None
    assert normalized("``É''", straight_quotes=True) == '"É"'
    assert normalized("ÉÅ", strip_accents=True) == "EA"
    assert normalized("ÉÅ", lowercase=True) == "éå"
    assert normalized("a\u3000\x07ｂ\n½", nmt_nfkc=True) == "a b 1\u20442"
    assert normalized("a   b", single_spaces=True) == "a b"


PIECES = st.builds(
    Piece, st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.floats(width=32), st.integers(1, 6)
)


@given(
    pieces=st.lists(PIECES, min_size=1).map(tuple),
    algorithm=st.sampled_from(["unigram", "bpe"]),
    character_map=st.binary(),
    byte_fallback=st.booleans(),
)
def test_files_round_trip(tmp_path_factory: pytest.TempPathFactory, **fields: Any) -> None:
    model = SentencePieceModel(**fields)
    path = tmp_path_factory.getbasetemp() / "round_trip.model"
    write_sentencepiece_model(path, model)
    assert repr(read_sentencepiece_model(path)) == repr(model)


def test_kinds_are_written(tmp_path: Path) -> None:
    tokenizer: PreTrainedTokenizer = ClassifyingTokenizer().train_new_from_iterator(TRAINING_TEXTS, vocab_size=60)
    tokenizer.save_pretrained(tmp_path)
    kinds = {piece.text: piece.kind for piece in read_sentencepiece_model(tmp_path / "spiece.model").pieces}
    assert kinds["<unk>"] == UNKNOWN
    assert {text for text, kind in kinds.items() if kind == CONTROL} == {"<pad>", "[CLS]", "[SEP]", "[MASK]"}


def test_learned_scores_are_the_same_in_every_file() -> None:
    tokenizer = ClassifyingTokenizer().train_new_from_iterator(TRAINING_TEXTS, vocab_size=60)
    scores = [score for _, score in json.loads(tokenizer.backend.to_str())["model"]["vocab"]]
    assert scores == [to_single_precision(score) for score in scores]


@given(st.binary(max_size=40))
def test_other_bytes_are_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "other.model"
    path.write_bytes(content)
    try:
        assert read_sentencepiece_model(path).pieces
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("length", [1, 60, 1000, 2000])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "spiece.model"
    path.write_bytes((MODELS / "spiece.model").read_bytes()[:length])
    with pytest.raises(ValueError, match="is no model of SentencePiece"):
        read_sentencepiece_model(path)


def test_other_algorithms_and_vocabularies_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "spiece.model"
    write_sentencepiece_model(path, SentencePieceModel((Piece("<unk>", 0.0),)))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x18\x01\x20\x01", b"\x18\x03\x20\x01"))
    with pytest.raises(ValueError, match="neither a Unigram nor a BPE model"):
        read_sentencepiece_model(path)
    with pytest.raises(ValueError, match="lacks the unknown token '<unk>'"):
        ClassifyingTokenizer([("a", -1.0)])
    with pytest.raises(FileNotFoundError):
        ClassifyingTokenizer(tmp_path / "no.model")
