"""Tests of the Pegasus tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from add_model.zoo.models.pegasus.tokenization_pegasus import PegasusTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# "▁" is how a space is written. Scores are logarithms of probabilities.
PUBLISHED_PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
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
VOCABULARY = [*PUBLISHED_PIECES, *PIECES]


class TestPegasusTokenizer(TokenizerTesterMixin):
    tokenizer_class = PegasusTokenizer
    space_follows_special_tokens = True

    def test_the_most_probable_pieces(self) -> None:
        tokenizer = PegasusTokenizer(VOCABULARY)
        assert tokenizer.tokenize("lower  lowest\nlol") == ["▁low", "er", "▁low", "est", "▁l", "o", "l"]
        assert tokenizer.decode(tokenizer.encode("lower  lowest"), skip_special_tokens=True) == "lower lowest"

    def test_pieces_move_up_behind_its_own_tokens(self, tmp_path: Path) -> None:
        tokenizer = PegasusTokenizer(VOCABULARY)
        assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 4, 104, 105]) == [
            *("<pad>", "</s>", "<mask_1>", "<mask_2>", "<unk_2>", "<unk_102>", "<unk>")
        ]
        assert tokenizer.encode("low<mask_1> lower <mask_2>") == [107, 2, 107, 108, 106, 3, 1]
        assert (tokenizer.mask_token_id, tokenizer.unk_token_id) == (3, 105)
        tokenizer.save_pretrained(tmp_path)
        for removed in ("tokenizer.json", "tokenizer_config.json"):
            assert PegasusTokenizer.from_pretrained(tmp_path).get_vocab() == tokenizer.get_vocab()
            (tmp_path / removed).unlink()
        assert PegasusTokenizer.from_pretrained(tmp_path).get_vocab() == tokenizer.get_vocab()

    def test_the_offset_can_be_another(self) -> None:
        tokenizer = PegasusTokenizer(VOCABULARY, offset=3)
        assert tokenizer.extra_special_tokens == ["<mask_1>", "<unk_2>"]
        assert tokenizer.encode("low") == [7, 1]
        with pytest.raises(ValueError, match="offset must be 2 or more"):
            PegasusTokenizer(VOCABULARY, offset=0)

    def test_templates(self) -> None:
        tokenizer = PegasusTokenizer(VOCABULARY)
        pair = tokenizer("low", "lower", return_token_type_ids=True)
        assert pair["input_ids"] == [107, 107, 108, 1]
        assert pair["token_type_ids"] == [0, 0, 0, 0]
        assert tokenizer(["low", ""], padding=True)["input_ids"] == [[107, 1], [1, 0]]
        assert list(tokenizer("low")) == ["input_ids", "attention_mask"]

    def test_special_tokens_of_older_releases_are_read(self, tmp_path: Path) -> None:
        PegasusTokenizer(VOCABULARY, offset=4).save_pretrained(tmp_path)
        options = json.loads((tmp_path / "tokenizer_config.json").read_text())
        options["additional_special_tokens"] = options.pop("extra_special_tokens")
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
        tokenizer = PegasusTokenizer.from_pretrained(tmp_path)
        assert tokenizer.extra_special_tokens == ["<mask_1>", "<unk_2>", "<unk_3>"]

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown token"):
            PegasusTokenizer([("<pad>", 0.0), ("</s>", 0.0), *PIECES])
        with pytest.raises(FileNotFoundError):
            PegasusTokenizer(tmp_path / "spiece.model")
