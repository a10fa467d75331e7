"""Files as no one would write them: none crashes the command, none hides what is wrong with the others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from add_model.copies.finding import Code
from add_model.copies.fixing.fix import fix
from add_model.copies.judging.check import Check
from add_model.library import Library

from .libraries import findings_of, write_library

BERT = "class BertLayer:\n    def forward(self, x):\n        return self.dense(x)\n\n    def more(self):\n        return 1\n"
MARKER = "# Copied from my_models.bert.BertLayer with Bert->ViT\n"
VIT = MARKER + BERT.replace("Bert", "ViT")
# Stands in every library below, so that a check that stops early shows.
DRIFTED = VIT.replace("return 1", "return 2")


def library_with(root: Path, files: dict[str, str | bytes]) -> Library:
    return write_library(root, {"my_models/bert.py": BERT, "my_models/zz_drifted.py": DRIFTED} | {f"my_models/{name}": content for name, content in files.items()})  # fmt: skip


def found_in(library: Library) -> dict[str, list[str]]:
    """The codes by file, without those of the copy that has drifted, which must be found whatever else there is."""
    found: dict[str, list[str]] = {}
    for finding in findings_of(library):
        found.setdefault(finding.path.removeprefix("src/my_models/"), []).append(finding.code.name)
    assert found.pop("zz_drifted.py", None) == ["CP001"]
    return found


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"x = '\xff\xfe'\n" + VIT.encode(), ["CP006"]),
        (VIT.encode("utf-16"), ["CP006"]),
        (b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + VIT.encode(), []),
        (b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + DRIFTED.encode(), ["CP001"]),
        (b"# coding: no-such-coding\n" + VIT.encode(), ["CP006"]),
        (b"# coding: rot13\n" + VIT.encode(), ["CP006"]),
        (b"\xef\xbb\xbf# coding: latin-1\n" + VIT.encode(), ["CP006"]),
        (b"\xef\xbb\xbf" + VIT.encode(), []),
        (b"\xef\xbb\xbf" + DRIFTED.encode(), ["CP001"]),
        (VIT.replace("\n", "\r\n").encode(), []),
        (DRIFTED.replace("\n", "\r\n").encode(), ["CP001"]),
        (VIT.replace("\n", "\r").encode(), []),
        (VIT.replace("\n", "\r\n", 3).replace(":\n", ":\r").encode(), []),
        (DRIFTED.replace("\n", "\r\n", 3).encode(), ["CP001"]),
        (VIT.rstrip().encode(), []),
        (DRIFTED.rstrip().encode(), ["CP001"]),
        (MARKER.rstrip().encode(), ["CP007"]),
        (b"\f\n" + VIT.replace("\n\n", "\n\f\n").encode(), []),
        (VIT.replace("return 1", "return 1 \f").encode(), []),
        (b"", []),
        (b"\n", []),
        (b"\0", ["CP006"]),
        (b"x = 1\0\n" + VIT.encode(), ["CP006"]),
        (VIT.encode() + b"x = (\n", ["CP006"]),
        (VIT.encode() + b'"""never closed\n' + MARKER.encode() * 3, ["CP006"]),
        (b"'never closed\n" + DRIFTED.encode(), ["CP001", "CP006"]),
        (VIT.replace("return 1", "return '''1").encode(), ["CP001", "CP006"]),
        (VIT.encode() + "x = \ud800".encode("utf-8", "surrogatepass"), ["CP006"]),
        (VIT.encode() + "\u2028\x0b\x1c# Copied from my_models.bert.Nothing.at_all\n".encode(), ["CP001", "CP003", "CP006"]),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "-",
)  # fmt: skip
def test_odd_bytes(content: bytes, codes: list[str], tmp_path: Path) -> None:
    found = found_in(library_with(tmp_path, {"odd.py": content})).get("odd.py", [])
    assert sorted(found) == codes


def test_tabs(tmp_path: Path) -> None:
    tabbed = BERT.replace("Bert", "Tab").replace("    ", "\t")
    copy = tabbed.replace("Tab", "ViT")
    marker = "# Copied from my_models.tab.TabLayer with Tab->ViT\n"
    files: dict[str, str | bytes] = {
        "tab.py": tabbed,
        "same.py": marker + copy,
        "other.py": marker + copy.replace("return 1", "return 2"),
    }
    assert found_in(library_with(tmp_path, files)) == {"other.py": ["CP001"]}


