"""What `--fix` and `--diff` may take: a chain is fixed in one go, and no difference costs the square of its length."""

from __future__ import annotations

import ast
from difflib import Match, SequenceMatcher
from pathlib import Path

import pytest

from add_model.copies.fixing.fix import fix
from add_model.copies.language.line_diff import unified_diff
from add_model.library import library_at

from .bounded import add_model, errors, library

pytestmark = pytest.mark.slow


def body(number: int) -> str:
    return f"(x):\n    y = x + {number}\n    return y\n"


def chain(count: int, name: str = "f{}", original: str = "lib.one.f{}") -> str:
    """Copies that are each a copy of the one before, of which only the first is right."""
    links = "".join(f"\n\n# Copied from {original.format(n)}\ndef {name.format(n + 1)}{body(2)}" for n in range(count))
    return f"def {name.format(0)}{body(1)}{links}"


def test_a_chain_is_fixed_in_one_go(tmp_path: Path) -> None:
    tree = library(tmp_path, {"one.py": chain(400)})
    answer = add_model(tree, "check-copies", "--fix")
    assert answer.returncode == 0 and "rewrote 401 copies" in answer.stderr
    assert (tree / "src/lib/one.py").read_text() == chain(400).replace("x + 2", "x + 1")


def test_a_chain_takes_as_many_rounds_as_one_copy(tmp_path: Path) -> None:
    rounds = []
    for count in (1, 50):
        tree = library(tmp_path / str(count), {"one.py": chain(count)})
        looks: list[int] = []
        fix(library_at(tree), progress=lambda done, total, looks=looks: looks.append(done))  # type: ignore[misc]
        rounds.append(looks.count(1))
    assert rounds[0] == rounds[1]


def test_a_chain_upwards_and_one_over_files(tmp_path: Path) -> None:
    links = "".join(f"# Copied from lib.one.f{n + 1}\ndef f{n}{body(2)}\n\n" for n in range(60))
    files: dict[str, str | bytes] = {"one.py": f"{links}def f60{body(1)}", "m0.py": f"def f{body(1)}"}
    files |= {f"m{n + 1}.py": f"# Copied from lib.m{n}.f\ndef f{body(2)}" for n in range(60)}
    tree = library(tmp_path, files)
    assert "rewrote 121 copies" in add_model(tree, "check-copies", "--fix").stderr
    assert "x + 2" not in "".join(path.read_text() for path in (tree / "src/lib").glob("*.py"))


def test_a_chain_with_replacements_is_what_it_was_link_by_link(tmp_path: Path) -> None:
    text = (
        "class One:\n    def f(self, one):\n        return one + 1\n\n\n"
        "# Copied from lib.one.One with One->Two,one->two\nclass Two:\n    def f(self, two):\n        return two + 2\n\n\n"
        "# Copied from lib.one.Two with Two->Six,two->six\nclass Six:\n    def f(self, six):\n        return (six + 2)\n\n\n"
        "class Ten:\n    # Copied from lib.one.Six.f with six->ten\n    def f(self, ten):\n        return ten + 2\n"
    )
    tree = library(tmp_path, {"one.py": text})
    assert add_model(tree, "check-copies", "--fix").returncode == 0
    assert (tree / "src/lib/one.py").read_text() == text.replace("(six + 2)", "six + 1").replace("+ 2", "+ 1")


def test_one_link_that_cannot_be_written_stops_what_hangs_on_it(tmp_path: Path) -> None:
    text = chain(2).replace("lib.one.f0", "lib.one.f0 with y->1y")
    tree = library(tmp_path, {"one.py": text})
    answer = add_model(tree, "check-copies", "--fix")
    assert answer.returncode == 1 and "left as it is: what it would become does not parse" in answer.stdout
    assert (tree / "src/lib/one.py").read_text() == text


def test_a_chain_of_full_copies_is_fixed_in_one_go(tmp_path: Path) -> None:
    tree = library(tmp_path, {f"c{n}.py": f"x = {n == 60}\n" for n in range(61)})
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/c{n + 1}.py"\n' for n in range(60))
    (tree / "pyproject.toml").write_text(f"[tool.add-model.full-copies]\n{table}")
    assert add_model(tree, "check-copies", "--fix").returncode == 0
    assert {path.read_text() for path in (tree / "src/lib").glob("c*.py")} == {"x = True\n"}


