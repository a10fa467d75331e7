"""What a marker may ask for: more than that is a finding with its place, and never minutes or gigabytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bounded import add_model, errors, library

ORIGINAL = "def f():\n    return a\n\n\n"


def checked(folder: Path, *texts: str) -> list[str]:
    """The findings about a module that holds these texts."""
    return errors(add_model(library(folder, {"one.py": "".join(texts)}), "check-copies", "--no-cache"))


@pytest.mark.parametrize("times", [24, 40, 90])
def test_replaced_text_that_doubles(times: int, tmp_path: Path) -> None:
    marker = f"# Copied from lib.one.f with {','.join(['a->aa'] * times)}\n"
    (finding,) = checked(tmp_path, ORIGINAL, marker, "def g():\n    return b\n")
    assert finding.startswith("src/lib/one.py:5 CP006 `a->aa` makes the original more than 16 times as long")


def test_a_long_replacement_of_every_letter(tmp_path: Path) -> None:
    marker = f"# Copied from lib.one.f with a->{'b' * 100_000}\n"
    original = f"def f():\n    return {'a' * 100_000}\n\n\n"
    (finding,) = checked(tmp_path, original, marker, "def g():\n    return b\n")
    assert "CP006 `a->bbb" in finding and len(finding) < 500


def test_a_copy_may_be_much_longer_than_a_short_original(tmp_path: Path) -> None:
    marker = "# Copied from lib.one.f with a->some_much_longer_name\n"
    assert checked(tmp_path, ORIGINAL, marker, "def g():\n    return some_much_longer_name\n") == []


@pytest.mark.parametrize("rest", ["," * 500_000, "x," * 200_000, "x->y," * 100_000])
def test_very_many_replacements(rest: str, tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, ORIGINAL, f"# Copied from lib.one.f with {rest}\ndef g(): ...\n")
    assert finding.startswith("src/lib/one.py:5 CP006 the marker has ")
    assert "one with more than 100 is not read" in finding


def test_a_hundred_replacements_are_read(tmp_path: Path) -> None:
    rest = ",".join(["a->b", *(f"x{number}->y" for number in range(99))])
    found = checked(tmp_path, ORIGINAL, f"# Copied from lib.one.f with {rest}\ndef g():\n    return b\n")
    assert len(found) == 99 and all(" CP005 " in finding for finding in found)


@pytest.mark.parametrize("path", ["lib" + ".a" * 250_000, "lib.one" + ".a" * 60, "lib.one." + "a" * 2_000])
def test_a_path_of_very_many_parts(path: str, tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, ORIGINAL, f"# Copied from {path}\ndef g(): ...\n")
    assert finding.startswith("src/lib/one.py:5 CP006 the marker's path has ") and len(finding) < 300


def test_a_path_of_very_many_parts_in_a_mention_is_prose(tmp_path: Path) -> None:
    assert checked(tmp_path, ORIGINAL, f"# copied from lib{'.a' * 250_000}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        f"#{' ' * 300_000}Copied{' ' * 300_000}from lib.one.f x",
        f"# Copied from lib.one.f with a->b{' ' * 300_000}x",
        f"# Copied from lib.one.f{' ' * 300_000}with a->b",
        f"# Copied from lib.one.f with {'->' * 200_000}",
        f"# {'copied ' * 100_000}from lib.one.f",
        f"# copied{' ' * 200_000}:{' ' * 200_000}!",
        f"# copied from {'.' * 300_000}!",
        f"# copied from a{'..' * 200_000}",
        f"# copied {chr(34) * 300_000}!",
        f"x = '{' f' * 200_000}'",
    ],
    ids=lambda line: " ".join(line[:40].split()),
)
def test_long_lines_are_read_once(line: str, tmp_path: Path) -> None:
    checked(tmp_path, "def h(): ...\n\n\n", f"{line}\ndef g(): ...\n" * 2)


def test_many_short_copies_of_a_long_original(tmp_path: Path) -> None:
    original = "def f():\n" + "".join(f"    value_{number} = {number}\n" for number in range(6_000))
    copies = "".join(
        f"# Copied from lib.one.f with value->y{number}\ndef g{number}(): ...\n" for number in range(1_500)
    )
    found = checked(tmp_path, original, copies)
    refused = [finding for finding in found if " CP006 " in finding]
    assert len(refused) == 1 and "times the work that a file of its size takes" in refused[0]
    # What could be told before that is told.
    assert found[0].startswith("src/lib/one.py:6002 CP001 g0: differs from lib.one.f")


def test_many_markers_above_one_copy(tmp_path: Path) -> None:
    block = "def f():\n" + "".join(f"    value_{number} = {number}\n" for number in range(3_000))
    markers = "".join(f"# Copied from lib.one.f with x{number}->y\n" for number in range(4_000))
    found = checked(tmp_path, block, markers, block.replace("def f", "def g"))
    assert any(" CP006 " in finding for finding in found)


def test_a_copy_far_shorter_than_its_original_is_told_where_it_differs(tmp_path: Path) -> None:
    original = "def f():\n" + "".join(f"    value_{number} = {number}\n" for number in range(2_000))
    (finding,) = checked(tmp_path, original, "# Copied from lib.one.f\ndef g(): ...\n")
    assert finding.startswith("src/lib/one.py:2002 CP001 g: differs from lib.one.f")


def test_thousands_of_names_that_nearly_exist(tmp_path: Path) -> None:
    layers = "".join(f"class Layer{number}: ...\n" for number in range(3_000))
    copies = "".join(f"# Copied from lib.one.Leyar{number}x\ndef g{number}(): ...\n" for number in range(3_000))
    found = checked(tmp_path, layers, copies)
    assert len(found) == 3_000 and all(" CP002 " in finding for finding in found)
    assert "did you mean `lib.one.Layer0`?" in found[0]
    assert found[-1].endswith("name the original, or drop the marker")


def test_a_circle_of_thousands(tmp_path: Path) -> None:
    count = 4_000
    found = checked(
        tmp_path, "".join(f"# Copied from lib.one.f{(n + 1) % count}\ndef f{n}(): ...\n" for n in range(count))
    )
    assert len(found) == count and all("(3980 more)" in finding for finding in found)
    assert max(map(len, found)) < 1_000


def test_circles_of_all_with_all(tmp_path: Path) -> None:
    names = range(60)
    found = checked(
        tmp_path,
        "".join(
            "".join(f"# Copied from lib.one.f{m}\n" for m in names if m != n) + f"def f{n}(): ...\n" for n in names
        ),
    )
    circles = [finding for finding in found if " CP004 " in finding]
    # One circle is told at a time, at both of its markers, as it was before there was a bound.
    assert [circle.partition(" CP004")[0] for circle in circles] == ["src/lib/one.py:1", "src/lib/one.py:61"]