@pytest.mark.parametrize(
    "nested",
    [
        "x = " + "(" * 500 + "1" + ")" * 500 + "\n",
        "(\n" * 500,
        "".join(" " * depth + "if x:\n" for depth in range(500)) + " " * 500 + "pass\n",
        "".join(" " * depth + f"class C{depth}:\n" for depth in range(500)) + " " * 500 + "pass\n",
        "x = " + "(" * 50_000 + "\n",
        "x = " + "-" * 50_000 + "1\ndef f(:\n",
    ],
    ids=["brackets", "open brackets", "blocks", "classes", "more brackets", "operators"],
)
def test_deep_nesting_is_a_finding(nested: str, tmp_path: Path) -> None:
    assert found_in(library_with(tmp_path, {"deep.py": VIT + nested})) == {"deep.py": ["CP006"]}


def test_deep_nesting_in_a_copied_block(tmp_path: Path) -> None:
    deep = VIT.replace("return 1", f"return {'(' * 500}2{')' * 500}")
    long = "def f():\n    return 1" + " + 1" * 3000 + "\n"
    sums = "# Copied from my_models.long.f\n" + long.replace("1\n", "2\n")
    found = found_in(library_with(tmp_path, {"deep.py": deep, "long.py": long, "sum.py": sums}))
    assert "CP001" in found["deep.py"] and "CP001" in found["sum.py"]


@pytest.mark.parametrize(
    "statement",
    [
        "match x:\n    case {'a': [1, *_]} | None: pass\n",
        "try:\n    pass\nexcept* ValueError:\n    pass\n",
        "try:\n    pass\nexcept ValueError, KeyError:\n    pass\n",
        "type A[T] = list[T]\n",
        "def f[T: int](x: T) -> T: ...\n",
        "x = f'{f'{1}'}'\n",
        "x = t'{name}'\n",
    ],
)
def test_the_syntax_of_a_newer_python_is_read(statement: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"newer.py": BERT + statement, "copy.py": VIT + statement}
    assert found_in(library_with(tmp_path, files | {"bad.py": DRIFTED + statement})) == {"bad.py": ["CP001"]}


def test_a_statement_that_no_python_knows(tmp_path: Path) -> None:
    found = found_in(library_with(tmp_path, {"odd.py": DRIFTED + "unless x:\n    pass\n", "same.py": VIT}))
    assert {file: sorted(codes) for file, codes in found.items()} == {"odd.py": ["CP001", "CP006"]}


@pytest.mark.parametrize(
    "content",
    [
        "def f():\n    return 1\n\n\n" * 400_000 + VIT,
        "# " + "x" * 1_000_000 + "\n" + VIT,
        "#" + " " * 1_000_000 + "copied\n" + VIT,
        "x = " + "'" * 999_998 + "\n" + VIT,
        "x = '" + "\\" * 999_998 + "'\n" + VIT,
        "# " + "copied from a.b " * 70_000 + "\n" + VIT,
        "# Copied from " + "a." * 500_000 + "\n" + VIT,
        "\n" * 1_000_000 + VIT,
        VIT + "# at the left\n" * 100_000,
    ],
    ids=["10 MB", "comment", "spaces", "quotes", "backslashes", "copied from", "path", "blank lines", "comments"],
)
def test_large_files_and_long_lines(content: str, tmp_path: Path) -> None:
    assert found_in(library_with(tmp_path, {"large.py": content})) == {}


