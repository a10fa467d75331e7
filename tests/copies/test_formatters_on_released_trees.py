"""Files of the released trees formatted anew, so that copies and originals are laid out differently: nothing is reported.

What a formatter would say of the code, and in which version, has no say in a verdict: not even the version that these
trees were formatted with.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.copies.finding import Code
from add_model.copies.judging.check import Check
from add_model.library import Library

from .released import RELEASES, installed_apart, released

SEED = 5
# A marker that a script which reads line by line ends with an error at: how a header is laid out makes it one.
LAYOUT = Code.CP012.name
SINGLE_QUOTES = ("--config", "format.quote-style='single'")
# The tool, the share of the files that it formats, as black takes many times longer for one, and its options.
FORMATTERS = {
    "ruff 0.5.1, 320 columns, single quotes": ("ruff==0.5.1", 0.5, ("--line-length", "320", *SINGLE_QUOTES)),
    "ruff of today, 60 columns": ("ruff", 0.5, ("--line-length", "60")),
    "black, 320 columns, preview": ("black", 0.05, ("--line-length", "320", "--preview")),
}
MORE_FORMATTERS = {
    "ruff 0.5.1, 60 columns": ("ruff==0.5.1", 0.5, ("--line-length", "60")),
    "ruff of today, 320 columns, single quotes": ("ruff", 0.5, ("--line-length", "320", *SINGLE_QUOTES)),
    "black, 60 columns": ("black", 0.1, ("--line-length", "60")),
    "black, 320 columns": ("black", 0.1, ("--line-length", "320", "--skip-string-normalization")),
}


def command(tool: str) -> list[str]:
    """What formats the files and folders behind it."""
    if tool == "black":
        return [sys.executable, "-m", "black", "--quiet", "--skip-magic-trailing-comma"]
    ruff = [sys.executable, "-m", "ruff"] if tool == "ruff" else [str(installed_apart(tool) / "bin" / "ruff")]
    return [*ruff, "format", "--isolated", "--quiet", "--no-cache"]


def reports(library: Library, texts: dict[str, bytes]) -> Counter[tuple[str, str, str, str]]:
    """What is reported of a library in which some files have other texts; the lines are others, and left out."""
    check = Check(library, read=lambda path: texts.get(path) or Path(path).read_bytes())
    found = ((each.path, _verdict(each.code), each.object, each.source) for each in check.findings())
    return Counter(report for report in found if report[1] != LAYOUT)


def _verdict(code: Code) -> str:
    """The code, but for what by its very meaning hangs on layout: which line of a header differs, what a script can read."""
    return (Code.CP001 if code is Code.CP010 else code).name


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "formatter", [*FORMATTERS, *(pytest.param(name, marks=pytest.mark.exhaustive) for name in MORE_FORMATTERS)]
)
def test_files_can_be_formatted_anew(
    formatter: str, release: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    tool, share, options = (FORMATTERS | MORE_FORMATTERS)[formatter]
    library = released(release)
    files = [path for _, path in Check(library).files if b"Copied from" in Path(path).read_bytes()]
    # With half of them most pairs have one side that is formatted anew, the copy or the original.
    some = random.Random(SEED).sample(files, int(len(files) * share))
    for number, path in enumerate(some):
        (tmp_path / f"module_{number}.py").write_bytes(Path(path).read_bytes())
    subprocess.run([*command(tool), *options, str(tmp_path)], check=True)
    formatted = {path: (tmp_path / f"module_{number}.py").read_bytes() for number, path in enumerate(some)}
    changed = sum(formatted[path] != Path(path).read_bytes() for path in some)
    assert changed > len(some) / 3
    assert reports(library, formatted) == reports(library, {})
    figure(f"{release}, {formatter}: {changed} files formatted anew, no verdict changed")
