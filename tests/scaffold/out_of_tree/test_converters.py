"""A fast tokenizer of a package is made of a slow one's files, as its reference's is."""

from __future__ import annotations

from pathlib import Path

from tests.scaffold.rendered import in_a_package, modules


def test_the_converter_of_a_slow_tokenizer_is_told_where_the_tokenizer_stands(tmp_path: Path) -> None:
    found = modules(in_a_package("bert", "my_bert", tmp_path))
    text = found["transformers.models.my_bert.tokenization_my_bert"]
    assert "from transformers.convert_slow_tokenizer import SLOW_TO_FAST_CONVERTERS\n" in text
    assert 'SLOW_TO_FAST_CONVERTERS["MyBertTokenizer"] = SLOW_TO_FAST_CONVERTERS["BertTokenizer"]\n' in text
    others = [path for path, text in found.items() if "SLOW_TO_FAST" in text]
    assert others == ["transformers.models.my_bert.tokenization_my_bert"]


def test_a_tokenizer_without_a_converter_tells_none(tmp_path: Path) -> None:
    found = modules(in_a_package("canine", "my_canine", tmp_path))
    assert all("SLOW_TO_FAST" not in text for text in found.values())
