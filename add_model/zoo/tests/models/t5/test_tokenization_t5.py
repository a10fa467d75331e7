"""Tests of the T5 tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from add_model.zoo.models.t5.tokenization_t5 import T5Tokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# "▁" is how a space is written. Scores are logarithms of probabilities.
SPECIAL_PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
PIECES = [
    ("▁", -3.0),
    ("▁low", -1.0),
    ("er", -2.0),
    ("l", -4.0),
    ("o", -4.0),
    ("w", -4.0),
    ("▁l", -5.0),
    ("est", -3.0),
]
VOCABULARY = [*SPECIAL_PIECES, *PIECES]


class TestT5Tokenizer(TokenizerTesterMixin):
    tokenizer_class = T5Tokenizer
    space_follows_special_tokens = True

    def test_the_most_probable_pieces(self) -> None:
        tokenizer = T5Tokenizer(VOCABULARY, extra_ids=2)
        assert tokenizer.tokenize("lower  lowest") == ["▁low", "er", "▁low", "est"]
        assert tokenizer.tokenize("lol") == ["▁l", "o", "l"]
        assert tokenizer.decode(tokenizer.encode("lower  lowest"), skip_special_tokens=True) == "lower lowest"

    def test_templates(self) -> None:
        tokenizer = T5Tokenizer(VOCABULARY, extra_ids=2)
        assert tokenizer.encode("low") == [4, 1]
        pair = tokenizer("low", "lower", return_token_type_ids=True)
        assert pair["input_ids"] == [4, 1, 4, 5, 1]
        assert pair["token_type_ids"] == [0, 0, 0, 0, 0]
        assert tokenizer(["low", ""], padding=True)["input_ids"] == [[4, 1], [1, 0]]
        assert list(tokenizer("low")) == ["input_ids", "attention_mask"]

    def test_sentinels_count_down_from_the_end(self, tmp_path: Path) -> None:
        tokenizer = T5Tokenizer(VOCABULARY, extra_ids=3)
        assert tokenizer.encode("low<extra_id_0> low <extra_id_2>") == [4, 13, 4, 11, 1]
        assert tokenizer.get_sentinel_tokens() == ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]
        assert tokenizer.get_sentinel_token_ids() == [13, 12, 11]
        tokenizer.save_pretrained(tmp_path)
        for removed in ("tokenizer.json", "tokenizer_config.json"):
            loaded = T5Tokenizer.from_pretrained(tmp_path, extra_ids=3)
            assert loaded.get_vocab() == tokenizer.get_vocab()
            assert loaded.get_sentinel_token_ids() == [13, 12, 11]
            (tmp_path / removed).unlink()

    def test_sentinels_of_older_releases_are_read(self, tmp_path: Path) -> None:
        T5Tokenizer(VOCABULARY, extra_ids=2).save_pretrained(tmp_path)
        options = json.loads((tmp_path / "tokenizer_config.json").read_text())
        options["additional_special_tokens"] = options.pop("extra_special_tokens")
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
        tokenizer = T5Tokenizer.from_pretrained(tmp_path)
        assert tokenizer.extra_special_tokens == ["<extra_id_0>", "<extra_id_1>"]

    def test_further_special_tokens_stand_beside_the_sentinels(self) -> None:
        tokenizer = T5Tokenizer(VOCABULARY, extra_ids=1, extra_special_tokens=["<sum>"])
        assert tokenizer.extra_special_tokens == ["<sum>", "<extra_id_0>"]
        assert tokenizer.tokenize("<sum> low") == ["<sum>", "▁low"]
        with pytest.raises(ValueError, match="extra_ids is 2, but the special tokens hold 1 other sentinels"):
            T5Tokenizer(VOCABULARY, extra_ids=2, extra_special_tokens=["<extra_id_0>"])

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown token"):
            T5Tokenizer(PIECES)
        with pytest.raises(FileNotFoundError):
            T5Tokenizer(tmp_path / "spiece.model")
