"""Tests of the BLOOM tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.zoo.models.bloom.tokenization_bloom import BloomTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

SPECIAL_TOKENS = ("<unk>", "<s>", "</s>", "<pad>")
# "Ġ" is how the byte of a space is written.
TOKENS = (*SPECIAL_TOKENS, "l", "o", "w", "e", "r", "s", "t", "Ġ", "lo", "low", "er", "Ġlow")
VOCABULARY = {token: index for index, token in enumerate(TOKENS)}
MERGES = ("l o", "lo w", "e r", "Ġ low")


class TestBloomTokenizer(TokenizerTesterMixin):
    tokenizer_class = BloomTokenizer
    text_survives_round_trip = True

    def test_merges(self) -> None:
        tokenizer = BloomTokenizer(VOCABULARY, MERGES)
        assert tokenizer.tokenize("lower low") == ["low", "er", "Ġlow"]
        assert tokenizer.encode("lower low") == [13, 14, 15]
        assert tokenizer.decode([13, 14, 15]) == "lower low"

    def test_words_are_cut_at_spaces_and_punctuation_only(self) -> None:
        def words(text: str) -> list[str]:
            pieces = BloomTokenizer().backend.pre_tokenizer.pre_tokenize_str(text)
            return [text[start:end] for _, (start, end) in pieces]

        assert words("I'll pay 12345€, (now)!") == ["I'll", " pay", " 12345€", ", (", "now", ")!"]
        assert words("snake_case a|b") == ["snake_case", " a", "|", "b"]
        assert words("你好,世界。再见") == ["你好", ",", "世界", "。", "再见"]
        assert words("two  spaces\n") == ["two", " ", " spaces", "\n"]

    def test_files_and_values_are_the_same_vocabulary(self, tmp_path: Path) -> None:
        BloomTokenizer(VOCABULARY, [merge.split(" ") for merge in MERGES]).save_pretrained(tmp_path)
        from_files = BloomTokenizer(tmp_path / "vocab.json", str(tmp_path / "merges.txt"))
        assert from_files.encode("lower low") == BloomTokenizer(VOCABULARY, MERGES).encode("lower low")

    def test_no_special_tokens_unless_asked_for(self, tmp_path: Path) -> None:
        tokenizer = BloomTokenizer(VOCABULARY, MERGES)
        assert tokenizer.encode("low", "low") == [13, 13]
        assert tokenizer(["lower", "low"], padding=True)["input_ids"] == [[13, 14], [13, 3]]
        both = BloomTokenizer(VOCABULARY, MERGES, add_bos_token=True, add_eos_token=True)
        assert both.encode("low") == [1, 13, 2]
        tokenizer.save_pretrained(tmp_path)
        assert BloomTokenizer.from_pretrained(tmp_path, add_bos_token=True).encode("low") == [1, 13]

    def test_every_byte_is_a_token_after_training(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in ("\x00\x01\x7f", "👩‍👩‍👧‍👦", "\u0085\u2028\ufeff", "  \t\r\n  ", "漢字"):
            assert tokenizer.decode(tokenizer.encode(text)) == text

    def test_training_keeps_the_published_order_of_special_tokens(self) -> None:
        assert self.get_tokenizer().convert_ids_to_tokens(range(4)) == list(SPECIAL_TOKENS)

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="belong together"):
            BloomTokenizer(VOCABULARY)
        with pytest.raises(ValueError, match="'l w'"):
            BloomTokenizer(VOCABULARY, ["l w"])
        with pytest.raises(FileNotFoundError):
            BloomTokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
