"""Tests of the XLNet tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from add_model.zoo.models.xlnet.tokenization_xlnet import XLNetTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# As in the published vocabularies. "▁" is how a space is written. Scores are logarithms of probabilities.
SPECIAL_TOKENS = ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>")
PIECES = [
    ("▁", -3.0),
    ("▁low", -1.0),
    ("er", -2.0),
    ("l", -4.0),
    ("o", -4.0),
    ("w", -4.0),
    ("▁Low", -1.0),
    ("é", -4.0),
    ("e", -4.0),
    ('"', -4.0),
]
VOCABULARY = [*((token, 0.0) for token in SPECIAL_TOKENS), *PIECES]


class TestXLNetTokenizer(TokenizerTesterMixin):
    tokenizer_class = XLNetTokenizer
    space_follows_special_tokens = True

    def test_the_most_probable_pieces(self) -> None:
        tokenizer = XLNetTokenizer(VOCABULARY)
        assert tokenizer.tokenize("lower  lowé``") == ["▁low", "er", "▁low", "e", '"']
        assert tokenizer.decode(tokenizer.encode("lower  low"), skip_special_tokens=True) == "lower low"

    def test_the_token_of_the_whole_text_comes_last_and_padding_first(self) -> None:
        tokenizer = XLNetTokenizer(VOCABULARY)
        single = tokenizer("low", return_token_type_ids=True)
        assert single["input_ids"] == [10, 4, 3]
        assert single["token_type_ids"] == [0, 0, 2]
        pair = tokenizer(["low", "low"], ["lower", "low"], padding=True, return_token_type_ids=True)
        assert pair["input_ids"] == [[10, 4, 10, 11, 4, 3], [5, 10, 4, 10, 4, 3]]
        assert pair["token_type_ids"] == [[0, 0, 1, 1, 1, 2], [3, 0, 0, 1, 1, 2]]
        assert pair["attention_mask"] == [[1] * 6, [0, *[1] * 5]]

    def test_special_tokens_have_the_ids_of_the_published_vocabularies(self) -> None:
        assert XLNetTokenizer().get_vocab() == {token: index for index, token in enumerate(SPECIAL_TOKENS)}
        tokenizer = XLNetTokenizer(VOCABULARY)
        assert tokenizer.get_vocab() == {piece: index for index, (piece, _) in enumerate(VOCABULARY)}
        # The mask takes the space before it.
        assert tokenizer.tokenize("low <mask><eop>") == ["▁low", "<mask>", "<eop>"]

    def test_capitals_and_accents(self) -> None:
        assert XLNetTokenizer(VOCABULARY, do_lower_case=True).tokenize("Lowé") == ["▁low", "e"]
        assert XLNetTokenizer(VOCABULARY, keep_accents=True).tokenize("Lowé") == ["▁Low", "é"]

    def test_options_come_back_from_every_file(self, tmp_path: Path) -> None:
        XLNetTokenizer(VOCABULARY, do_lower_case=True, keep_accents=True).save_pretrained(tmp_path)
        for removed in ("tokenizer_config.json", "tokenizer.json"):
            loaded = XLNetTokenizer.from_pretrained(tmp_path)
            assert loaded.tokenize("Lowé") == ["▁low", "é"]
            changed = XLNetTokenizer.from_pretrained(tmp_path, do_lower_case=False, keep_accents=False)
            assert changed.tokenize("Lowé") == ["▁Low", "e"]
            (tmp_path / removed).unlink()
            if removed == "tokenizer_config.json":
                assert XLNetTokenizer.from_pretrained(tmp_path).tokenize("Lowé") == ["▁low", "é"]

    def test_special_tokens_of_older_releases_are_read(self, tmp_path: Path) -> None:
        XLNetTokenizer(VOCABULARY).save_pretrained(tmp_path)
        options = json.loads((tmp_path / "tokenizer_config.json").read_text())
        options["additional_special_tokens"] = options.pop("extra_special_tokens")
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
        assert XLNetTokenizer.from_pretrained(tmp_path).extra_special_tokens == ["<eop>", "<eod>"]

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown token"):
            XLNetTokenizer(PIECES)
        with pytest.raises(FileNotFoundError):
            XLNetTokenizer(tmp_path / "spiece.model")
