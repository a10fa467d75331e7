"""Tests of the GPT-J tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.zoo.models.gptj.tokenization_gptj import GPTJTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

# "Ġ" is how the byte of a space is written.
TOKENS = ("l", "o", "w", "e", "r", "s", "t", "Ġ", "lo", "low", "er", "Ġlow", "<|endoftext|>")
VOCABULARY = {token: index for index, token in enumerate(TOKENS)}
MERGES = ("l o", "lo w", "e r", "Ġ low")


class TestGPTJTokenizer(TokenizerTesterMixin):
    tokenizer_class = GPTJTokenizer
    text_survives_round_trip = True

    def test_merges(self) -> None:
        tokenizer = GPTJTokenizer(VOCABULARY, MERGES)
        assert tokenizer.tokenize("lower low") == ["low", "er", "Ġlow"]
        assert tokenizer.encode("lower low") == [9, 10, 11]
        assert tokenizer.decode([9, 10, 11]) == "lower low"

    def test_files_and_values_are_the_same_vocabulary(self, tmp_path: Path) -> None:
        GPTJTokenizer(VOCABULARY, [merge.split(" ") for merge in MERGES]).save_pretrained(tmp_path)
        from_files = GPTJTokenizer(tmp_path / "vocab.json", str(tmp_path / "merges.txt"))
        assert from_files.encode("lower low") == GPTJTokenizer(VOCABULARY, MERGES).encode("lower low")
        assert (tmp_path / "merges.txt").read_text(encoding="utf-8").splitlines()[1:] == list(MERGES)

    def test_no_special_tokens_unless_asked_for(self) -> None:
        assert GPTJTokenizer(VOCABULARY, MERGES).encode("low", "low") == [9, 9]
        begin = GPTJTokenizer(VOCABULARY, MERGES, add_bos_token=True)
        assert begin.encode("low") == [12, 9]
        both = GPTJTokenizer(VOCABULARY, MERGES, add_bos_token=True, add_eos_token=True)
        pair = both("low", "low", return_token_type_ids=True)
        assert pair["input_ids"] == [12, 9, 12, 12, 9, 12]
        assert pair["token_type_ids"] == [0, 0, 0, 1, 1, 1]

    def test_prefix_space(self, tmp_path: Path) -> None:
        tokenizer = GPTJTokenizer(VOCABULARY, MERGES, add_prefix_space=True)
        assert tokenizer.tokenize("low") == ["Ġlow"]
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer_config.json").unlink()
        loaded = GPTJTokenizer.from_pretrained(tmp_path)
        assert loaded.add_prefix_space and loaded.tokenize("low") == ["Ġlow"]
        assert GPTJTokenizer.from_pretrained(tmp_path, add_prefix_space=False).tokenize("low") == ["low"]
        assert GPTJTokenizer.from_pretrained(tmp_path, add_bos_token=True).encode("low") == [12, 11]

    def test_every_byte_is_a_token_after_training(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in ("\x00\x01\x7f", "👩‍👩‍👧‍👦", "\u0085\u2028\ufeff", "  \t\r\n  ", "漢字"):
            assert tokenizer.decode(tokenizer.encode(text)) == text

    def test_padding_with_the_end_token(self) -> None:
        tokenizer = GPTJTokenizer(VOCABULARY, MERGES)
        assert tokenizer.pad_token is None and tokenizer.pad_token_id is None
        tokenizer.pad_token = tokenizer.eos_token
        assert tokenizer(["lower", "low"], padding=True)["input_ids"] == [[9, 10], [9, 12]]

    def test_bad_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="belong together"):
            GPTJTokenizer(VOCABULARY)
        with pytest.raises(ValueError, match="'l w'"):
            GPTJTokenizer(VOCABULARY, ["l w"])
        with pytest.raises(ValueError, match="'low'"):
            GPTJTokenizer(VOCABULARY, ["low"])
        with pytest.raises(FileNotFoundError):
            GPTJTokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
        (tmp_path / "vocab.json").write_text("[]", encoding="utf-8")
        (tmp_path / "merges.txt").write_text("", encoding="utf-8")
        with pytest.raises(ValueError, match="vocab.json"):
            GPTJTokenizer.from_pretrained(tmp_path)
