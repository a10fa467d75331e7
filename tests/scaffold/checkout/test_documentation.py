"""The new model's page, its entry in the table of contents, and its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_registration import register
from .trees import make_checkout

CONTENTS = "docs/source/en/_toctree.yml"
PAGE = "docs/source/en/model_doc/{}.md"


def page(root: Path, name: str = "jay") -> str:
    files = {file.path: file.content for file in register(root).new_files}
    return files[root / PAGE.format(name)].decode()


def contents_of(root: Path, new: str = "jay", camel: str = "Jay") -> list[str]:
    edit = next(edit for edit in register(root, new, camel).edits if edit.path == root / CONTENTS)
    return edit.after.decode().splitlines()


def test_the_page_lists_the_classes_and_tells_nothing_of_the_reference(tmp_path: Path) -> None:
    text = page(make_checkout(tmp_path))
    assert text.startswith("<!--Copyright of nobody in particular-->\n\n# Jay\n")
    assert "## JayConfig\n\n[[autodoc]] JayConfig\n" in text
    assert text.endswith("## JayModel\n\n[[autodoc]] JayModel\n    - forward\n")
    assert "It started as a copy of [Wren](./wren)" in text
    for told in ("sings", "published on", "birds/wren-base", "papers/wren"):
        assert told not in text


def test_blocks_of_frameworks_stay_around_their_classes(tmp_path: Path) -> None:
    text = """# Wren

## WrenConfig

[[autodoc]] WrenConfig

<frameworkcontent>
<pt>

## WrenModel

It sings.

[[autodoc]] WrenModel
    - forward

</pt>
</frameworkcontent>
"""
    root = make_checkout(tmp_path, 4, {PAGE.format("wren"): text})
    kept = text.partition("\n\n")[2].replace("It sings.\n\n", "").replace("Wren", "Jay")
    assert "".join(page(root).split()).endswith("".join(kept.split()))


@pytest.mark.parametrize(
    ("stem", "new"), [("wren-text-model", "jay"), ("little-bird", "jay"), ("wren_text_model", "jay_text_model")]
)
def test_a_page_of_another_name_is_found(tmp_path: Path, stem: str, new: str) -> None:
    root = make_checkout(tmp_path)
    (root / PAGE.format("wren")).rename(root / PAGE.format(stem))
    assert "# Jay" in page(root, new)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("new", "before", "after"), [("aardvark", "sections", "albatross"), ("jay", "Finch", "wren"), ("zebra", "Wren", "Text models")])  # fmt: skip
def test_the_entry_stands_in_the_section_of_the_reference_by_its_title(
    tmp_path: Path, new: str, before: str, after: str, newline: str
) -> None:
    root = make_checkout(tmp_path)
    path = root / CONTENTS
    path.write_bytes(path.read_bytes().replace(b"\n", newline.encode()))
    lines = contents_of(root, new, new.title())
    place = lines.index(f"      - local: model_doc/{new}")
    assert lines[place + 1] == f"        title: {new.title()}"
    assert before in lines[place - 1] and after in lines[place + 2]


def test_titles_in_another_order_leave_it_behind_the_reference(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    path = root / CONTENTS
    path.write_text(path.read_text().replace("title: Albatross", "title: The Albatross"))
    lines = contents_of(root)
    assert lines[lines.index("      - local: model_doc/jay") - 1] == "        title: Wren"


def test_titles_may_stand_first(tmp_path: Path) -> None:
    text = "- sections:\n  - title: Wren\n    local: model_doc/wren\n    isExpanded: true\n  title: Models"
    lines = contents_of(make_checkout(tmp_path, changed={CONTENTS: text}))
    *above, below = text.splitlines()
    assert lines == [*above, "  - local: model_doc/jay", "    title: Jay", below]


def test_a_table_of_contents_without_the_reference_is_left_to_the_person(tmp_path: Path) -> None:
    root = make_checkout(tmp_path, changed={CONTENTS: "- local: index\n  title: Start\n"})
    registration = register(root)
    assert all(edit.path != root / CONTENTS for edit in registration.edits)
    assert any(note.path == root / CONTENTS and "model_doc/jay" in note.text for note in registration.notes)


def test_a_source_archive_has_neither_docs_nor_tests(tmp_path: Path) -> None:
    import shutil

    root = make_checkout(tmp_path)
    shutil.rmtree(root / "docs")
    shutil.rmtree(root / "tests")
    assert register(root).new_files == ()


def test_the_tests_are_the_references_renamed_without_its_markers(tmp_path: Path) -> None:
    path = "tests/models/wren/test_modeling_wren.py"
    root = make_checkout(tmp_path)
    marked = (
        "# Copied from tests.models.finch.test_modeling_finch.FinchTest with Finch->Wren\n" + (root / path).read_text()
    )
    (root / path).write_text(marked)
    (root / "tests/models/wren/wren_song.txt").write_text("the wren sings\n")
    files = {file.path.relative_to(root).as_posix(): file.content.decode() for file in register(root).new_files}
    text = files["tests/models/jay/test_modeling_jay.py"]
    assert "class JayModelTest(ModelTesterMixin" in text and "Copied from" not in text
    assert files["tests/models/jay/__init__.py"] == ""
    assert files["tests/models/jay/jay_song.txt"] == "the wren sings\n"


def test_what_is_no_text_gets_a_note(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    (root / "tests/models/wren/song.wav").write_bytes(b"\xff\xfe\x00")
    registration = register(root)
    assert all(file.path.suffix != ".wav" for file in registration.new_files)
    assert any(note.path.name == "song.wav" for note in registration.notes)
