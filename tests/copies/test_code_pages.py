"""The examples of the pages in docs/codes: the wrong one is found, the right one is clean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from add_model.copies.finding import Code

from .libraries import codes_of, write_library

PAGES = Path(__file__).parents[2] / "docs" / "codes"


def examples(page: str, heading: str) -> dict[str, str]:
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", section, re.DOTALL)
    assert blocks, f"no example below {heading!r}"
    return dict(blocks)


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_page_has_examples_that_hold(code: Code, tmp_path: Path) -> None:
    page = (PAGES / f"{code.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code.name}: {code.value}\n")
    wrong = codes_of(write_library(tmp_path / "wrong", examples(page, "Wrong")))
    assert set(wrong) == {code.name}
    assert codes_of(write_library(tmp_path / "right", examples(page, "Right"))) == []


def test_every_file_of_a_wrong_example_but_the_original_is_found(tmp_path: Path) -> None:
    page = (PAGES / "CP003.md").read_text(encoding="utf-8")
    assert codes_of(write_library(tmp_path, examples(page, "Wrong"))) == ["CP003"] * 5


def test_index_lists_every_code() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(CP\d+)\]\(\1\.md\) \| (.*?) \|", index, re.MULTILINE) == [
        (code.name, code.value) for code in Code
    ]
