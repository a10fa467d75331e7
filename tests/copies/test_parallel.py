"""Two processes find what one finds, also when the second does not come to its end."""

from __future__ import annotations

import marshal
import os
from pathlib import Path

import pytest

from add_model.copies.remembering import cache, parallel
from add_model.copies.remembering.cache import check_library
from add_model.library import Library
from tests.copies.libraries import write_library

ORIGINAL = "class ALayer:\n    def forward(self, x):\n        return x + 1\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    files: dict[str, str | bytes] = {"my_models/a.py": ORIGINAL, "my_models/y.py": b"\xff", "my_models/b.py": b"\xff"}
    for number in range(20):
        marker = f"# Copied from my_models.{'missing' if number % 7 == 0 else 'a'}.ALayer with A->B{number}\n"
        text = ORIGINAL.replace("A", f"B{number}").replace("+ 1", "+ 2" if number % 5 == 0 else "+ 1")
        files[f"my_models/copy_{number}.py"] = marker + text
    return write_library(tmp_path, files)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process cannot be split here")
@pytest.mark.parametrize("dies", [None, "before its answer", "within its answer"])
def test_two_processes_find_what_one_finds(
    dies: str | None, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = check_library(library, None)
    monkeypatch.setattr(cache, "_FEW", 2)
    monkeypatch.setattr(parallel, "_can_split", lambda: True)
    if dies == "before its answer":
        monkeypatch.setattr(parallel, "_send", lambda *_: os._exit(9))
    elif dies:
        whole = marshal.dumps
        monkeypatch.setattr(parallel.marshal, "dumps", lambda answer: whole(answer)[:-20])
    assert check_library(library, None) == alone
    assert {finding.code.name for finding in alone.findings} >= {"CP001", "CP002", "CP006"}
