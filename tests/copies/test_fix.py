"""Before and after, byte by byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.fixing.fix import fix
from add_model.copies.judging.check import Check
from add_model.copies.language.equality import equal
from add_model.library import Library, library_at

from .libraries import codes_of, write_library

ORIGINAL = '''
class Bert(Base):
    """Doc of Bert."""

    size = 1

    def __init__(self, config, more=1):
        super().__init__()
        self.dense = Dense(config.hidden_size, config.hidden_size)
        if more:
            self.more = "Bert"
        # the end

    @property
    def value(self):
        return self.dense

    def other(self):
        return 1
'''


def fixed(library: Library, copy: str = "my_models/vit.py") -> str:
    """The copy's text after a fix of the library, which must then be clean."""
    fix(library).write()
    assert codes_of(library) == []
    return (library.root / "src" / copy).read_text()


def fixed_copy(root: Path, copy: str, original: str = ORIGINAL) -> str:
    return fixed(write_library(root, {"my_models/bert.py": original, "my_models/vit.py": copy}))


def test_a_string_keeps_its_value_at_another_indentation(tmp_path: Path) -> None:
    string = '"""\nSELECT 1\n  FROM t\n"""'
    original = f'def f(x):\n    """Doc.\n\n    More.\n    """\n    t = {string}\n    return t\n'
    before = "class B:\n    # Copied from my_models.bert.f\n    def f(x):\n        return None\n"
    assert fixed_copy(tmp_path, before, original) == (
        "class B:\n    # Copied from my_models.bert.f\n    def f(x):\n"
        f'        """Doc.\n\n        More.\n        """\n        t = {string}\n        return t\n'
    )


# Blanks at the end of a line are layout to a formatter. What is brought over is the original's all the same, to the byte.
BLANKS = "class Bert:\n    size = 1  # \n\n    def f(self):\n        return 1  # \t\n        #  \n\n    other = 2  #\x0c\n\n    def g(self):\n        return 2  # \n"


@pytest.mark.parametrize("own", ["", "    # End copy\n\n    mine = 1  # \n", "    # Ignore copy\n    def h(self):\n        return 3  #  \n"])  # fmt: skip
def test_blanks_at_the_end_of_a_line_come_over_and_stay(tmp_path: Path, own: str) -> None:
    marker = "# Copied from my_models.bert.Bert with Bert->ViT\n"
    original = BLANKS.replace("Bert", "ViT")
    drifted = original.replace("1  #", "3  #").replace("2  #", "4  #")
    gap = "\n" if own else ""
    assert fixed_copy(tmp_path, f"{marker}{drifted}{gap}{own}", BLANKS) == f"{marker}{original}{gap}{own}"


def test_everything_that_is_the_copys_own_is_kept(tmp_path: Path) -> None:
    before = '''import other

@decorated(
    1
)
# Copied from my_models.bert.Bert with Bert->ViT
@also
class MyViT(Base):
    """Doc of ViT."""
    size = 2

    def __init__(self, config):
        super().__init__()
        self.dense = Dense(
            config.hidden_size,
            config.hidden_size,
        )
        self.gone = 1

    # Copied from my_models.bert.Bert.value
    @property
    # Copied from my_models.bert.Bert.value
    def value(self):
        return None

    # Ignore copy
    def own(self):
        return [1,
                2]

    # Ignore copy
    def other(self):
        return "own"

    def gone(self):
        pass

# behind
x = 1
'''
    after = '''import other

@decorated(
    1
)
# Copied from my_models.bert.Bert with Bert->ViT
@also
class MyViT(Base):
    """Doc of ViT."""

    size = 1

    def __init__(self, config, more=1):
        super().__init__()
        self.dense = Dense(
            config.hidden_size,
            config.hidden_size,
        )
        if more:
            self.more = "ViT"
        # the end

    # Copied from my_models.bert.Bert.value
    @property
    # Copied from my_models.bert.Bert.value
    def value(self):
        return self.dense

    # Ignore copy
    def own(self):
        return [1,
                2]

    # Ignore copy
    def other(self):
        return "own"

# behind
x = 1
'''
    assert fixed_copy(tmp_path, before) == after


def test_statements_behind_an_ignored_method_are_not_the_methods(tmp_path: Path) -> None:
    original = (
        'class Bert:\n    def f(self):\n        return 1\n\n    name = "{}"\n\n    def g(self):\n        return 1\n'
    )
    copy = (
        "# Copied from my_models.bert.Bert with Bert->ViT\nclass ViT:\n    # Ignore copy\n    def f(self, pixels):\n"
        '        return 2\n\n    name = "{}"\n\n    def g(self):\n        return 1\n'
    )
    assert fixed_copy(tmp_path, copy.format("old"), original.format("new")) == copy.format("new")


