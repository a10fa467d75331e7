"""Tests of the OPT tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.zoo.models.opt.tokenization_opt import OPTTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# "Ġ" is how the byte of a space is written.
TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "l", "o", "w", "e", "r", "s", "t", "Ġ", "lo", "low", "er", "Ġlow")
VOCABULARY = {token: index for index, token in enumerate(TOKENS)}
MERGES = ("l o", "lo w", "e r", "Ġ low")


class TestOPTTokenizer(TokenizerTesterMixin):
    tokenizer_class = OPTTokenizer
    text_survives_round_trip = True

    def test_merges(self) -> None:
        tokenizer = OPTTokenizer(VOCABULARY, MERGES)
        assert tokenizer.tokenize("lower low") == ["low", "er", "Ġlow"]
        assert tokenizer.decode([13, 14, 15]) == "lower low"

    def test_the_token_that_ends_a_text_starts_it(self) -> None:
        tokenizer = OPTTokenizer(VOCABULARY, MERGES)
        assert tokenizer.encode("lower low") == [2, 13, 14, 15]
        assert tokenizer.encode("") == [2]
        pair = tokenizer("low", "low", return_token_type_ids=True)
        assert pair["input_ids"] == [2, 13, 2, 13]
        assert pair["token_type_ids"] == [0, 0, 1, 1]
        assert tokenizer(["lower", "low"], padding=True)["input_ids"] == [[2, 13, 14], [2, 13, 1]]
        assert OPTTokenizer(VOCABULARY, MERGES, add_bos_token=False).encode("low") == [13]

    def test_files_and_values_are_the_same_vocabulary(self, tmp_path: Path) -> None:
        OPTTokenizer(VOCABULARY, [merge.split(" ") for merge in MERGES]).save_pretrained(tmp_path)
        from_files = OPTTokenizer(tmp_path / "vocab.json", str(tmp_path / "merges.txt"))
        assert from_files.encode("lower low") == OPTTokenizer(VOCABULARY, MERGES).encode("lower low")

    def test_prefix_space(self, tmp_path: Path) -> None:
        tokenizer = OPTTokenizer(VOCABULARY, MERGES, add_prefix_space=True)
        assert tokenizer.tokenize("low") == ["Ġlow"]
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer_config.json").unlink()
        loaded = OPTTokenizer.from_pretrained(tmp_path)
        assert loaded.add_prefix_space and loaded.tokenize("low") == ["Ġlow"]
        assert loaded.encode("low") == [2, 15]

    def test_every_byte_is_a_token_after_training(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in ("\x00\x01\x7f", "👩‍👩‍👧‍👦", "\u0085\u2028\ufeff", "  \t\r\n  ", "漢字"):
            assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == text

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="belong together"):
            OPTTokenizer(VOCABULARY)
        with pytest.raises(ValueError, match="'l w'"):
            OPTTokenizer(VOCABULARY, ["l w"])
        with pytest.raises(FileNotFoundError):
            OPTTokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
