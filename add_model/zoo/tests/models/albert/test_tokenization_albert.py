"""Tests of the ALBERT tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from add_model.zoo.models.albert.tokenization_albert import AlbertTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# "▁" is how a space is written. Scores are logarithms of probabilities.
SPECIAL_PIECES = [("<pad>", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0)]
PIECES = [
    ("▁", -3.0),
    ("▁low", -1.0),
    ("er", -2.0),
    ("l", -4.0),
    ("o", -4.0),
    ("w", -4.0),
    ("▁l", -5.0),
    ("est", -3.0),
    ("▁cafe", -2.0),
    ("▁café", -2.0),
    ("▁Low", -2.0),
    ('"', -4.0),
]
VOCABULARY = [*SPECIAL_PIECES, *PIECES]


class TestAlbertTokenizer(TokenizerTesterMixin):
    tokenizer_class = AlbertTokenizer
    space_follows_special_tokens = True

    def test_the_most_probable_pieces(self) -> None:
        tokenizer = AlbertTokenizer(VOCABULARY)
        assert tokenizer.tokenize("Lower  LOWEST") == ["▁low", "er", "▁low", "est"]
        assert tokenizer.tokenize("lol") == ["▁l", "o", "l"]
        assert tokenizer.decode(tokenizer.encode("lower lowest")) == "[CLS] lower lowest[SEP]"
        assert tokenizer.decode(tokenizer.encode("lower  lowest"), skip_special_tokens=True) == "lower lowest"

    def test_templates(self) -> None:
        tokenizer = AlbertTokenizer(VOCABULARY)
        single = tokenizer("low")
        assert list(single) == ["input_ids", "token_type_ids", "attention_mask"]
        assert single["input_ids"] == [2, 6, 3]
        pair = tokenizer("low", "lower")
        assert pair["input_ids"] == [2, 6, 3, 6, 7, 3]
        assert pair["token_type_ids"] == [0, 0, 0, 1, 1, 1]
        padded = tokenizer(["low", ""], padding=True)
        assert padded["input_ids"] == [[2, 6, 3], [2, 3, 0]]
        assert tokenizer.encode("low [MASK] low", add_special_tokens=False) == [6, 4, 6]

    def test_capitals_accents_and_quotes(self) -> None:
        assert AlbertTokenizer(VOCABULARY).tokenize("CAFÉ Low") == ["▁cafe", "▁low"]
        assert AlbertTokenizer(VOCABULARY, keep_accents=True).tokenize("CAFÉ") == ["▁café"]
        assert AlbertTokenizer(VOCABULARY, do_lower_case=False).tokenize("Low low") == ["▁Low", "▁low"]
        assert AlbertTokenizer(VOCABULARY).tokenize("low''") == ["▁low", '"']
        assert AlbertTokenizer(VOCABULARY).tokenize("low``") == ["▁low", '"']

    def test_options_come_back_from_every_file(self, tmp_path: Path) -> None:
        options: dict[str, Any] = {"do_lower_case": False, "keep_accents": True}
        AlbertTokenizer(VOCABULARY, **options).save_pretrained(tmp_path)
        for removed in ("spiece.model", "tokenizer_config.json"):
            loaded = AlbertTokenizer.from_pretrained(tmp_path)
            assert {name: getattr(loaded, name) for name in options} == options
            assert loaded.tokenize("café Low") == ["▁café", "▁Low"]
            (tmp_path / removed).unlink()
        overridden = AlbertTokenizer.from_pretrained(tmp_path, do_lower_case=True)
        assert overridden.tokenize("Café Low") == ["▁café", "▁low"]

    def test_the_vocabulary_alone_is_enough(self, tmp_path: Path) -> None:
        tokenizer = AlbertTokenizer(VOCABULARY)
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        assert AlbertTokenizer.from_pretrained(tmp_path).get_vocab() == tokenizer.get_vocab()
        assert AlbertTokenizer(tmp_path / "spiece.model").encode("Lower") == [2, 6, 7, 3]

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown token"):
            AlbertTokenizer(PIECES)
        with pytest.raises(FileNotFoundError):
            AlbertTokenizer(tmp_path / "spiece.model")