def test_a_docstring_that_is_equal_keeps_its_blank_lines(tmp_path: Path) -> None:
    original = 'def scale(states):\n    """Scales.\n\n    Args:\n        states: them.\n    """\n    return states\n'
    copy = "# Copied from my_models.bert.scale\n" + original.replace(".\n\n", ".\n").replace("return", "return 2 *")
    assert fixed_copy(tmp_path, copy, original) == copy.replace("return 2 *", "return")


def test_what_follows_end_copy_is_kept(tmp_path: Path) -> None:
    before = "class ViT:\n    # Copied from my_models.bert.Bert.other\n    def first(self):\n        return 2\n\n        # End copy\n        return 3\n"
    assert fixed_copy(tmp_path, before) == before.replace("return 2", "return 1")


def test_what_follows_end_copy_directly_below_the_header_is_kept(tmp_path: Path) -> None:
    copy = "# Copied from my_models.bert.Bert.other\ndef first(self):\n    # End copy\n    return 3\n"
    body = "def first(self):\n"
    assert fixed_copy(tmp_path, copy) == copy.replace(body, f"{body}    return 1\n")


def test_a_function_becomes_a_method_with_its_indentation(tmp_path: Path) -> None:
    original = "def scale(states):\n    if states:\n        return 1\n"
    before = "class ViT:\n    # Copied from my_models.bert.scale\n    def scale(self): ...\n    y = 1\n"
    after = "class ViT:\n    # Copied from my_models.bert.scale\n    def scale(states):\n        if states:\n            return 1\n    y = 1\n"
    assert fixed_copy(tmp_path, before, original) == after


def test_equal_copies_are_left_alone_however_they_are_laid_out(tmp_path: Path) -> None:
    copy = "# Copied from my_models.bert.Bert with Bert->ViT\n" + ORIGINAL.replace("Bert", "ViT").lstrip().replace(
        "(config.hidden_size, config.hidden_size)",
        "(\n            config.hidden_size,\n            config.hidden_size,\n        )",
    )
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": copy})
    assert fix(library).after == {}


def test_copies_of_copies_settle_in_one_run(tmp_path: Path) -> None:
    names = "abcdefgh"
    files = {"my_models/a.py": "class A:\n    x = 1\n\n    def f(self):\n        return A\n"}
    for source, name in zip(names, names[1:], strict=False):
        marker = f"# Copied from my_models.{source}.{source.upper()} with {source.upper()}->{name.upper()}"
        files[f"my_models/{name}.py"] = f"{marker}\nclass {name.upper()}:\n    pass\n"
    # The last one first, so that the order of the files is no help.
    files = dict(reversed(files.items()))
    library = write_library(tmp_path, files)
    assert fixed(library, "my_models/h.py").endswith("class H:\n    x = 1\n\n    def f(self):\n        return H\n")


def test_a_circle_is_left_alone_and_reported_and_the_rest_is_fixed(tmp_path: Path) -> None:
    files = {
        "my_models/a.py": "# Copied from my_models.b.f\ndef f():\n    return 1\n",
        "my_models/b.py": "# Copied from my_models.a.f\ndef f():\n    return 2\n",
        "my_models/bert.py": ORIGINAL,
        "my_models/vit.py": "# Copied from my_models.bert.Bert.other\ndef other(): ...\n",
    }
    result = fix(write_library(tmp_path, files))
    assert [Path(path).name for path in result.after] == ["vit.py"]
    assert {finding.code.name for finding in result.findings} == {"CP001", "CP004"}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_bytes_outside_the_block_survive(ending: str, encoding: str, tmp_path: Path) -> None:
    before = f"# -*- coding: {encoding} -*-\nx = 'é'  \n\f\n# Copied from my_models.bert.Bert.other\ndef other(self):\n    return 2\nz = 'é'"
    library = write_library(
        tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": before.replace("\n", ending).encode(encoding)}
    )
    path = tmp_path / "src/my_models/vit.py"
    path.chmod(0o750)
    fix(library).write()
    assert path.read_bytes() == before.replace("return 2", "return 1").replace("\n", ending).encode(encoding)
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert not os.path.exists(tmp_path / ".add-model")


def test_mixed_line_endings_outside_the_block_survive(tmp_path: Path) -> None:
    before = (
        b"x = 1\r\ny = 2\n# Copied from my_models.bert.Bert.other\ndef other(self):\n    return 2\nz = 3\r\nw = 4\r"
    )
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": before})
    fix(library).write()
    assert (tmp_path / "src/my_models/vit.py").read_bytes() == before.replace(b"return 2", b"return 1")


def test_a_character_that_the_encoding_lacks_leaves_the_file_alone(tmp_path: Path) -> None:
    original = "def f():\n    return '中'\n"
    copy = "# coding: latin-1\n# Copied from my_models.bert.f\ndef f():\n    return 1\n"
    result = fix(write_library(tmp_path, {"my_models/bert.py": original, "my_models/vit.py": copy}))
    assert result.after == {} and [finding.code.name for finding in result.findings] == ["CP001"]


