"""What files of a tree may be: no pipe is waited for, none is read that no one wrote, and no text breaks a parser down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.copies.reading.sources import Sources
from add_model.library import library_at
from add_model.reading import read_bytes

from .bounded import add_model, errors, library, write

pytestmark = pytest.mark.slow

COPY = "# Copied from lib.drifted.right\ndef g():\n    return 1\n"


def checked(folder: Path, files: dict[str, str | bytes]) -> list[str]:
    """The findings about a library with these modules."""
    return errors(add_model(library(folder, files), "check-copies", "--no-cache"))


@pytest.mark.parametrize("name", ["pyproject.toml", "src/lib/one.py", "src/lib/a/__init__.py"])
@pytest.mark.parametrize("option", ["--no-cache", "--diff", "--fix"])
def test_a_pipe_is_not_waited_for(name: str, option: str, tmp_path: Path) -> None:
    tree = library(tmp_path, {})
    (tree / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tree / name)
    answer = add_model(tree, "check-copies", option)
    assert answer.returncode == 2
    # A diff is shown without findings.
    if option != "--diff" or name == "pyproject.toml":
        said = answer.stdout + answer.stderr
        assert name in said and "is not a regular file" in said


def test_a_device_is_not_read(tmp_path: Path) -> None:
    tree = library(tmp_path, {})
    (tree / "src/lib/one.py").symlink_to("/dev/zero")
    assert errors(add_model(tree, "check-copies", "--no-cache")) == [
        "src/lib/one.py:1 CP006 cannot be read: is not a regular file"
    ]


def test_a_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    tree = library(tmp_path, {"one.py": COPY})
    os.truncate(tree / "src/lib/one.py", 1 << 40)
    assert errors(add_model(tree, "check-copies", "--no-cache")) == [
        "src/lib/one.py:1 CP006 cannot be read: is larger than 16 MB"
    ]


def test_a_file_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    assert checked(tmp_path, {"one.py": "x = 1\n" * 1_700_000 + COPY.replace("return 1", "return 3")}) == [
        "src/lib/one.py:1700001 CP001 g: differs from lib.drifted.right"
    ]


@pytest.mark.parametrize(
    "encoding", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"]
)
def test_what_is_no_encoding_of_source_is_refused(encoding: str, tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, {"one.py": f"# coding: {encoding}\n{COPY}{'x' * 100_000}".encode()})
    assert finding.startswith("src/lib/one.py:1 CP006 declares an encoding that does not hold: ")


@pytest.mark.parametrize(
    "encoding", ["latin-1", "iso-8859-15", "cp1252", "koi8-r", "gb18030", "shift_jis", "euc_kr", "mac-roman", "ascii"]
)
def test_encodings_that_source_is_written_in_are_read(encoding: str, tmp_path: Path) -> None:
    assert checked(tmp_path, {"one.py": f"# coding: {encoding}\n{COPY}".encode(encoding)}) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 100_000,
        "x = " + "{a:(" * 100,
        "x = " + "-" * 500_000 + "1",
        "x = 1" + " + 1" * 120_000,
        "x = a" + ".a" * 200_000,
        "x = " + "lambda:" * 80_000 + "1",
        "if a: b\n" + "elif a: b\n" * 40_000,
        "x = " + "-" * 100_000 + "1\ndef f(:",
        "x = " + "a+" * 100_000 + "1\ntype x = 1\n" + "y = 1\n" * 40_000 + "def f(:",
        "x = " + "'" * 500_000,
        "x = 1" + " \\\n" * 150_000,
        "x = [" + "a," * 490_000 + "]",
        "a;" * 240_000,
        "x = " + "f'{a}'" * 150_000,
    ],
    ids=lambda text: text[:14].strip(),
)
def test_no_text_breaks_the_parser_down(text: str, tmp_path: Path) -> None:
    found = checked(tmp_path, {"one.py": f"{COPY}\n\n{text}\n"})
    assert len(found) <= 1 and all(finding.startswith("src/lib/one.py:") and " CP006 " in finding for finding in found)


def test_a_long_file_is_parsed_piece_by_piece(tmp_path: Path) -> None:
    text = (
        COPY + "@a\n@b\ndef f(x):\n    if x: return 1\n    else: return 2\nif x:\n    pass\nelse:\n    pass\n" * 9_000
    )
    assert checked(tmp_path, {"one.py": text}) == []
    (finding,) = checked(tmp_path / "broken", {"one.py": f"{text}def f(:\n    pass\n"})
    assert finding.startswith(f"src/lib/one.py:{text.count(chr(10)) + 1} CP006 does not parse: ")


def test_files_that_no_python_reads_cost_one_parser(tmp_path: Path) -> None:
    found = checked(tmp_path, {f"m{n}.py": f"{COPY}type x = {n}\ndef f(: {n}\n" for n in range(60)})
    assert len(found) == 60 and all(" CP006 does not parse" in finding for finding in found)


def test_newer_syntax_is_read_behind_texts_that_break_the_parser_down(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.py": COPY + "type x = " + "-" * 200_000 + "1\n"}
    files |= {f"m{n}.py": f"{COPY}type A[T] = list[T]\n" for n in range(5)}
    assert [finding.split(":")[0] for finding in checked(tmp_path, files)] == ["src/lib/a.py"]


def test_a_hundred_thousand_definitions(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, {"one.py": "def f(): ...\n" * 100_000 + "# Copied from lib.one.h\ndef g(): ...\n"})
    assert finding.startswith("src/lib/one.py:100001 CP002 `lib.one` holds no `h`")


def test_folders_in_folders_and_links_in_circles(tmp_path: Path) -> None:
    tree = library(tmp_path, {"deep.py": ""})
    here = os.getcwd()
    os.chdir(tree / "src/lib")
    try:
        for _ in range(1_500):
            os.mkdir("a")
            os.chdir("a")
    finally:
        os.chdir(here)
    for number in range(500):
        (tree / f"src/lib/m{number}").symlink_to(f"m{(number + 1) % 500}")
    assert errors(add_model(tree, "check-copies", "--no-cache")) == []
    # Python's own means of removing a folder go as deep as its stack.
    subprocess.run(["rm", "-rf", str(tree)], check=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"exclude = {[f'x{n}' for n in range(1_001)]}", "`exclude` in [tool.add-model] holds more than 1000 entries"),
        (f"exclude = ['{'*a' * 300}']", "`exclude` in [tool.add-model] holds more than 1000 entries, or one of more"),
        (f"follows = {[f'x{n}' for n in range(1_001)]}", "`follows` in [tool.add-model] holds more than 1000 entries"),
        (
            f"tests = '{'a' * 600}'",
            "`tests` in [tool.add-model] holds more than 1000 entries, or one of more than 500",
        ),
        (f"per-file-ignores = {{'x' = ['{'CP001,' * 1_000}']}}", "`per-file-ignores` in [tool.add-model] holds more"),
        (
            f"[tool.add-model.full-copies]\n{''.join(f'x{n} = 1{chr(10)}' for n in range(3))}",
            "must be a table of strings",
        ),
        (f"{'exclud' * 50_000} = 1", "holds an unknown key `exclud"),
        (f"x = {'[' * 50_000}", "is nested too deeply, or holds too long a number, to be read"),
        (f"{'.'.join(['x'] * 20_000)} = 1", "is nested too deeply, or holds too long a number, to be read"),
        (f"x = {'9' * 500_000}", "is nested too deeply, or holds too long a number, to be read"),
        (f"x = '{'a' * 5_000_000}'", "cannot be read: is larger than 4 MB"),
    ],
    ids=lambda value: value[:30],
)
def test_a_configuration_of_any_size_is_answered_in_a_line(text: str, said: str, tmp_path: Path) -> None:
    tree = library(tmp_path, {})
    (tree / "pyproject.toml").write_text(f"[tool.add-model]\n{text}\n")
    answer = add_model(tree, "check-copies")
    assert answer.returncode == 2 and said in answer.stderr
    assert len(answer.stderr) < 500 and "pyproject.toml: " in answer.stderr


def test_stars_in_patterns_take_no_time(tmp_path: Path) -> None:
    tree = library(tmp_path, {f"{'a' * 200}{number}.py": "" for number in range(50)})
    (tree / "pyproject.toml").write_text(f"[tool.add-model]\nexclude = {['*a' * 200 + f'{n}b' for n in range(20)]}\n")
    assert errors(add_model(tree, "check-copies", "--no-cache")) == []


def test_full_copies_of_one_long_file(tmp_path: Path) -> None:
    tree = library(tmp_path, {"long.py": "x = 1\n" * 300_000} | {f"c{n}.py": "y = 1\n" for n in range(200)})
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/long.py"\n' for n in range(200))
    (tree / "pyproject.toml").write_text(f"[tool.add-model.full-copies]\n{table}")
    found = errors(add_model(tree, "check-copies", "--no-cache"))
    assert sum(" CP001 " in finding for finding in found) >= 5
    assert (
        sum(" CP006 is not looked at: the originals of full copies are many times as long" in each for each in found)
        >= 100
    )


def test_paths_into_none_of_thousands_of_packages(tmp_path: Path) -> None:
    """Packages are compared for a path that may be misspelt as far as the file allows, not each with each."""
    markers = "".join(f"# Copied from q{number}.one.f\ndef g{number}(): ...\n" for number in range(300))
    tree = library(tmp_path, {"one.py": markers})
    for number in range(1_500):
        (tree / f"src/p{number}").mkdir()
        (tree / f"src/p{number}/__init__.py").touch()
    looks: list[str] = []
    sources = Sources(library_at(tree), read_bytes)
    sources.most_effort = 30_000
    sources._module_file = lambda path: looks.append(path)  # type: ignore[method-assign]
    assert {sources.meant_path(f"q{number}.one.f", in_tests=False) for number in range(300)} == {None}
    assert 300 < len(looks) < 2_000
    found = errors(add_model(tree, "check-copies", "--no-cache"))
    assert len(found) == 300 and all("CP002 unchecked: package `q" in finding for finding in found)


def test_a_misspelt_package_is_told_among_a_hundred(tmp_path: Path) -> None:
    tree = library(tmp_path, {"one.py": "# Copied from libr.drifted.right\ndef g():\n    return 1\n"})
    for number in range(100):
        (tree / f"src/a{number}").mkdir()
        (tree / f"src/a{number}/__init__.py").touch()
    (finding,) = errors(add_model(tree, "check-copies", "--no-cache"))
    assert "leads out of the library; did you mean `lib.drifted.right`?" in finding


def test_a_pipe_instead_of_standard_files_of_a_package(tmp_path: Path) -> None:
    tree = write(
        tmp_path, {"src/transformers/models/bert/modeling_bert.py": "", "src/transformers/models/__init__.py": ""}
    )
    os.mkfifo(tree / "src/transformers/__init__.py")
    answer = add_model(tree, "like", "bert", "--name", "new_bert", "--yes")
    assert answer.returncode == 2 and len(answer.stderr.splitlines()) == 1


if sys.platform != "linux":
    pytest.skip("pipes and limits of memory as Linux has them", allow_module_level=True)
