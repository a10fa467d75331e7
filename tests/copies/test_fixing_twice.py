"""Chains of copies and fixes one after another: what was edited stays, and nothing is taken for what it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.copies.finding import Code, Conflict, Moved
from add_model.library import Library, library_at

from .libraries import write_library
from .test_sides import commit, edit, fixed, git, left, library, told, vit

__all__ = ["library"]


ROTATE = "def rotate_half(x):\n    return x\n"
CHAIN = {
    "my_models/a.py": ROTATE,
    "my_models/b.py": "# Copied from my_models.a.rotate_half\n" + ROTATE,
    "my_models/c.py": "# Copied from my_models.b.rotate_half\n" + ROTATE,
}


@pytest.fixture
def chain(tmp_path: Path) -> Library:
    write_library(tmp_path, CHAIN)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return library_at(tmp_path)


def test_an_edit_in_the_middle_of_a_chain_goes_on_to_its_copies_and_stays(chain: Library) -> None:
    edit(chain, "b.py", "return x", "return -x")
    finding = left(chain)
    assert (finding.path, finding.moved, finding.fixable) == ("src/my_models/b.py", Moved.COPY, False)
    for name in ("b.py", "c.py"):
        assert "return -x" in (chain.root / "src/my_models" / name).read_text()


def test_a_merge_in_the_middle_of_a_chain_stays(chain: Library) -> None:
    for name in ("a", "b", "c"):
        edit(chain, f"{name}.py", "    return x", "    y = 1\n    z = 2\n    w = 3\n    return x")
    commit(chain.root)
    edit(chain, "a.py", "y = 1", "y = 11")
    edit(chain, "b.py", "return x", "return -x")
    for _ in range(2):
        left(chain)
        for name in ("b.py", "c.py"):
            text = (chain.root / "src/my_models" / name).read_text()
            assert "y = 11" in text and "return -x" in text


def test_what_a_fix_wrote_elsewhere_is_an_edit_here(tmp_path: Path) -> None:
    files = {
        f"my_models/{name}.py": text
        for number in (1, 2)
        for name, text in {f"o{number}": ROTATE, f"c{number}": f"# Copied from my_models.o{number}.rotate_half\n{ROTATE}"}.items()
    }  # fmt: skip
    write_library(tmp_path, files)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    library = library_at(tmp_path)
    edit(library, "o1.py", "return x", "return 2")
    assert fixed(library).rewritten == 1
    edit(library, "c2.py", "return x", "return 2")
    assert left(library).moved is Moved.COPY
    assert "return 2" in (tmp_path / "src/my_models/c2.py").read_text()


REPEATED = "class Bert:\n    def f(self, x):\n        residual = x\n        x = self.attention(x)\n        x = residual + x\n        return x\n"


@pytest.mark.parametrize(
    "insertion",
    ["\n        residual = x\n        x = self.mlp(x)\n        x = residual + x\n", "        x = residual + x\n"],
)
def test_what_was_merged_is_not_merged_again(tmp_path: Path, insertion: str) -> None:
    copy = "# Copied from my_models.bert.Bert with Bert->ViT\n" + REPEATED.replace("Bert", "ViT")
    write_library(tmp_path, {"my_models/bert.py": REPEATED, "my_models/vit.py": copy})
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    library = library_at(tmp_path)
    edit(library, "bert.py", "        x = residual + x\n", f"        x = residual + x\n{insertion}")
    edit(library, "vit.py", "        x = residual + x\n", "        x = self.scale(x)\n        x = residual + x\n")
    assert fixed(library).merged == 1
    merged = vit(library)
    assert merged.count("residual + x") == 2 and merged.count("self.scale") == 1
    assert fixed(library).merged == 0 and vit(library) == merged
    # What is edited behind that is merged with what the original gets behind that, and with nothing else.
    edit(library, "vit.py", "self.scale(x)", "self.scales(x)")
    edit(library, "bert.py", "def f(self, x):", "def f(self, x, y):")
    assert fixed(library).merged == 1
    assert vit(library) == merged.replace("self.scale(x)", "self.scales(x)").replace("(self, x)", "(self, x, y)")


def test_a_merge_that_was_undone_is_made_again(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 11")
    edit(library, "bert.py", "z = 3", "z = 33")
    before = vit(library)
    assert fixed(library).merged == 1
    merged = vit(library)
    assert merged != before
    (library.root / "src/my_models/vit.py").write_text(before)
    assert fixed(library).merged == 1 and vit(library) == merged


def test_what_was_merged_is_taken_back_with_the_edit_of_the_original(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    before = vit(library)
    edit(library, "bert.py", "z = 3", "z = 4")
    assert fixed(library).merged == 1 and vit(library) != before
    edit(library, "bert.py", "z = 4", "z = 3")
    assert fixed(library).merged == 1 and vit(library) == before
    assert left(library).moved is Moved.COPY and vit(library) == before
    edit(library, "bert.py", "z = 3", "z = 4")
    assert fixed(library).merged == 1 and "z = 4" in vit(library)


def test_what_was_merged_and_edited_is_not_taken_back(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "z = 3", "z = 4")
    assert fixed(library).merged == 1
    edit(library, "vit.py", "z = 4", "z = 5")
    edit(library, "bert.py", "z = 4", "z = 3")
    before = vit(library)
    finding = left(library)
    assert vit(library) == before
    assert "and conflict: carry" in finding.message
    assert finding.conflicts == (Conflict(copy="        z = 5", original="        z = 3"),)


def test_a_copy_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    bert = "class BertA:\n    x = 1\n\n\ndef g():\n    return 1\n"
    copies = (
        "# Copied from my_models.bert.BertA with Bert->3D-\nclass A:\n    x = 1\n\n\n"
        "# Copied from my_models.bert.g\ndef g():\n    return 2\n"
    )
    write_library(tmp_path, {"my_models/bert.py": bert, "my_models/vit.py": copies})
    library = library_at(tmp_path)
    result = fixed(library)
    assert result.rewritten == 1 and "return 1" in vit(library)
    (finding,) = [finding for finding in result.findings if finding.code is Code.CP001]
    assert "left as it is: what it would become does not parse" in finding.message and not finding.fixable


def test_line_endings_and_layout_are_no_edit_of_a_full_copy(tmp_path: Path) -> None:
    write_library(tmp_path, {"my_models/a.py": "x = 1\ny = f(1)\n", "my_models/b.py": "x = 1\ny = f(1)\n"})
    (tmp_path / "pyproject.toml").write_text(
        '[tool.add-model.full-copies]\n"src/my_models/b.py" = "src/my_models/a.py"\n'
    )
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    (tmp_path / "src/my_models/a.py").write_bytes(b"x = 2\r\ny = f(1)\r\n")
    (tmp_path / "src/my_models/b.py").write_bytes(b"x = (1)\r\ny = f(\r\n    1)\r\n")
    library = library_at(tmp_path)
    assert told(library).moved is Moved.ORIGINAL
    assert fixed(library).findings == []
    assert (tmp_path / "src/my_models/b.py").read_bytes() == b"x = 2\r\ny = f(1)\r\n"


def test_an_edit_in_the_middle_of_full_copies_stays(tmp_path: Path) -> None:
    write_library(tmp_path, {f"my_models/{name}.py": "x = 1\n" for name in "abc"})
    (tmp_path / "pyproject.toml").write_text(
        '[tool.add-model.full-copies]\n"src/my_models/b.py" = "src/my_models/a.py"\n'
        '"src/my_models/c.py" = "src/my_models/b.py"\n'
    )
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    library = library_at(tmp_path)
    edit(library, "b.py", "x = 1", "x = 2")
    assert left(library).path == "src/my_models/b.py"
    assert [(tmp_path / f"src/my_models/{name}.py").read_text() for name in "bc"] == ["x = 2\n"] * 2