def test_nothing_is_fixed_in_or_from_a_file_that_does_not_parse(tmp_path: Path) -> None:
    files = {
        "my_models/bert.py": ORIGINAL + "class (:\n",
        "my_models/vit.py": "# Copied from my_models.bert.Bert.other\ndef other(): ...\n",
    }
    assert fix(write_library(tmp_path, files)).after == {}


def test_full_copies_are_rewritten_and_made(tmp_path: Path) -> None:
    write_library(tmp_path, {"my_models/a.py": b"x = 1\r\n", "my_models/b.py": "x = 2\n"})
    (tmp_path / "pyproject.toml").write_text(
        '[tool.add-model.full-copies]\n"src/my_models/b.py" = "src/my_models/a.py"\n"src/my_models/c.py" = "src/my_models/a.py"\n'
    )
    library = library_at(tmp_path)
    fix(library).write()
    assert codes_of(library) == []
    assert (
        (tmp_path / "src/my_models/b.py").read_bytes()
        == (tmp_path / "src/my_models/c.py").read_bytes()
        == b"x = 1\r\n"
    )


def with_full_copies(root: Path, files: dict[str, str | bytes], table: str, more: str = "") -> Library:
    write_library(root, {f"my_models/{name}": content for name, content in files.items()})
    (root / "pyproject.toml").write_text(f"[tool.add-model.full-copies]\n{table}\n{more}")
    return library_at(root)


A, B, C = (f'"src/my_models/{name}.py"' for name in "abc")


def test_a_circle_of_full_copies_is_reported_and_left_alone(tmp_path: Path) -> None:
    library = with_full_copies(tmp_path, {"a.py": "x = 1\n", "b.py": "x = 2\n"}, f"{A} = {B}\n{B} = {A}\n{C} = {A}")
    result = fix(library)
    assert sorted(finding.code.name for finding in result.findings) == ["CP004", "CP004"]
    assert [os.path.basename(path) for path in result.after] == ["c.py"] and result.rewritten == 1


def test_a_full_copy_of_a_full_copy_settles(tmp_path: Path) -> None:
    library = with_full_copies(tmp_path, {"a.py": "x = 1\n", "b.py": "x = 2\n"}, f"{B} = {A}\n{C} = {B}")
    fix(library).write()
    assert codes_of(library) == [] and (tmp_path / "src/my_models/c.py").read_text() == "x = 1\n"


@pytest.mark.parametrize("code", ["CP001", "CP002"])
def test_full_copies_that_the_configuration_passes_over_are_left_alone(code: str, tmp_path: Path) -> None:
    more = f'[tool.add-model.per-file-ignores]\n"src/my_models/b.py" = ["{code}"]'
    files: dict[str, str | bytes] = {"a.py": "x = 1\n"} | ({"b.py": "x = 2\n"} if code == "CP001" else {})
    assert fix(with_full_copies(tmp_path, files, f"{B} = {A}", more)).after == {}


def test_a_full_copy_is_not_made_of_a_file_that_does_not_parse(tmp_path: Path) -> None:
    result = fix(with_full_copies(tmp_path, {"a.py": "x = (1\n", "b.py": "x = 1\n"}, f"{B} = {A}"))
    assert result.after == {}
    assert [(finding.code.name, finding.fixable) for finding in result.findings] == [
        ("CP006", False),
        ("CP001", False),
    ]


def test_a_full_copy_may_be_registered_in_any_spelling(tmp_path: Path) -> None:
    library = with_full_copies(
        tmp_path, {"a.py": "x = 1\n", "b.py": "x = 2\n"}, '"./src/my_models/b.py" = "src//my_models/a.py"'
    )
    (finding,) = Check(library, [tmp_path / "src/my_models/b.py"]).findings()
    assert finding.path == "src/my_models/b.py"


