"""In a git work tree, a fix never throws away what somebody has written into a copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from add_model.copies.finding import Code
from add_model.copies.fix import Fixed, fix
from add_model.library import Library, library_at

from .libraries import write_library

BERT = "class Bert:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 1\n"
VIT = "# Copied from my_models.bert.Bert with Bert->ViT\n" + BERT.replace("Bert", "ViT") + "\n\nOTHER = 1\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/vit.py": VIT})
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return library_at(tmp_path)


def edit(library: Library, name: str, old: str, new: str) -> None:
    path = library.root / "src/my_models" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def fix_and_write(library: Library, force: bool = False) -> Fixed:
    result = fix(library, force=force)
    result.write()
    return result


def vit(library: Library) -> str:
    return (library.root / "src/my_models/vit.py").read_text()


def test_a_copy_whose_original_moved_is_rewritten(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    edit(library, "vit.py", "OTHER = 1", "OTHER = 2")
    assert fix_and_write(library).findings == []
    assert vit(library) == VIT.replace("return 1", "return 2").replace("OTHER = 1", "OTHER = 2")


def test_a_copy_that_was_edited_is_left_alone_with_its_choices(library: Library) -> None:
    edit(library, "vit.py", "return 1\n\n    def", "return 3\n\n    def")
    before = vit(library)
    (finding,) = fix_and_write(library).findings
    assert finding.code is Code.CP001 and not finding.fixable
    assert "edited since the last commit" in finding.message and "--force" in finding.message
    assert vit(library) == before


def test_force_takes_the_original(library: Library) -> None:
    edit(library, "vit.py", "return 1\n\n    def", "return 3\n\n    def")
    assert fix_and_write(library, force=True).findings == []
    assert vit(library) == VIT


def test_what_a_fix_wrote_is_nobodys_edit(library: Library) -> None:
    for value in (2, 3, 1):
        path = library.root / "src/my_models/bert.py"
        path.write_text(BERT.replace("return 1", f"return {value}"))
        assert fix_and_write(library).findings == []
        assert vit(library) == VIT.replace("return 1", f"return {value}")
    assert not (library.root / ".add-model").exists()


def test_a_copy_edited_after_a_fix_is_left_alone(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    fix_and_write(library)
    edit(library, "vit.py", "return 2\n\n    def", "return 3\n\n    def")
    assert [finding.code for finding in fix_and_write(library).findings] == [Code.CP001]
