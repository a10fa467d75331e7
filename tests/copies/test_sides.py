"""In a git work tree: which side of a copy has moved, and what a fix makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from add_model.copies.finding import Code, Conflict, Finding, Moved
from add_model.copies.fixing.fix import Fixed, fix
from add_model.copies.judging.check import Check
from add_model.copies.remembering.sides import Sides, with_sides
from add_model.errors import AddModelError
from add_model.library import Library, library_at

from .libraries import findings_of, write_library

BERT = "class Bert:\n    def f(self):\n        return 1\n\n    def g(self):\n        x = 1\n        y = 2\n        z = 3\n        return x\n"
VIT = "# Copied from my_models.bert.Bert with Bert->ViT\n" + BERT.replace("Bert", "ViT") + "\n\nOTHER = 1\n"
FILES = {"my_models/bert.py": BERT, "my_models/vit.py": VIT}


def git(root: Path, *command: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *identity, *command], check=True, capture_output=True)


def commit(root: Path, message: str = "more") -> None:
    git(root, "add", ".")
    git(root, "commit", "-qm", message)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    write_library(tmp_path, FILES)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return library_at(tmp_path)


def edit(library: Library, name: str, old: str, new: str) -> None:
    path = library.root / "src/my_models" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def vit(library: Library) -> str:
    return (library.root / "src/my_models/vit.py").read_text()


def told(library: Library, base: str | None = None) -> Finding:
    """The only finding of a check."""
    check = Check(library)
    (finding,) = Sides(library, base).told(list(check.findings()), check.drifted)
    return finding


def fixed(library: Library, force: bool = False, base: str | None = None) -> Fixed:
    result = fix(library, force=force, base=base)
    result.write()
    return result


def left(library: Library) -> Finding:
    """The only finding of a fix."""
    (finding,) = fixed(library).findings
    return finding


# Which side has moved


def test_the_original_moved(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    finding = told(library)
    assert (finding.moved, finding.fixable) == (Moved.ORIGINAL, True)
    assert finding.message.endswith("; the original moved since HEAD")


def test_the_copy_moved(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    finding = told(library)
    assert (finding.moved, finding.fixable) == (Moved.COPY, False)
    assert finding.message.endswith("; the copy moved since HEAD")


def test_both_moved(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    edit(library, "bert.py", "return x", "return y")
    assert told(library).moved is Moved.BOTH


def test_neither_moved(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    commit(library.root)
    finding = told(library)
    assert (finding.moved, finding.fixable) == (Moved.NONE, True)
    assert finding.message.endswith("; neither side moved since HEAD")


def test_the_base_is_any_commit(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    commit(library.root)
    finding = told(library, base="HEAD~1")
    assert finding.moved is Moved.COPY and finding.message.endswith("since HEAD~1")


@pytest.mark.parametrize("base", ["missing", "--help", "HEAD^{tree}", "HEAD..HEAD"])
def test_a_base_that_git_does_not_know_is_an_error(library: Library, base: str) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    with pytest.raises(AddModelError, match="no such commit here"):
        fix(library, base=base)


def test_layout_moves_nothing(library: Library) -> None:
    edit(library, "vit.py", "x = 1\n", "x = (\n            1\n        )\n")
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is Moved.ORIGINAL


def test_what_the_copy_ignores_moves_neither_side(library: Library) -> None:
    edit(library, "vit.py", "    def f", "    # Ignore copy\n    def f")
    commit(library.root)
    edit(library, "vit.py", "return 1", "return 'own'")
    edit(library, "bert.py", "return 1", "return 2")
    edit(library, "bert.py", "z = 3", "z = 4")
    assert told(library).moved is Moved.ORIGINAL
    assert fixed(library).findings == []
    assert "return 'own'" in vit(library) and "z = 4" in vit(library)


def test_several_definitions_of_one_name_are_told_apart(tmp_path: Path) -> None:
    original = "def first(self):\n    return 1\n\n\ndef second(self):\n    return 2\n"
    copy = "class ViT:\n    @property\n    # Copied from my_models.bert.first\n    def value(self):\n        return 1\n\n    @value.setter\n    # Copied from my_models.bert.second\n    def value(self):\n        return 2\n"
    library = write_library(tmp_path, {"my_models/bert.py": original, "my_models/vit.py": copy})
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    edit(library, "vit.py", "return 2", "return 3")
    assert told(library).moved is Moved.COPY
    edit(library, "vit.py", "return 3", "return 2")
    edit(library, "bert.py", "return 2", "return 3")
    assert told(library).moved is Moved.ORIGINAL


def test_nobody_can_tell_of_a_copy_that_is_new(library: Library) -> None:
    edit(library, "vit.py", "OTHER = 1", "# Copied from my_models.bert.Bert.f\ndef f(self):\n    return 5\n")
    assert told(library).moved is None
    result = fixed(library)
    assert result.findings == [] and len(result.unrecorded) == 1


def test_nobody_can_tell_before_the_first_commit(tmp_path: Path) -> None:
    library = write_library(tmp_path, FILES)
    git(tmp_path, "init", "-q")
    edit(library, "vit.py", "return 1", "return 2")
    assert told(library).moved is None
    assert fixed(library).findings == []


def test_an_original_that_moved_to_another_file_has_not_moved(library: Library) -> None:
    (library.root / "src/my_models/bert.py").rename(library.root / "src/my_models/other.py")
    edit(library, "vit.py", "my_models.bert", "my_models.other")
    edit(library, "vit.py", "return 1", "return 2")
    assert told(library).moved is Moved.COPY


@pytest.mark.parametrize("name", ["vit2.py", "it's \t vé.py"])
def test_an_edit_in_a_file_that_was_renamed_is_seen(library: Library, name: str) -> None:
    git(library.root, "mv", "src/my_models/vit.py", f"src/my_models/{name}")
    edit(library, name, "return 1", "return 2")
    assert told(library).moved is Moved.COPY
    assert left(library).moved is Moved.COPY
    assert "return 2" in (library.root / "src/my_models" / name).read_text()
    commit(library.root)
    assert told(library).moved is Moved.NONE
    assert told(library, base="HEAD~1").moved is Moved.COPY


def test_a_copy_and_its_original_may_be_renamed_together(library: Library) -> None:
    git(library.root, "mv", "src/my_models", "src/models")
    folder = library.root / "src/models"
    for path in folder.glob("*.py"):
        path.write_text(path.read_text().replace("my_models", "models"))
    bert = folder / "bert.py"
    bert.write_text(bert.read_text().replace("return 1", "return 2"))
    git(library.root, "add", ".")
    assert told(library_at(library.root)).moved is Moved.ORIGINAL


def test_names_of_files_that_are_hard_to_write(tmp_path: Path) -> None:
    root = tmp_path / "with space\tand 'é"
    library = write_library(root, {"my_models/bert.py": BERT, "my_models/vé it.py": VIT})
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is Moved.ORIGINAL


def test_a_hooks_own_repository_is_not_asked_about_another(
    library: Library, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    edit(library, "vit.py", "return 1", "return 2")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert told(library).moved is Moved.COPY


def test_sides_are_told_from_findings_alone(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(library, "vit.py", "return 1", "return 2")
    assert with_sides(library, findings_of(library)) == [told(library)]
    edit(library, "vit.py", "return 2", "return 1")
    monkeypatch.setenv("PATH", "")
    assert with_sides(library, findings_of(library)) == []


def test_git_is_asked_twice_however_many_copies_differ(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        (library.root / f"src/my_models/vit{number}.py").write_text(VIT)
    commit(library.root)
    edit(library, "bert.py", "return 1", "return 2")
    calls = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: calls.append(a) or start(*a, **k))
    check = Check(library)
    findings = Sides(library).told(list(check.findings()), check.drifted)
    assert [finding.moved for finding in findings] == [Moved.ORIGINAL] * 11
    assert len(calls) == 2


# What a fix makes of it


def test_a_copy_whose_original_moved_is_rewritten(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    edit(library, "vit.py", "OTHER = 1", "OTHER = 2")
    result = fixed(library)
    assert result.findings == [] and (result.rewritten, result.merged, result.unrecorded) == (1, 0, frozenset())
    assert vit(library) == VIT.replace("return 1", "return 2").replace("OTHER = 1", "OTHER = 2")


def test_a_copy_that_was_edited_is_left_alone_with_its_choices(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    before = vit(library)
    finding = left(library)
    assert finding.code is Code.CP001 and not finding.fixable
    for choice in ("since HEAD", "carry the edit to the original", "`# Ignore copy`", "drop the marker", "--force"):
        assert choice in finding.message
    assert vit(library) == before


def test_force_takes_the_originals_side(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "return x", "return y")
    result = fixed(library, force=True)
    assert result.findings == [] and (result.rewritten, result.merged) == (1, 0)
    assert vit(library) == VIT.replace("return x", "return y")
    assert result.unrecorded == {str(library.root / "src/my_models/vit.py")}


def test_what_a_fix_wrote_is_nobodys_edit(library: Library) -> None:
    for value in (2, 3, 1):
        (library.root / "src/my_models/bert.py").write_text(BERT.replace("return 1", f"return {value}"))
        finding = told(library)
        assert (finding.moved, finding.fixable) == (Moved.ORIGINAL, True)
        result = fixed(library)
        assert result.findings == [] and result.unrecorded == frozenset()
        assert vit(library) == VIT.replace("return 1", f"return {value}")
    assert not (library.root / ".add-model").exists()


def test_a_copy_edited_after_a_fix_is_left_alone(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    fixed(library)
    edit(library, "vit.py", "return 2", "return 3")
    before = vit(library)
    assert left(library).moved is Moved.BOTH
    assert vit(library) == before


def test_where_both_moved_the_edits_are_merged_once(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "z = 3", "z = Bert")
    result = fixed(library)
    merged = VIT.replace("return 1", "return 3").replace("z = 3", "z = ViT")
    assert vit(library) == merged and (result.rewritten, result.merged) == (0, 1)
    (finding,) = result.findings
    assert finding.moved is Moved.BOTH and not finding.fixable and finding.conflicts == ()
    assert "and the copy's own edit is left: carry" in finding.message
    again = fixed(library)
    assert again.after == {} and again.findings == [finding] and again.merged == 0
    edit(library, "bert.py", "return 1", "return 3")
    assert fixed(library).findings == [] and vit(library) == merged


def test_both_moved_to_the_same_place_with_one_more_edit_settles(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "return 1", "return 3")
    edit(library, "bert.py", "z = 3", "z = 4")
    assert fixed(library).findings == []
    assert vit(library) == VIT.replace("return 1", "return 3").replace("z = 3", "z = 4")


def test_a_conflict_leaves_the_file_alone_and_shows_both_sides(library: Library) -> None:
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "return 1", "return 2")
    before = vit(library)
    finding = left(library)
    assert vit(library) == before
    assert finding.conflicts == (Conflict(copy="        return 3", original="        return 2"),)
    assert "and conflict: carry" in finding.message


def test_users_style_of_conflicts_is_of_no_account(library: Library) -> None:
    git(library.root, "config", "merge.conflictStyle", "diff3")
    test_a_conflict_leaves_the_file_alone_and_shows_both_sides(library)


def test_a_merge_that_does_not_parse_is_not_written_and_the_rest_is(library: Library) -> None:
    tried = "        try:\n            a = 1\n            b = 1\n        except A:\n            c = 1\n            d = 1\n            e = 1\n"
    for name in ("bert.py", "vit.py"):
        edit(library, name, "        x = 1\n", tried)
    edit(library, "vit.py", "OTHER = 1", "# Copied from my_models.bert.Bert.f\ndef f(self):\n    return 1\n")
    commit(library.root)
    edit(library, "bert.py", "return 1", "return 2")
    # Each of the edits parses; both together leave an `except` without a `try`.
    edit(library, "bert.py", "try:", "if x:")
    edit(library, "bert.py", "except A:", "else:")
    edit(library, "vit.py", "            e = 1\n", "        except B:\n            e = 1\n")
    before = vit(library)
    (finding,) = fixed(library).findings
    assert finding.moved is Moved.BOTH and finding.conflicts == ()
    assert vit(library) == before.replace("def f(self):\n    return 1", "def f(self):\n    return 2")


def test_a_copy_of_a_merged_copy_follows_it(library: Library) -> None:
    (library.root / "src/my_models/deit.py").write_text(
        VIT.replace("my_models.bert.Bert with Bert->ViT", "my_models.vit.ViT with ViT->DeiT").replace(
            "class ViT", "class DeiT"
        )
    )
    commit(library.root)
    edit(library, "vit.py", "return 1", "return 3")
    edit(library, "bert.py", "z = 3", "z = 4")
    result = fixed(library)
    assert [finding.path for finding in result.findings] == ["src/my_models/vit.py"]
    text = (library.root / "src/my_models/deit.py").read_text()
    assert "return 3" in text and "z = 4" in text


def test_a_full_copy_that_was_edited_is_left_alone(library: Library) -> None:
    (library.root / "pyproject.toml").write_text(
        '[tool.add-model.full-copies]\n"src/my_models/b.py" = "src/my_models/a.py"\n'
    )
    library = library_at(library.root)
    write_library(library.root, {"my_models/a.py": "x = 1\n", "my_models/b.py": "x = 1\n"})
    commit(library.root)
    edit(library, "a.py", "x = 1", "x = 2")
    assert told(library).moved is Moved.ORIGINAL
    assert fixed(library).findings == []
    edit(library, "a.py", "x = 2", "x = 1")
    assert fixed(library).findings == []
    edit(library, "b.py", "x = 1", "x = 3")
    finding = left(library)
    assert finding.moved is Moved.COPY and "full-copies" in finding.message
    assert (library.root / "src/my_models/b.py").read_text() == "x = 3\n"
    assert fixed(library, force=True).findings == []


def test_a_file_that_changes_between_reading_and_rewriting_stops_the_fix(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    look_at = Sides.look_at

    def saved_meanwhile(self: Sides, pairs: object) -> None:
        look_at(self, pairs)  # type: ignore[arg-type]
        edit(library, "vit.py", "OTHER = 1", "OTHER = 'longer than before'")

    monkeypatch.setattr(Sides, "look_at", saved_meanwhile)
    with pytest.raises(AddModelError, match="vit.py: was changed while this run was at work; run again"):
        fix(library)


def test_a_work_tree_that_git_refuses_is_not_fixed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a checkout that belongs to somebody else, in a container for one."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    edit(library, "vit.py", "return 1", "return 2")
    before = vit(library)
    with pytest.raises(AddModelError, match="dubious ownership.*safe.directory"):
        fix(library)
    with pytest.raises(AddModelError, match="dubious ownership.*safe.directory"):
        told(library, base="HEAD")
    assert told(library).moved is None
    fix(library, force=True).write()
    assert vit(library) != before


def test_an_edit_in_a_repository_within_the_tree_is_seen(tmp_path: Path) -> None:
    write_library(tmp_path, {"my_models/bert.py": BERT, "my_models/nested/vit.py": VIT})
    nested = tmp_path / "src/my_models/nested"
    git(nested, "init", "-q")
    commit(nested)
    (tmp_path / ".gitignore").write_text("nested\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    library = library_at(tmp_path)
    edit(library, "nested/vit.py", "return 1", "return 11")
    assert told(library).moved is Moved.COPY
    assert left(library).moved is Moved.COPY
    git(nested, "checkout", "-q", ".")
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is Moved.ORIGINAL and fixed(library).findings == []