@pytest.mark.parametrize("way", ["scripts/../src/my_models", "../link/src/my_models", "../link"])
def test_a_file_has_one_name_by_whatever_way_it_is_reached(way: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    drifted = "def f():\n    return 2\n"
    files = {
        "my_models/a.py": "def f():\n    return 1\n",
        "my_models/b.py": f"# Copied from my_models.a.f\n{drifted}",
        "my_models/c.py": f"# Copied from my_models.b.f\n{drifted}",
        "my_models/z.py": f"# Copied from my_models.a.f\n{drifted}",
    }
    write_library(root, files)
    (root / "pyproject.toml").write_text('[tool.add-model.per-file-ignores]\n"src/my_models/z.py" = ["CP001"]\n')
    (root / "scripts").mkdir()
    (tmp_path / "link").symlink_to(root)
    result = fix(library_at(root), [root / way])
    result.write()
    texts = {name: (root / "src/my_models" / name).read_text() for name in ("b.py", "c.py", "z.py")}
    assert ["return 1" in text for text in texts.values()] == [True, True, False]
    assert [(finding.path, finding.code.name) for finding in result.findings] == [("src/my_models/z.py", "CP001")]


def test_a_module_and_a_link_to_it_are_one_file(tmp_path: Path) -> None:
    copy = "# Copied from my_models.bert.Bert.other\ndef other(self):\n    return 2\n"
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": copy})
    (tmp_path / "src/my_models/zit.py").symlink_to("vit.py")
    assert fixed(library) == copy.replace("2", "1")
    assert (tmp_path / "src/my_models/zit.py").is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    # Copied from my_models.a.A with A->B\n    class B:\n        x = 1\n",
        "# Copied from my_models.a.A.B with B->A\nclass A:\n    class B:\n        x = 1\n",
    ],
)
def test_a_part_of_its_original_is_reported_and_left_alone(text: str, tmp_path: Path) -> None:
    result = fix(write_library(tmp_path, {"my_models/a.py": text}))
    assert result.after == {} and [finding.code.name for finding in result.findings] == ["CP004"]


def test_copies_of_one_name_are_counted_one_by_one(tmp_path: Path) -> None:
    method = "    # Copied from my_models.bert.Bert.other\n    def other(self):\n        return 2\n\n"
    copies = "".join(f"class A{number}:\n{method}\n" for number in range(3))
    result = fix(write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": copies}))
    assert result.rewritten == 3


def test_diff_shows_and_writes_nothing(tmp_path: Path) -> None:
    copy = "# Copied from my_models.bert.Bert.other\ndef other(self):\n    return 2"
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": copy})
    assert "".join(fix(library).diff()) == (
        "--- a/src/my_models/vit.py\n+++ b/src/my_models/vit.py\n@@ -1,3 +1,3 @@\n # Copied from my_models.bert.Bert.other\n"
        " def other(self):\n-    return 2\n\\ No newline at end of file\n+    return 1\n\\ No newline at end of file\n"
    )
    assert (tmp_path / "src/my_models/vit.py").read_text() == copy


lines = st.lists(
    st.tuples(st.text(alphabet="ab#'é\f\x1c\u2028", max_size=4), st.sampled_from(["\n", "\r\n", "\r"])),
    min_size=1,
    max_size=8,
)


@given(lines, st.data())
def test_edits_change_their_lines_alone(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(parts) - 1))
    last = data.draw(st.integers(first + 1, len(parts)))
    # A carriage return before an empty line that ends in a line feed would be one ending of two bytes.
    parts = [(text or "x", ending) for text, ending in parts]
    starts = [0]
    for text, _ in parts:
        starts.append(starts[-1] + len(text) + 1)
    content = "".join(map("".join, parts)).encode()
    changed = apply_edits(content, "utf-8", [Edit(starts[first], starts[last], "new\nlines\n")])
    ending = parts[first][1]
    assert (
        changed
        == (
            "".join(map("".join, parts[:first])) + f"new{ending}lines{ending}" + "".join(map("".join, parts[last:]))
        ).encode()
    )


@pytest.mark.parametrize("library", ["diffusers", "my_models"])
def test_a_header_is_repaired_behind_its_first_line(library: str, tmp_path: Path) -> None:
    original = "def f(\n    x,\n    y: int = 1,\n) -> int:\n    return x\n"
    copy = f"# Copied from {library}.base.f\n{original.replace('y: int', 'y: float').replace('f(', 'g(')}"
    after = fixed(write_library(tmp_path, {f"{library}/base.py": original, f"{library}/copy.py": copy}), f"{library}/copy.py")  # fmt: skip
    assert after == copy.replace("float", "int")


@pytest.mark.parametrize("original", ["def f(x): return 1\n", "def f(x):\n    return 1\n"])
@pytest.mark.parametrize(
    ("copy", "fixed"),
    [
        ("def f(x: int): return 2\n", "def f(x: int): return 1\n"),
        ("def f(x: int):\n    return 2\n", "def f(x: int):\n    return 1\n"),
        ("def f(x: int):  # why\n    return 2\n", "def f(x: int):  # why\n    return 1\n"),
    ],
)
def test_the_body_alone_is_rewritten_where_headers_may_differ(
    original: str, copy: str, fixed: str, tmp_path: Path
) -> None:
    files = {"diffusers/base.py": original, "diffusers/copy.py": f"# Copied from diffusers.base.f\n{copy}"}
    fix(write_library(tmp_path, files)).write()
    written = (tmp_path / "src/diffusers/copy.py").read_text().partition("\n")[2]
    assert equal(written, fixed)
