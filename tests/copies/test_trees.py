"""Markers are found and followed in trees of every layout, and none of them stands there unseen."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from add_model.cli import app
from add_model.copies.finding import Counts, Finding
from add_model.copies.fixing.fix import fix
from add_model.copies.judging.check import Check
from add_model.library import find_library, library_at

ORIGINAL = "class Layer:\n    def forward(self, states):\n        return states + 1\n"
DRIFTED = "class Layer:\n    def forward(self, states):\n        return states + 2\n"
CONFIGURED = "[tool.add-model]\n"


def lay(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def checked(root: Path) -> tuple[list[Finding], Counts]:
    check = Check(library_at(root))
    findings = sorted(check.findings(), key=lambda finding: finding.sort_key)
    return findings, check.counts


def copy_of(path: str) -> str:
    return f"# Copied from {path}\n{DRIFTED}"


LAYOUTS = {
    "several packages in one repository": ({
        "packages/a/src/one/__init__.py": "", "packages/a/src/one/layers.py": ORIGINAL, "packages/a/pyproject.toml": "",
        "packages/b/src/two/__init__.py": "", "packages/b/src/two/layers.py": copy_of("one.layers.Layer"),
    }, "packages/b/src/two/layers.py"),
    "packages in folders that the configuration names": ({
        "pyproject.toml": f'{CONFIGURED}source = ["a/lib", "b/lib"]\n',
        "a/lib/one/__init__.py": "", "a/lib/one/layers.py": ORIGINAL,
        "b/lib/two/__init__.py": "", "b/lib/two/layers.py": copy_of("one.layers.Layer"),
    }, "b/lib/two/layers.py"),
    "a package in a folder of its name": ({
        "brand/brand/__init__.py": "", "brand/brand/layers.py": ORIGINAL, "brand/setup.py": "",
        "brand/brand/copies.py": copy_of("brand.layers.Layer"),
    }, "brand/brand/copies.py"),
    "a namespace package": ({
        "brand/part/__init__.py": "", "brand/part/layers.py": ORIGINAL, "brand/part/copies.py": copy_of("brand.part.layers.Layer"),
    }, "brand/part/copies.py"),
    "a namespace package that the configuration names": ({
        "pyproject.toml": f'{CONFIGURED}package = "brand"\n',
        "src/brand/part/layers.py": ORIGINAL, "src/brand/part/copies.py": copy_of("brand.part.layers.Layer"),
    }, "src/brand/part/copies.py"),
    "no __init__.py at all": ({
        "brand/models/layers.py": ORIGINAL, "brand/models/copies.py": copy_of("brand.models.layers.Layer"),
    }, "brand/models/copies.py"),
    "plain modules": ({"layers.py": ORIGINAL, "copies.py": f"class Layer:\n    # Copied from layers.Layer.forward\n{DRIFTED.partition(chr(10))[2]}"}, "copies.py"),
    "a root that is a package, by its own name": ({
        ".git/HEAD": "", "__init__.py": "", "models/__init__.py": "", "models/layers.py": ORIGINAL,
        "copies.py": copy_of("tree.models.layers.Layer"),
    }, "copies.py"),
    "a root that is a package, from below it": ({
        ".git/HEAD": "", "__init__.py": "", "models/layers.py": ORIGINAL, "copies.py": copy_of("models.layers.Layer"),
    }, "copies.py"),
    "a script beside the package": ({
        "src/brand/__init__.py": "", "src/brand/layers.py": ORIGINAL, "scripts/run.py": copy_of("brand.layers.Layer"),
    }, "scripts/run.py"),
    "an example in a folder of examples": ({
        "src/brand/__init__.py": "", "src/brand/layers.py": ORIGINAL, "examples/one/run.py": copy_of("brand.layers.Layer"),
    }, "examples/one/run.py"),
    "a mirror of another library": ({
        "pyproject.toml": f'{CONFIGURED}alias = {{upstream = "brand.upstream"}}\n',
        "brand/__init__.py": "", "brand/upstream/__init__.py": "", "brand/upstream/layers.py": ORIGINAL,
        "brand/copies.py": copy_of("upstream.layers.Layer"),
    }, "brand/copies.py"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_drift_is_found_in_every_layout(layout: str, tmp_path: Path) -> None:
    files, copy = LAYOUTS[layout]
    findings, counts = checked(lay(tmp_path / "tree", files))
    assert [(finding.code.name, finding.path) for finding in findings] == [("CP001", copy)]
    assert (counts.markers, counts.unchecked) == (1, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_file_of_a_tree_is_judged_as_in_the_whole_of_it(layout: str, tmp_path: Path) -> None:
    files, copy = LAYOUTS[layout]
    root = lay(tmp_path / "tree", files)
    check = Check(library_at(root), [root / copy])
    assert [finding.code.name for finding in check.findings()] == ["CP001"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fix_finds_the_original_in_every_layout(layout: str, tmp_path: Path) -> None:
    files, copy = LAYOUTS[layout]
    root = lay(tmp_path / "tree", files)
    library = library_at(root)._replace()
    (root / ".git").exists() and (root / ".git/HEAD").unlink()
    fix(library, force=True).write()
    assert "states + 1" in (root / copy).read_text()


def test_what_is_excluded_and_what_others_made_is_not_looked_at(tmp_path: Path) -> None:
    drifted = copy_of("brand.layers.Layer")
    root = lay(tmp_path, {
        "pyproject.toml": f'{CONFIGURED}exclude = ["examples/**"]\n',
        "src/brand/__init__.py": "", "src/brand/layers.py": ORIGINAL, "examples/run.py": drifted,
        "build/lib/brand/layers.py": drifted, "node_modules/a/run.py": drifted, ".venv/lib/run.py": drifted,
        "checkpoint/model.safetensors": "", "checkpoint/modeling.py": drifted, "environment/pyvenv.cfg": "", "environment/lib/run.py": drifted, "src/brand/build/__init__.py": drifted,
    })  # fmt: skip
    assert [finding.path for finding in checked(root)[0]] == ["src/brand/build/__init__.py"]


def test_nothing_to_check_is_not_called_good(tmp_path: Path) -> None:
    from add_model.copies.report import summary

    findings, counts = checked(lay(tmp_path, {"src/brand/__init__.py": "", "src/brand/layers.py": ORIGINAL}))
    assert summary(findings, counts, 0.5).startswith("no copies found: 0 markers checked")


def test_a_line_that_reads_like_a_marker_is_counted_where_it_is_taken_for_words(tmp_path: Path) -> None:
    words = "# Copied from somebody.else.entirely and changed a lot\nclass A: ...\n"
    findings, counts = checked(lay(tmp_path, {"src/brand/__init__.py": words}))
    assert findings == [] and (counts.markers, counts.unchecked, counts.prose) == (0, 0, 1)


def test_an_installed_package_is_no_misspelling_of_the_trees_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path / "installed", {"dreamer/__init__.py": "", "dreamer/layers.py": ORIGINAL})
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "installed")])
    root = lay(tmp_path / "tree", {"src/dreamers/__init__.py": "", "src/dreamers/layers.py": copy_of("dreamer.layers.Layer")})  # fmt: skip
    (finding,), counts = checked(root)
    assert finding.code.name == "CP009" and "did you mean" not in finding.message and counts.markers == 1


def test_a_mirror_is_proposed_with_the_number_of_markers_that_it_resolves(tmp_path: Path) -> None:
    copies = "".join(f"# Copied from upstream.layers.Layer\n{DRIFTED.replace('Layer', f'Layer{number}')}\n\n" for number in range(25))  # fmt: skip
    root = lay(tmp_path, {
        "brand/__init__.py": "", "brand/upstream/__init__.py": "", "brand/upstream/layers.py": ORIGINAL, "brand/copies.py": copies,
    })  # fmt: skip
    findings, counts = checked(root)
    assert not any(finding.severity.value == "error" for finding in findings)
    (note,) = [note for note in counts.notes if "alias" in note]
    assert "25 markers of upstream" in note and '`alias = {upstream = "brand.upstream"}`' in note
    (tmp_path / "pyproject.toml").write_text(f'{CONFIGURED}alias = {{upstream = "brand.upstream"}}\n')
    findings, counts = checked(root)
    assert {finding.code.name for finding in findings} == {"CP001"} and counts.markers == 25


MOVED = {
    "src/brand/__init__.py": "", "src/brand/models/__init__.py": "", "src/brand/models/parts/__init__.py": "",
    "src/brand/models/parts/layers.py": ORIGINAL, "src/brand/models/parts/base.py": "class Base:\n    def save(self): ...\n",
    "src/brand/models/parts/derived.py": "from .base import Base\n\n\nclass Derived(Base):\n    pass\n",
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("brand.models.layers.Layer", "brand.models.parts.layers.Layer"),
        ("brand.models.old.Layer", "brand.models.parts.layers.Layer"),
        ("brand.models.parts.old.Layer.forward", "brand.models.parts.layers.Layer.forward"),
        ("brand.models.parts.layers.Lauer", "brand.models.parts.layers.Layer"),
        ("brand.models.parts.layers.Nothing", None),
        ("brand.nothing.at.all.Nothing", None),
    ],
)
def test_a_path_that_is_offered_exists(written: str, offered: str | None, tmp_path: Path) -> None:
    root = lay(tmp_path, {**MOVED, "src/brand/copies.py": copy_of(written)})
    (finding,), _ = checked(root)
    assert finding.code.name == "CP002"
    assert (f"did you mean `{offered}`?" in finding.message) if offered else ("did you mean" not in finding.message)


def test_what_a_class_inherits_is_found_in_its_base_and_compared_there(tmp_path: Path) -> None:
    copy = (
        "class A:\n    # Copied from brand.models.parts.derived.Derived.save\n    def save(self):\n        return 1\n"
    )
    findings, _ = checked(lay(tmp_path, {**MOVED, "src/brand/copies.py": copy}))
    assert [finding.code.name for finding in findings] == ["CP001", "CP002"]
    assert "is inherited from `brand.models.parts.base.Base.save`" in findings[1].message


MALFORMED = {
    "# Copied from brand.models.parts.layers.Layer with\n# Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
    "# Copied from brand.models.parts.layers.Layer with Layer->Block,\n# states->hidden": "# Copied from brand.models.parts.layers.Layer with Layer->Block, states->hidden",
    "# Copied from brand.models.parts.layers.\n# Layer with Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
    "# Copied from brand.models.parts.layers.Layer() with Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
    "# Copied from brand/models/parts/layers.py with Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
    "# Copied from src/brand/models/parts/layers.py:Layer with Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
    "# Copied from brand.models.parts.layers with Layer->Block": "# Copied from brand.models.parts.layers.Layer with Layer->Block",
}  # fmt: skip


@pytest.mark.parametrize("written", MALFORMED)
def test_a_malformed_marker_is_shown_as_the_line_to_write_and_mended(written: str, tmp_path: Path) -> None:
    block = ORIGINAL.replace("Layer", "Block")
    if "hidden" in written:
        block = block.replace("states", "hidden")
    root = lay(tmp_path, {**MOVED, "src/brand/copies.py": f"x = 1\n{written}\n{block}"})
    findings, _ = checked(root)
    (finding,) = findings
    assert f"write `{MALFORMED[written]}`" in finding.message and finding.fixable
    fix(library_at(root)).write()
    assert (root / "src/brand/copies.py").read_text() == f"x = 1\n{MALFORMED[written]}\n{block}"
    assert checked(root)[0] == []


def test_the_root_of_a_project_is_found_from_a_folder_of_plain_modules(tmp_path: Path) -> None:
    root = lay(tmp_path / "tree", {"pyproject.toml": "", "brand/models/layers.py": ORIGINAL})
    assert find_library(root / "brand/models").root == root


def said(*arguments: str) -> str:
    return CliRunner().invoke(app, ["check-copies", *arguments]).output


def test_a_run_that_finds_nothing_to_compare_says_where_markers_stand(tmp_path: Path) -> None:
    files = {
        "src/brand/__init__.py": "",
        "src/brand/layers.py": ORIGINAL,
        "examples/run.py": copy_of("brand.layers.Layer"),
    }
    root = lay(tmp_path, {"pyproject.toml": f'{CONFIGURED}exclude = ["examples/**"]\n', **files})
    stand = "1 line that reads like a marker stands in 1 other file, such as examples/run.py: "
    assert f"{stand}`exclude` leaves them out" in said("--root", str(root))
    (root / "pyproject.toml").write_text("")
    assert f"{stand}check them with --root {root}" in said("--root", str(root / "src/brand"))
    assert "1 marker checked" in said("--root", str(root))


def test_a_folder_with_nothing_in_it_is_not_told_to_use_the_option_that_it_was_named_by(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["check-copies", "--root", str(tmp_path)])
    assert (
        run.exit_code != 0
        and "holds no package and no module" in str(run.exception)
        and "--root" not in str(run.exception)
    )
