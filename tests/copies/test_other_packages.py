"""Originals in other packages: what is compared, with which version, and what is said where it cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from add_model.cli import app
from add_model.copies.finding import Counts, Finding
from add_model.copies.judging.check import Check
from add_model.library import Library, library_at

from .test_trees import CONFIGURED, ORIGINAL, copy_of, lay

COPY = "src/brand/copies.py"


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that is installed, in version 1.5.0."""
    files = {"other/__init__.py": '__version__ = "1.5.0"\n', "other/layers.py": DOCUMENTED}
    root = lay(tmp_path / "installed", files)
    monkeypatch.setattr(sys, "path", [*sys.path, str(root)])
    return root


DOCUMENTED = """class Layer(Base):
    \"\"\"A layer.\"\"\"

    def forward(self, states: int):
        # one more
        return states + 1
"""


def tree(root: Path, block: str, marker: str = "# Copied from other.layers.Layer", configuration: str = "") -> Library:
    files = {"src/brand/__init__.py": "", COPY: f"{marker}\n{block}"}
    if configuration:
        files["pyproject.toml"] = f"{CONFIGURED}{configuration}"
    return library_at(lay(root / "tree", files))


def checked(library: Library) -> tuple[list[Finding], Counts]:
    check = Check(library)
    return list(check.findings()), check.counts


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("one more", "and one", "comments"),
        ("A layer", "The layer", "docstrings"),
        ("states: int", "states: float", "annotations"),
        ("states + 1", "states + 2", "code"),
        ("        # one more\n        return states + 1", "        return states + 2", "code and comments"),
    ],
)
def test_what_changed_is_told_in_kinds_with_the_version_that_was_compared_with(
    old: str, new: str, kinds: str, tmp_path: Path, other: Path
) -> None:
    (finding,), _ = checked(tree(tmp_path, DOCUMENTED.replace(old, new)))
    assert finding.code.name == "CP009"
    assert finding.message == f"differs from other.layers.Layer in other 1.5.0, which is installed, in {kinds}"


@pytest.mark.parametrize(
    ("old", "new", "is_found"),
    [("one more", "and one", False), ("A layer", "The layer", False), ("states + 1", "states + 2", True)],
)
def test_kinds_that_the_configuration_ignores_do_not_count(
    old: str, new: str, is_found: bool, tmp_path: Path, other: Path
) -> None:
    library = tree(tmp_path, DOCUMENTED.replace(old, new), configuration='ignore-kinds = ["comments", "docstrings"]\n')
    findings, counts = checked(library)
    assert bool(findings) is is_found and counts.markers == 1


def test_a_class_whose_header_alone_differs_shows_both_headers_whole(tmp_path: Path, other: Path) -> None:
    (finding,), _ = checked(tree(tmp_path, DOCUMENTED.replace("Layer(Base)", "Block(\n    Base,\n    Mixin,\n)")))
    assert "`class Block(Base):` there, `class Block( Base, Mixin, ):` here" in finding.message


@pytest.mark.parametrize(("configuration", "code"), [("", "CP013"), ('follows = ["other"]\n', "CP002")])
def test_an_original_that_is_gone_is_a_warning_unless_its_package_is_followed(
    configuration: str, code: str, tmp_path: Path, other: Path
) -> None:
    library = tree(tmp_path, ORIGINAL, "# Copied from other.layers.Gone", configuration)
    (finding,), counts = checked(library)
    assert finding.code.name == code and counts.unchecked == 1
    assert (finding.severity.value == "error") is (code == "CP002")
    assert ("in other 1.5.0, which is installed" in finding.message) is (code == "CP013")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pyproject.toml": f'{CONFIGURED}requires = {{other = "==1.4.0"}}\n'}, "other==1.4.0"),
        ({"pyproject.toml": f'{CONFIGURED}requires = {{other = "~=1.4"}}\n'}, None),
        ({"requirements.txt": "numpy\nother >=1.0, <1.5\n"}, "other>=1.0, <1.5"),
        ({"pyproject.toml": '[project]\ndependencies = [\n  "other[all]!=1.5.0",\n]\n'}, "other!=1.5.0"),
        ({"uv.lock": '[[package]]\nname = "other"\nversion = "1.3.9"\n'}, "other==1.3.9"),
        ({"uv.lock": '[[package]]\nname = "other"\nversion = "1.5"\n'}, None),
        ({}, None),
    ],
)
def test_a_version_that_is_not_the_one_that_copies_are_held_to_is_said_once(
    files: dict[str, str], said: str | None, tmp_path: Path, other: Path
) -> None:
    library = tree(tmp_path, DOCUMENTED.replace("+ 1", "+ 2"))
    lay(library.root, files)
    notes = checked(library_at(library.root))[1].notes
    expected = (
        [] if said is None else [f'copies are held to {said}, and 1.5.0 is installed here: pip install "{said}"']
    )
    assert list(notes) == expected