def test_a_long_line_in_a_copy(tmp_path: Path) -> None:
    long = VIT.replace("return 1", f"return '{'a' * 1_000_000}'")
    assert found_in(library_with(tmp_path, {"long.py": long})) == {"long.py": ["CP001"]}


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*x", "(x|x)*y", "[", "\\", "(?P<"])
def test_replacement_patterns_are_text(pattern: str, tmp_path: Path) -> None:
    original = BERT.replace("return 1", f"return '{'a' * 50_000}!'").replace("Bert", "Long")
    marker = f"# Copied from my_models.long.LongLayer with Long->ViT,{pattern}->x\n"
    files: dict[str, str | bytes] = {"long.py": original, "copy.py": marker + original.replace("Long", "ViT")}
    assert set(found_in(library_with(tmp_path, files))["copy.py"]) == {"CP005", "CP008"}


def dangling(path: Path) -> None:
    path.symlink_to("nowhere.py")


def own_loop(path: Path) -> None:
    path.symlink_to(path.name)


def bound_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [dangling, own_loop, pipe, bound_socket], ids=lambda make: make.__name__)
def test_what_is_no_file_is_a_finding(make: Callable[[Path], None], tmp_path: Path) -> None:
    library = library_with(tmp_path, {"copy.py": VIT})
    make(tmp_path / "src/my_models/odd.py")
    assert found_in(library) == {"odd.py": ["CP006"]}


def test_a_folder_named_as_a_module_is_passed_through(tmp_path: Path) -> None:
    library = library_with(tmp_path, {"folder.py/copy.py": DRIFTED, "copy.py": VIT})
    assert found_in(library) == {"folder.py/copy.py": ["CP001"]}


def test_links_that_lead_in_circles(tmp_path: Path) -> None:
    library = library_with(tmp_path, {"deep/copy.py": VIT})
    (tmp_path / "src/my_models/deep/up").symlink_to("..")
    (tmp_path / "src/my_models/one").symlink_to("two")
    (tmp_path / "src/my_models/two").symlink_to("one")
    check = Check(library)
    assert len(list(check.findings())) == 1
    assert check.counts.files == 5


def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    library = library_with(tmp_path, {"copy.py": VIT})

    def refuse(path: str) -> bytes:
        if path.endswith("copy.py"):
            raise PermissionError(13, "Permission denied", path)
        return Path(path).read_bytes()

    findings = {finding.path: finding for finding in Check(library, read=refuse).findings()}
    assert findings["src/my_models/copy.py"].message == "cannot be read: Permission denied"
    assert findings["src/my_models/zz_drifted.py"].code is Code.CP001


def test_the_command_says_so_and_goes_on(tmp_path: Path) -> None:
    library_with(tmp_path, {"deep.py": VIT + "x = " + "(" * 50_000 + "\n", "bytes.py": b"\xff\n"})
    dangling(tmp_path / "src/my_models/link.py")
    command = [sys.executable, "-m", "add_model", "check-copies", "--root", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert run.stdout.count("CP006") == 3 and run.stdout.count("CP001") == 1


PIECES = st.sampled_from(
    [MARKER, VIT, DRIFTED, "class A:\n", "    def f(self):\n", "\tx = 1\n", "\f", "\r", "\r\n", "\n", '"""', "'''", "'", "\\\n",
     "(", "]", "# Ignore copy\n", "    # End copy\n", "@a\n", "# coding: latin-1\n", "\ufeff", "\0", "é", "# Copied from my_models.odd.A.f\n"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(pieces=st.lists(PIECES, max_size=12), noise=st.binary(max_size=30))
@example(pieces=[], noise=b"\xef\xbb\xbf# coding: latin-1\n")
def test_no_bytes_crash_a_check_or_a_fix(pieces: list[str], noise: bytes, tmp_path: Path) -> None:
    library = library_with(tmp_path, {"odd.py": "".join(pieces).encode() + noise})
    found_in(library)
    list(fix(library, [], False, lambda done, total: None).diff())


def test_a_replacement_that_only_a_marker_within_needs_has_an_effect(tmp_path: Path) -> None:
    # Libraries' own scripts compare the markers within a class as lines of it.
    files = {
        "first.py": "class A:\n    def f(self):\n        return 1\n",
        "second.py": "class B:\n    # Copied from my_models.first.A.f with Bird->Wren\n    def f(self):\n        return 1\n",
        "copy.py": "# Copied from my_models.second.B with Wren->Jay, Finch->Jay\nclass C:\n    # Copied from my_models.first.A.f with Bird->Jay\n    def f(self):\n        return 1\n",
    }
    said = [
        finding.message for finding in findings_of(library_with(tmp_path, files)) if finding.path.endswith("copy.py")
    ]
    assert "`Wren->Jay` changes nothing in the original" not in said
    assert "`Finch->Jay` changes nothing in the original" in said


def test_a_replacement_that_puts_right_what_another_makes_of_a_marker_within_has_an_effect(tmp_path: Path) -> None:
    marker = "my_models.second.Wren->my_models.copy.BigWren, Wren->BigWren, BigBigWren->BigWren"
    files = {
        "second.py": "class Wren:\n    # Copied from my_models.second.Wren.g\n    def f(self):\n        return Wren\n",
        "copy.py": f"# Copied from my_models.second.Wren with {marker}\nclass BigWren:\n    def f(self):\n        return BigWren\n",
    }
    codes = [
        finding.code for finding in findings_of(library_with(tmp_path, files)) if finding.path.endswith("copy.py")
    ]
    assert Code.CP005 not in codes
