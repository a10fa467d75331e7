"""Tests of the Longformer tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.zoo.models.longformer.tokenization_longformer import LongformerTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
# "Ġ" is how the byte of a space is written.
TOKENS = (*SPECIAL_TOKENS, "l", "o", "w", "e", "r", "s", "t", "Ġ", "lo", "low", "er", "Ġlow")
VOCABULARY = {token: index for index, token in enumerate(TOKENS)}
MERGES = ("l o", "lo w", "e r", "Ġ low")


class TestLongformerTokenizer(TokenizerTesterMixin):
    tokenizer_class = LongformerTokenizer
    text_survives_round_trip = True

    def test_merges(self) -> None:
        tokenizer = LongformerTokenizer(VOCABULARY, MERGES)
        assert tokenizer.tokenize("lower low") == ["low", "er", "Ġlow"]
        assert tokenizer.decode([14, 15, 16]) == "lower low"

    def test_files_and_values_are_the_same_vocabulary(self, tmp_path: Path) -> None:
        LongformerTokenizer(VOCABULARY, [merge.split(" ") for merge in MERGES]).save_pretrained(tmp_path)
        from_files = LongformerTokenizer(tmp_path / "vocab.json", str(tmp_path / "merges.txt"))
        assert from_files.encode("lower low") == LongformerTokenizer(VOCABULARY, MERGES).encode("lower low")

    def test_templates(self) -> None:
        tokenizer = LongformerTokenizer(VOCABULARY, MERGES)
        assert tokenizer.encode("low") == [0, 14, 2]
        pair = tokenizer("low", "low", return_token_type_ids=True)
        assert pair["input_ids"] == [0, 14, 2, 2, 14, 2]
        assert pair["token_type_ids"] == [0, 0, 0, 0, 0, 0]
        assert tokenizer(["low", ""], padding=True)["input_ids"] == [[0, 14, 2], [0, 2, 1]]

    def test_mask_token_takes_the_space_before_it(self, tmp_path: Path) -> None:
        tokenizer = LongformerTokenizer(VOCABULARY, MERGES)
        assert tokenizer.tokenize("low <mask> low") == ["low", "<mask>", "Ġlow"]
        tokenizer.save_pretrained(tmp_path)
        for removed in ("tokenizer_config.json", "tokenizer.json"):
            assert LongformerTokenizer.from_pretrained(tmp_path).tokenize("low <mask> low") == [
                "low",
                "<mask>",
                "Ġlow",
            ]
            (tmp_path / removed).unlink()
        assert LongformerTokenizer.from_pretrained(tmp_path).tokenize("low <mask> low") == ["low", "<mask>", "Ġlow"]

    def test_prefix_space(self, tmp_path: Path) -> None:
        tokenizer = LongformerTokenizer(VOCABULARY, MERGES, add_prefix_space=True)
        assert tokenizer.tokenize("low") == ["Ġlow"]
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer_config.json").unlink()
        loaded = LongformerTokenizer.from_pretrained(tmp_path)
        assert loaded.add_prefix_space and loaded.tokenize("low") == ["Ġlow"]
        assert LongformerTokenizer.from_pretrained(tmp_path, add_prefix_space=False).tokenize("low") == ["low"]

    def test_offsets_leave_out_the_space(self) -> None:
        tokenizer = LongformerTokenizer(VOCABULARY, MERGES)
        assert tokenizer("low low", return_offsets_mapping=True)["offset_mapping"] == [(0, 0), (0, 3), (4, 7), (0, 0)]
        untrimmed = LongformerTokenizer(VOCABULARY, MERGES, trim_offsets=False)
        assert untrimmed("low low", return_offsets_mapping=True)["offset_mapping"][2] == (3, 7)

    def test_every_byte_is_a_token_after_training(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in ("\x00\x01\x7f", "👩‍👩‍👧‍👦", "\u0085\u2028\ufeff", "  \t\r\n  ", "漢字"):
            assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == text

    def test_training_keeps_the_published_order_of_special_tokens(self) -> None:
        assert self.get_tokenizer().convert_ids_to_tokens(range(5)) == list(SPECIAL_TOKENS)

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="belong together"):
            LongformerTokenizer(VOCABULARY)
        with pytest.raises(ValueError, match="'l w'"):
            LongformerTokenizer(VOCABULARY, ["l w"])
        with pytest.raises(FileNotFoundError):
            LongformerTokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
