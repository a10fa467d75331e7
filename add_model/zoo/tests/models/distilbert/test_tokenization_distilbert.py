"""Tests of the DistilBERT tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from add_model.zoo.models.distilbert.tokenization_distilbert import DistilBertTokenizer

from ...test_tokenization_common import TokenizerTesterMixin

VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("the", "quick", "##est", "fox", "un", "##want", "##ed", ",", "run", "##ning", "cafe", "café", "你", "好", "Fox"),
)


@pytest.fixture
def vocabulary_file(tmp_path: Path) -> Path:
    """A `vocab.txt`, as published checkpoints have it."""
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return path


class TestDistilBertTokenizer(TokenizerTesterMixin):
    tokenizer_class = DistilBertTokenizer

    def test_word_pieces(self, vocabulary_file: Path) -> None:
        tokenizer = DistilBertTokenizer(vocabulary_file)
        assert tokenizer.tokenize("The quickest fox, UNwanted running") == [
            *("the", "quick", "##est", "fox", ",", "un", "##want", "##ed", "run", "##ning")
        ]
        assert tokenizer.tokenize("the zebra") == ["the", "[UNK]"]
        assert tokenizer.decode(tokenizer.encode("the quickest fox, running")) == (
            "[CLS] the quickest fox, running [SEP]"
        )

    def test_path_and_dictionary_are_the_same_vocabulary(self, vocabulary_file: Path) -> None:
        as_dictionary = {token: index for index, token in enumerate(VOCABULARY)}
        assert DistilBertTokenizer(as_dictionary).get_vocab() == DistilBertTokenizer(str(vocabulary_file)).get_vocab()
        assert DistilBertTokenizer.from_pretrained(vocabulary_file.parent).get_vocab() == as_dictionary

    def test_templates(self, vocabulary_file: Path) -> None:
        tokenizer = DistilBertTokenizer(vocabulary_file)
        assert list(tokenizer("the fox")) == ["input_ids", "attention_mask"]
        single = tokenizer("the fox", return_token_type_ids=True)
        assert single["input_ids"] == [2, 5, 8, 3]
        assert single["token_type_ids"] == [0, 0, 0, 0]
        pair = tokenizer("the fox", "the", return_token_type_ids=True)
        assert pair["input_ids"] == [2, 5, 8, 3, 5, 3]
        assert pair["token_type_ids"] == [0, 0, 0, 0, 1, 1]
        assert tokenizer(["the"], [""])["input_ids"] == [[2, 5, 3, 3]]

    def test_lower_case_and_accents(self, vocabulary_file: Path) -> None:
        assert DistilBertTokenizer(vocabulary_file).tokenize("CAFÉ Fox") == ["cafe", "fox"]
        assert DistilBertTokenizer(vocabulary_file, strip_accents=False).tokenize("CAFÉ Fox") == ["café", "fox"]
        cased = DistilBertTokenizer(vocabulary_file, do_lower_case=False)
        assert cased.tokenize("café Fox fox") == ["café", "Fox", "fox"]
        assert DistilBertTokenizer(vocabulary_file, do_lower_case=False, strip_accents=True).tokenize("café") == [
            "cafe"
        ]

    def test_chinese_characters_are_words(self, vocabulary_file: Path) -> None:
        assert DistilBertTokenizer(vocabulary_file).tokenize("你好") == ["你", "好"]
        assert DistilBertTokenizer(vocabulary_file, tokenize_chinese_chars=False).tokenize("你好") == ["[UNK]"]

    def test_control_characters_are_dropped(self, vocabulary_file: Path) -> None:
        tokenizer = DistilBertTokenizer(vocabulary_file)
        assert tokenizer.tokenize("t\x00h\x07e\u200b \t\n fo\ufffdx") == ["the", "fox"]

    def test_options_come_back_from_every_file(self, vocabulary_file: Path, tmp_path: Path) -> None:
        options: dict[str, Any] = {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}
        folder = tmp_path / "saved"
        DistilBertTokenizer(vocabulary_file, **options).save_pretrained(folder)
        for removed in ("vocab.txt", "tokenizer_config.json"):
            loaded = DistilBertTokenizer.from_pretrained(folder)
            assert {name: getattr(loaded, name) for name in options} == options
            assert loaded.tokenize("café Fox 你好") == ["cafe", "Fox", "[UNK]"]
            (folder / removed).unlink()
        overridden = DistilBertTokenizer.from_pretrained(folder, do_lower_case=True)
        assert overridden.tokenize("Café Fox 你好") == ["cafe", "fox", "[UNK]"]

    def test_published_configuration_keys(self, vocabulary_file: Path) -> None:
        (vocabulary_file.parent / "tokenizer_config.json").write_text(
            '{"do_lower_case": false, "model_max_length": 7, "do_basic_tokenize": true, "never_split": null,'
            ' "tokenizer_class": "DistilBertTokenizer", "name_or_path": "somewhere", "padding_side": "left"}',
            encoding="utf-8",
        )
        tokenizer = DistilBertTokenizer.from_pretrained(vocabulary_file.parent)
        assert tokenizer.tokenize("Fox") == ["Fox"]
        assert tokenizer.encode("the fox", padding="max_length") == [0, 0, 0, 2, 5, 8, 3]

    def test_vocabulary_lines(self, tmp_path: Path) -> None:
        # A token may be a character at which other tools would end the line.
        lines = [*VOCABULARY[:5], "\u2028", "a\rb", "fox"]
        path = tmp_path / "vocab.txt"
        path.write_bytes("\r\n".join(lines).encode())
        assert DistilBertTokenizer(path).encode("fox", add_special_tokens=False) == [7]

    def test_missing_vocabulary(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            DistilBertTokenizer(tmp_path / "vocab.txt")
        with pytest.raises(ValueError, match="unknown token"):
            DistilBertTokenizer({"the": 0})
        assert DistilBertTokenizer({"the": 0, "[UNK]": 1}).get_vocab() == {
            **{"the": 0, "[UNK]": 1, "[SEP]": 2, "[PAD]": 3, "[CLS]": 4, "[MASK]": 5}
        }