@pytest.mark.parametrize("option", ["--no-cache", "--diff", "--fix"])
def test_a_block_in_another_order(option: str, tmp_path: Path) -> None:
    lines = [f"    value_{number} = {number}\n" for number in range(20_000)]
    copy = "# Copied from lib.one.f\ndef g():\n" + "".join(reversed(lines))
    tree = library(tmp_path, {"one.py": "def f():\n" + "".join(lines), "two.py": copy})
    answer = add_model(tree, "check-copies", option)
    if option == "--no-cache":
        assert errors(answer) == ["src/lib/two.py:1 CP001 g: differs from lib.one.f"]
    elif option == "--fix":
        assert (tree / "src/lib/two.py").read_text() == "# Copied from lib.one.f\ndef g():\n" + "".join(lines)
    else:
        assert "+    value_10000 = 10000\n" in answer.stdout and "would rewrite 2 copies" in answer.stderr


def test_a_diff_of_thousands_of_changes_shows_these_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [f"line {number}\n" for number in range(20_000)]
    after = [line if number % 7 else f"other {number}\n" for number, line in enumerate(before)]
    looked: list[int] = []
    find = SequenceMatcher.find_longest_match

    def find_and_count(matcher: SequenceMatcher[str], first: int, last: int, *rest: int) -> Match:
        looked.append(last - first)
        return find(matcher, first, last, *rest)

    monkeypatch.setattr(SequenceMatcher, "find_longest_match", find_and_count)
    shown = list(unified_diff(before, after, "a", "b"))
    assert [line[1:] for line in shown[2:] if line.startswith("-")] == before[::7]
    assert [line[1:] for line in shown[2:] if line.startswith("+")] == after[::7]
    # Each line is looked at a few times, not once for every change.
    assert sum(looked) < 40 * (len(before) + len(after))


@pytest.mark.parametrize("option", ["--no-cache", "--diff"])
def test_blocks_of_lines_that_are_alike(option: str, tmp_path: Path) -> None:
    copy = "# Copied from lib.one.f\ndef g():\n" + "    y = 2\n    x = 1\n    x = 1\n" * 10_000
    tree = library(tmp_path, {"one.py": "def f():\n" + "    x = 1\n    y = 2\n" * 15_000, "two.py": copy})
    assert add_model(tree, "check-copies", option).returncode == 1


def test_thousands_of_drifted_copies_of_one_original(tmp_path: Path) -> None:
    copies = "".join(f"# Copied from lib.one.f\ndef g{number}{body(number + 2)}\n\n" for number in range(1_500))
    tree = library(tmp_path, {"one.py": f"def f{body(1)}", "two.py": copies})
    assert len(errors(add_model(tree, "check-copies", "--no-cache"))) == 1_500
    assert "rewrote 1501 copies" in add_model(tree, "check-copies", "--fix").stderr


def test_the_original_of_many_copies_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = "".join(f"# Copied from lib.one.f\ndef g{number}{body(number + 2)}\n\n" for number in range(50))
    tree = library(tmp_path, {"one.py": f"def f{body(1)}", "two.py": copies})
    parsed: list[str] = []
    parse = ast.parse
    monkeypatch.setattr(
        ast, "parse", lambda text, *options, **more: parsed.append(text) or parse(text, *options, **more)
    )
    written = fix(library_at(tree)).after[str(tree / "src/lib/two.py")].decode()
    assert written == "".join(f"# Copied from lib.one.f\ndef g{number}{body(1)}\n\n" for number in range(50))
    assert len([text for text in parsed if text.startswith("def f")]) <= 2 < 50 <= len(parsed) < 4 * 50


def test_copies_that_would_all_not_parse(tmp_path: Path) -> None:
    copies = "".join(f"# Copied from lib.one.f with y->1y\ndef g{number}{body(1)}\n\n" for number in range(500))
    tree = library(tmp_path, {"one.py": f"def f{body(1)}", "two.py": copies})
    answer = add_model(tree, "check-copies", "--fix")
    assert answer.stdout.count("left as it is: what it would become does not parse") == 500
    assert (tree / "src/lib/two.py").read_text() == copies


def test_a_function_that_is_nested_too_deeply_for_its_layout_to_be_kept(tmp_path: Path) -> None:
    deep = f"def f():\n    x = 1\n    return a{'.a' * 700}\n"
    copy = deep.replace("def f", "# Copied from lib.one.f\ndef g").replace("x = 1", "x = 2")
    tree = library(tmp_path, {"one.py": f"{deep}\n\n{copy}"})
    assert add_model(tree, "check-copies", "--fix").returncode == 0
    assert "x = 2" not in (tree / "src/lib/one.py").read_text()
