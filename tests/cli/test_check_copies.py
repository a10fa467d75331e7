"""`add-model check-copies` as scripts and people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from add_model.cli import app
from add_model.cli.quick import check_copies_quickly
from add_model.errors import AddModelError

BERT = "class BertLayer:\n    def forward(self):\n        return 1\n"
MARKER = "# Copied from my_models.bert.BertLayer with Bert->ViT\n"
VIT = MARKER + BERT.replace("Bert", "ViT")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    package = tmp_path / "src/my_models"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.add-model]\n")
    for name, text in {"__init__.py": "", "bert.py": BERT, "vit.py": VIT}.items():
        (package / name).write_text(text)
    return tmp_path


def check(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["check-copies", "--root", str(root), *options])


def drift(library: Path) -> Path:
    path = library / "src/my_models/vit.py"
    path.write_text(VIT.replace("return 1", "return 2"))
    return path


def test_a_clean_library(library: Path) -> None:
    result = check(library)
    assert result.exit_code == 0 and result.stdout == ""
    assert "all copies hold: 1 marker checked in 3 files" in result.stderr


def test_a_drifted_copy(library: Path) -> None:
    drift(library)
    result = check(library)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "src/my_models/vit.py:1 CP001 ViTLayer: differs from my_models.bert.BertLayer",
        "    expected     4 | return 1",
        "    found        4 | return 2",
    ]
    assert "1 error, 0 warnings" in result.stderr
    assert check(library, "--exit-zero").exit_code == 0


def test_the_documents_are_all_that_stands_on_stdout(library: Path) -> None:
    drift(library)
    (finding,) = json.loads(check(library, "--output-format", "json").stdout)
    assert (finding["code"], finding["line"], finding["end_line"], finding["fixable"]) == ("CP001", 1, 4, True)
    assert json.loads(check(library, "--output-format", "sarif").stdout)["version"] == "2.1.0"
    assert check(library, "--output-format", "github").stdout.startswith(
        "::error title=CP001,file=src/my_models/vit.py,line=1"
    )
    assert json.loads(check(library, "--output-format", "json", "--statistics").stdout)[0]["count"] == 1
    assert check(library, "--statistics").stdout.split()[:2] == ["1", "CP001"]


@pytest.mark.parametrize("told_by", ["GITHUB_WORKSPACE", ".git", "nobody"])
def test_annotations_name_files_from_the_repository_on(
    told_by: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drift(library)
    root = tmp_path / "repository/libs/one"
    root.mkdir(parents=True)
    for name in ("src", "pyproject.toml"):
        (library / name).rename(root / name)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    if told_by == "GITHUB_WORKSPACE":
        monkeypatch.setenv(told_by, str(tmp_path / "repository"))
    elif told_by == ".git":
        # Where that runs elsewhere, its folder tells nothing of this one.
        monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "other"))
        (tmp_path / "repository/.git").mkdir()
    path = "src/my_models/vit.py" if told_by == "nobody" else "libs/one/src/my_models/vit.py"
    assert f"file={path},line=1" in check(root, "--output-format", "github").stdout
    (run,) = json.loads(check(root, "--output-format", "sarif").stdout)["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path
    assert json.loads(check(root, "--output-format", "json").stdout)[0]["path"] == "src/my_models/vit.py"


def test_fix_rewrites_and_a_second_run_is_clean(library: Path) -> None:
    path = drift(library)
    result = check(library, "--fix")
    assert result.exit_code == 0 and "rewrote 1 copy" in result.stderr
    assert path.read_text() == VIT
    assert check(library).exit_code == 0


def test_diff_writes_nothing(library: Path) -> None:
    path = drift(library)
    before = path.read_bytes()
    result = check(library, "--diff")
    assert result.exit_code == 1 and "would rewrite 1 copy" in result.stderr
    assert "-        return 2\n+        return 1\n" in result.stdout
    assert path.read_bytes() == before
    assert check(library, "--fix").exit_code == 0 and check(library, "--diff").stdout == ""


def test_warnings_fail_a_strict_run_only(library: Path) -> None:
    (library / "src/my_models/vit.py").write_text(VIT.replace("Bert->ViT", "Bert->ViT,no->yes"))
    assert check(library).exit_code == 0
    assert "CP005" in check(library).stdout
    assert check(library, "--strict").exit_code == 1


def test_a_file_that_does_not_parse_exits_with_2_and_the_rest_is_checked(library: Path) -> None:
    drift(library)
    (library / "src/my_models/broken.py").write_text("x = 1\ndef f(:\n")
    result = check(library)
    assert result.exit_code == 2
    assert "src/my_models/broken.py:2 CP006" in result.stdout and "line 2, column" in result.stdout
    assert "CP001" in result.stdout


def test_paths_lead_to_their_library(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drift(library)
    result = CliRunner().invoke(app, ["check-copies", str(path)])
    assert result.exit_code == 1 and "src/my_models/vit.py:1" in result.stdout
    assert CliRunner().invoke(app, ["check-copies", str(library / "src/my_models/bert.py")]).exit_code == 0
    monkeypatch.chdir(library / "src")
    assert CliRunner().invoke(app, ["check-copies"]).exit_code == 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "ascii:surrogateescape", "utf-8"])
@pytest.mark.parametrize("options", [[], ["--diff"], ["--no-cache", "--statistics"], ["--output-format", "github"]], ids=" ".join)  # fmt: skip
def test_what_an_encoding_lacks_is_shown_all_the_same(options: list[str], encoding: str, library: Path) -> None:
    (library / "src/my_models/bert.py").write_text(BERT.replace("1", '"→ 你好"'), encoding="utf-8")
    command = [sys.executable, "-m", "add_model", "check-copies", *options]
    run = subprocess.run(command, cwd=library, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert run.returncode == 1 and b"Traceback" not in run.stderr
    if options in ([], ["--diff"]):
        shown = "→ 你好" if encoding == "utf-8" else "\\u2192 \\u4f60\\u597d"
        assert shown in run.stdout.decode("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes for a name")
@pytest.mark.parametrize("output_format", ["text", "json", "github", "sarif"])
def test_a_name_whose_bytes_are_no_text(output_format: str, library: Path) -> None:
    name = os.fsdecode(b"src/my_models/b\xe9.py")
    (library / name).write_text(VIT.replace("return 1", "return 2"))
    command = [sys.executable, "-m", "add_model", "check-copies", "--output-format", output_format]
    run = subprocess.run(command, cwd=library, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert run.returncode == 1 and b"CP001" in run.stdout and b"Traceback" not in run.stderr
    if output_format == "sarif":
        assert b'"src/my_models/b%E9.py"' in run.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--root", "missing"], "no such folder"),
        (["missing.py"], "no such file or folder"),
        (["--diff", "--output-format", "json"], "--diff"),
        (["--base", "no-such-revision"], "--base no-such-revision: git knows no such commit here"),
        (["--base", "no-such-revision", "--fix"], "--base no-such-revision: git knows no such commit here"),
    ],
)
def test_a_wrong_request_is_one_line_and_2(options: list[str], message: str, library: Path) -> None:
    command = [sys.executable, "-m", "add_model", "check-copies", *options]
    run = subprocess.run(command, cwd=library, capture_output=True, text=True)
    assert run.returncode == 2 and run.stdout == ""
    assert message in run.stderr and run.stderr.count("\n") == 1


def test_a_folder_without_packages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AddModelError, match="holds no package"):
        CliRunner().invoke(app, ["check-copies", "--root", str(tmp_path)], catch_exceptions=False)


def test_what_it_loads_is_what_it_needs(library: Path) -> None:
    program = (
        "import sys\nfrom add_model.cli import app\n"
        f"app(['check-copies', '--root', {str(library)!r}], standalone_mode=False)\n"
        "print(sorted({'torch', 'libcst', 'jinja2', 'my_models'} & sys.modules.keys()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ}, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "options",
    [[], ["--no-cache"], ["--strict"], ["--exit-zero"], ["src/my_models/vit.py"], ["--root", "src/my_models"]],
    ids=" ".join,
)
def test_the_quick_way_says_what_the_command_says(
    options: list[str], library: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drift(library)
    monkeypatch.chdir(library)
    code = check_copies_quickly(["check-copies", *options])
    said = capsys.readouterr()
    result = CliRunner().invoke(app, ["check-copies", *options])
    assert (code, said.out) == (result.exit_code, result.stdout)
    assert said.err.partition(", 0.")[0] == result.stderr.partition(", 0.")[0] != ""


@pytest.mark.parametrize(
    "arguments",
    [[], ["like"], ["check-copies", "--fix"], ["check-copies", "--root"], ["check-copies", "--root", "--strict"]]
    + [["check-copies", option] for option in ("--help", "--roots", "--root=x", "--", "", "--diff", "--statistics")],
    ids=" ".join,
)
def test_everything_else_is_left_to_the_command(arguments: list[str], tmp_path: Path) -> None:
    assert check_copies_quickly(arguments) is None


def test_a_plain_check_loads_neither_typer_nor_rich(library: Path) -> None:
    program = (
        "import sys\nsys.argv = ['add-model', 'check-copies']\nfrom add_model.cli import main\n"
        "try:\n    main()\nfinally:\n    print({'typer', 'rich', 'libcst'} & sys.modules.keys())"
    )
    drift(library)
    run = subprocess.run([sys.executable, "-c", program], cwd=library, capture_output=True, text=True)
    assert run.returncode == 1 and run.stdout.splitlines()[-1] == "set()"


def test_a_check_of_an_unchanged_tree_loads_no_engine(library: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nsys.argv = ['add-model', 'check-copies']\nfrom add_model.cli import main\n"
        "try:\n    main()\nfinally:\n    print('add_model.copies.judging.check' in sys.modules)"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    time.sleep(0.3)  # what was written just now is never relied on
    runs = [
        subprocess.run([sys.executable, "-c", program], cwd=library, capture_output=True, text=True, env=environment)
        for _ in range(2)
    ]
    assert [run.stdout for run in runs] == ["True\n", "False\n"]
    assert len({run.stderr.rpartition(", ")[0] for run in runs}) == 1 and runs[0].stderr
