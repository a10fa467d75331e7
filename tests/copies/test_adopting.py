"""A library with many old findings takes up checking: a baseline, a proposed configuration, and less to read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from add_model.cli import app
from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.report import PlainText, as_json, as_text
from add_model.library import library_at

from .test_trees import CONFIGURED, DRIFTED, ORIGINAL, copy_of, lay

COPIES = "src/brand/copies.py"
FILES = {"src/brand/__init__.py": "", "src/brand/layers.py": ORIGINAL, COPIES: copy_of("brand.layers.Layer")}


def run(root: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check-copies", "--root", str(root), *arguments])
    return result.exit_code, result.output


def with_baseline(root: Path) -> Path:
    lay(root, {**FILES, "pyproject.toml": f'{CONFIGURED}baseline = "copies.txt"\n'})
    assert run(root, "--write-baseline", str(root / "copies.txt"))[0] == 0
    return root


def test_what_stands_in_the_baseline_fails_no_run_and_what_is_new_does(tmp_path: Path) -> None:
    root = with_baseline(tmp_path)
    code, said = run(root)
    assert code == 0 and "0 errors, 0 warnings, 1 passed over" in said
    lay(root, {"src/brand/new.py": copy_of("brand.layers.Layer")})
    code, said = run(root)
    assert code == 1 and "src/brand/new.py:1 CP001" in said and COPIES not in said
    assert run(root, "--output-format", "json")[1].count('"CP001"') == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("src/brand/layers.py", ORIGINAL.replace("+ 1", "+ 3")), (COPIES, FILES[COPIES].replace("+ 2", "+ 4"))],
)
def test_an_entry_goes_when_either_side_changes(name: str, text: str, tmp_path: Path) -> None:
    root = with_baseline(tmp_path)
    lay(root, {name: text})
    code, said = run(root)
    assert code == 1 and "1 of the baseline's entries stand for nothing any more" in said


def test_an_entry_holds_where_lines_move(tmp_path: Path) -> None:
    root = with_baseline(tmp_path)
    lay(root, {COPIES: f"import os\n\n\n{FILES[COPIES]}", "src/brand/layers.py": f"x = 1\n\n\n{ORIGINAL}"})
    assert run(root)[0] == 0


def test_a_fix_lets_be_what_is_set_aside_until_its_entry_is_dropped(tmp_path: Path) -> None:
    root = with_baseline(tmp_path)
    new = "src/brand/new.py"
    lay(root, {new: copy_of("brand.layers.Layer")})
    assert run(root, "--fix", "--force")[0] == 0
    assert (root / COPIES).read_text() == FILES[COPIES]
    assert (root / new).read_text() != FILES[COPIES]
    (root / "copies.txt").write_text("")
    assert run(root, "--fix", "--force")[0] == 0
    assert (root / COPIES).read_text() == (root / new).read_text()


def test_a_fix_lets_be_a_full_copy_that_is_set_aside(tmp_path: Path) -> None:
    settings = f'{CONFIGURED}baseline = "copies.txt"\n[tool.add-model.full-copies]\n"src/brand/whole.py" = "src/brand/layers.py"\n'
    root = lay(tmp_path, {**FILES, "src/brand/whole.py": "x = 1\n", "pyproject.toml": settings})
    assert run(root, "--write-baseline", str(root / "copies.txt"))[0] == 0
    assert run(root, "--fix", "--force")[0] == 0
    assert (root / "src/brand/whole.py").read_text() == "x = 1\n"


def test_entries_are_sorted_one_a_line_and_stale_ones_go_when_they_are_written_anew(tmp_path: Path) -> None:
    root = with_baseline(tmp_path)
    lay(root, {f"src/brand/{name}.py": copy_of("brand.layers.Layer") for name in "ba"})
    lay(root, {COPIES: ""})
    assert run(root, "--write-baseline", str(root / "copies.txt"))[0] == 0
    entries = (root / "copies.txt").read_text().splitlines()[1:]
    assert [line.split()[:4] for line in entries] == [["CP001", f"src/brand/{name}.py", "Layer", "brand.layers.Layer"] for name in "ab"]  # fmt: skip
    assert entries == sorted(entries)


def test_a_baseline_is_written_nowhere_but_below_the_root(tmp_path: Path) -> None:
    root = lay(tmp_path / "tree", FILES)
    code, _ = run(root, "--write-baseline", str(tmp_path / "outside.txt"))
    assert code != 0 and not (tmp_path / "outside.txt").exists()


def test_a_configuration_is_proposed_and_written_when_told(tmp_path: Path) -> None:
    copies = "".join(f"# Copied from upstream.layers.Layer\n{DRIFTED.replace('Layer', f'Layer{number}')}\n\n" for number in range(4))  # fmt: skip
    root = lay(tmp_path, {
        "src/brand/__init__.py": "", "src/brand/upstream/__init__.py": "", "src/brand/upstream/layers.py": ORIGINAL, "src/brand/copies.py": copies,
        "third_party/other/model.py": copy_of("somebody.layers.Layer"), "pyproject.toml": '[project]\nname = "brand"  # kept\n',
        "requirements.txt": "absent==2.0\n", "src/brand/more.py": copy_of("absent.layers.Layer"),
    })  # fmt: skip
    code, said = run(root, "--init")
    assert code == 0 and (root / "pyproject.toml").read_text() == '[project]\nname = "brand"  # kept\n'
    assert 'exclude = ["third_party/**"]  # 1 marker left out' in said
    assert 'alias = {upstream = "brand.upstream"}  # 4 markers resolved' in said
    assert 'requires = {absent = "==2.0"}  # 1 marker of these versions' in said
    assert run(root, "--init", "--fix")[0] == 0
    assert (root / "pyproject.toml").read_text().startswith('[project]\nname = "brand"  # kept\n')
    configuration = library_at(root).configuration
    assert configuration.alias == {"upstream": "brand.upstream"} and configuration.exclude == ("third_party/**",)
    assert configuration.requires == {"absent": "==2.0"}
    assert "nothing to configure" in run(root, "--init")[1]


def warnings(count: int, message: str = "differs from a.b.C{number} in a 1.0, which is installed") -> list[Finding]:
    return [Finding(Code.CP009, Severity.WARNING, "x.py", number, number, "", f"a.b.C{number}", message.format(number=number)) for number in range(1, count + 1)]  # fmt: skip


def test_warnings_that_say_the_same_in_many_places_are_one_line_of_text_and_all_of_them_elsewhere() -> None:
    found = warnings(31)
    assert list(as_text(found, PlainText, folds=True)) == [
        "CP009 in 31 places: differs from a.… in a 1.0, which is installed; the first is x.py:1; --verbose lists them"
    ]
    assert len(list(as_text(found, PlainText))) == 31 and as_json(found, "1").count("CP009") == 31


def test_a_few_warnings_and_all_errors_are_listed() -> None:
    errors = [finding._replace(severity=Severity.ERROR) for finding in warnings(31)]
    assert len(list(as_text(errors, PlainText, folds=True))) == 31
    assert len(list(as_text(warnings(5), PlainText, folds=True))) == 5


def quickly(root: Path, cache: Path, *arguments: str) -> tuple[str, bool]:
    """What a plain check prints, and whether it has looked at any file for that."""
    program = (
        "import sys\nfrom add_model.cli import main\ntry:\n    main()\nfinally:\n"
        "    print('add_model.copies.judging.check' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "check-copies", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(cache)},
    )
    *shown, loaded = ran.stdout.splitlines()
    return "\n".join(shown), loaded == "True"


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(root), *arguments], check=True)  # fmt: skip


@pytest.mark.parametrize("is_repository", [True, False])
def test_copies_that_differ_are_recalled_for_as_long_as_git_says_the_same(is_repository: bool, tmp_path: Path) -> None:
    root = lay(tmp_path / "tree", {**FILES, COPIES: copy_of("brand.layers.Layer").replace("+ 2", "+ 1")})
    if is_repository:
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-qm", "one")
    lay(root, {COPIES: copy_of("brand.layers.Layer")})
    time.sleep(0.3)  # what was written just now is never relied on
    first, looked = quickly(root, tmp_path / "cache")
    assert looked and "CP001" in first and ("the copy moved since HEAD" in first) is is_repository
    quickly(root, tmp_path / "cache")
    assert quickly(root, tmp_path / "cache") == (first, False)
    if not is_repository:
        git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two")
    second, _ = quickly(root, tmp_path / "cache")
    assert "neither side moved since HEAD" in second