@pytest.mark.parametrize(
    ("requirements", "remedy"),
    [("absent==2.0\n", 'pip install "absent==2.0"'), ("absent\n", "pip install absent"), ("", "correct its name")],
)
def test_a_package_that_is_absent_is_one_line_with_what_to_type(
    requirements: str, remedy: str, tmp_path: Path
) -> None:
    library = tree(tmp_path, f"{ORIGINAL}\n\n{copy_of('absent.layers.Layer')}", "# Copied from absent.layers.Layer")
    lay(library.root, {"requirements.txt": requirements})
    (note,) = checked(library)[1].notes
    assert note.startswith("absent is not installed here, so 2 markers cannot be checked: ") and remedy in note


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check-copies", *arguments])
    return result.exit_code, result.output


def environment(root: Path, text: str) -> Path:
    lay(root, {"pyvenv.cfg": "", "lib/python3.12/site-packages/apart/__init__.py": "", "lib/python3.12/site-packages/apart/layers.py": text})  # fmt: skip
    return root


def test_the_environment_that_is_named_is_looked_into_and_what_stays_unchecked_can_fail_the_run(
    tmp_path: Path,
) -> None:
    library = tree(tmp_path, ORIGINAL, "# Copied from apart.layers.Layer")
    root = str(library.root)
    assert run("--root", root)[0] == 0
    assert run("--root", root, "--strict-external")[0] == 1
    named = environment(tmp_path / "environment", ORIGINAL)
    code, said = run("--root", root, "--strict-external", "--python", str(named))
    assert code == 0 and "all copies hold: 1 marker checked" in said
    assert run("--root", root, "--python", str(tmp_path / "nothing"))[0] != 0


def test_an_environment_in_the_tree_is_found_and_no_link_out_of_it_followed(tmp_path: Path) -> None:
    library = tree(tmp_path, ORIGINAL, "# Copied from apart.layers.Layer")
    environment(library.root / ".venv", ORIGINAL)
    assert checked(library)[1].markers == 1
    packages = library.root / ".venv/lib/python3.12/site-packages"
    (packages / "apart").rename(tmp_path / "outside")
    (packages / "apart").symlink_to(tmp_path / "outside")
    assert checked(library)[1].markers == 0


ADDRESS = "# Copied from https://github.com/owner/name/blob/v1/src/other/layers.py#L1-L3"


def clone(root: Path) -> Path:
    lay(root, {"src/other/layers.py": ORIGINAL})
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(root)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    # What the tag holds is what counts.
    lay(root, {"src/other/layers.py": "# moved down\n\n\n" + ORIGINAL.replace("+ 1", "+ 7")})
    return root


@pytest.mark.parametrize(("block", "codes"), [(ORIGINAL, []), (ORIGINAL.replace("+ 1", "+ 2"), ["CP009"])])
def test_an_original_that_is_named_by_its_address_is_looked_for_in_a_clone(
    block: str, codes: list[str], tmp_path: Path
) -> None:
    library = tree(tmp_path, block, ADDRESS)
    library = library._replace(clones={"owner/name": clone(tmp_path / "clone")})
    findings, counts = checked(library)
    assert [finding.code.name for finding in findings] == codes and (counts.markers, counts.unchecked) == (1, 0)


def test_an_address_of_which_nothing_is_here_is_counted(tmp_path: Path) -> None:
    findings, counts = checked(tree(tmp_path, ORIGINAL, ADDRESS))
    assert findings == [] and (counts.markers, counts.unchecked) == (0, 1)
    assert "--clone owner/name=FOLDER" in counts.notes[0]


@pytest.mark.parametrize(("version", "markers"), [("1.5.0", 1), ("1.4.0", 0)])
def test_an_address_is_looked_for_in_the_very_version_that_is_installed(
    version: str, markers: int, tmp_path: Path, other: Path
) -> None:
    library = tree(tmp_path, DOCUMENTED, ADDRESS.replace("v1", f"v{version}"))
    assert checked(library)[1].markers == markers


def test_a_clone_that_the_configuration_names_lies_in_the_tree(tmp_path: Path) -> None:
    library = tree(tmp_path, ORIGINAL, ADDRESS, 'clones = {"owner/name" = "clone"}\n')
    lay(library.root, {"clone/src/other/layers.py": ORIGINAL})
    assert checked(library_at(library.root))[1].markers == 1
    with pytest.raises(Exception, match="`clones` in .*leads out of it"):
        tree(tmp_path, ORIGINAL, ADDRESS, 'clones = {"owner/name" = "../clone"}\n')


def test_decorators_count_where_the_configuration_says_so(tmp_path: Path) -> None:
    files = {
        "src/brand/__init__.py": "", "src/brand/layers.py": "@cached\ndef scale(x): ...\n",
        COPY: "# Copied from brand.layers.scale\ndef scale(x): ...\n",
    }  # fmt: skip
    root = lay(tmp_path / "tree", files)
    assert checked(library_at(root))[0] == []
    lay(root, {"pyproject.toml": f"{CONFIGURED}decorators = true\n"})
    (finding,), _ = checked(library_at(root))
    assert finding.code.name == "CP001" and "`@cached` there, none here" in finding.message and not finding.fixable
    lay(root, {COPY: "# Copied from brand.layers.scale\n@cached\ndef scale(x): ...\n"})
    assert checked(library_at(root))[0] == []
