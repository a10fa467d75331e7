"""The examples of the page on the marker language are what the page says they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .libraries import codes_of, write_library

PAGE = (Path(__file__).parents[2] / "docs" / "markers.md").read_text(encoding="utf-8")
ORIGINAL = re.search(r"```python\n# my_models/bert\.py\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"^(Holds|CP\d+):\n\n```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("said", "copy"), EXAMPLES, ids=[f"{number}-{said}" for number, (said, _) in enumerate(EXAMPLES)]
)
def test_an_example_is_what_the_page_says(said: str, copy: str, tmp_path: Path) -> None:
    assert ORIGINAL is not None
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL[1], "my_models/vit.py": copy})
    assert set(codes_of(library)) == ({said} if said != "Holds" else set())


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == PAGE.count("```python\n") - 1 > 10
