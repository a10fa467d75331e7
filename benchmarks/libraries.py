"""What `check-copies` sees of the libraries that speak the language: markers that stand there against markers seen.

    python benchmarks/libraries.py [REQUIREMENT ...] [--folder FOLDER]

Each library is fetched from the package index as a wheel or a source archive, which is unpacked and never installed; without
a REQUIREMENT those below. A line that reads `# Copied from a.b.c` counts as standing there where Python's own tokenizer
finds it as a comment of its own. It is seen where it was compared, counted as unchecked, or taken for words. The table
says so with no configuration, and with the one that `--init` proposes; the command ends with 1 where one is unseen.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import tokenize
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from add_model.copies.finding import Counts
from add_model.copies.judging.check import Check
from add_model.copies.proposal import propose
from add_model.copies.proposal import written as write_proposal
from add_model.library import Library, library_at

# Mirrors of Transformers and Diffusers, then plug-ins and toolkits.
WHEELS = ("mindone==0.5.0", "mindnlp==0.4.1", "paddlenlp==2.8.1", "ppdiffusers==0.29.0")
ARCHIVES = ("optimum-habana", "simpletuner", "adapters", "parler-tts", "lerobot", "peft")
MARKER = re.compile(r"#[ \t]*Copied[ \t]+from[ \t]+[^\W\d]\w*(?:[./][^\W\d]\w*){2,}(?=[ \t]|$)")


class Row(NamedTuple):
    """What a run saw, how long it took, and what it found."""

    counts: Counts
    seconds: float
    codes: Counter[str]

    @property
    def seen(self) -> int:
        """How many lines it has not passed by."""
        return self.counts.markers + self.counts.unchecked + self.counts.prose


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requirements", nargs="*", default=[*WHEELS, *ARCHIVES])
    parser.add_argument("--folder", type=Path, help="where the libraries are kept between runs")
    arguments = parser.parse_args()
    unseen = 0
    print(
        f"{'library':<26} {'stand':>6} {'seen':>6} {'checked':>8} {'unchecked':>9} {'words':>6} {'seconds':>8}  findings"
    )
    with tempfile.TemporaryDirectory() as temporary:
        for requirement in arguments.requirements:
            root = fetched(requirement, arguments.folder or Path(temporary))
            if root is None:
                print(f"{requirement:<26} is not to be had")
                continue
            standing = standing_in(library_at(root))
            unseen += show(requirement, standing, check(library_at(root)))
            proposed = propose(library_at(root))
            if any(line.key in ("alias", "exclude") for line in proposed):
                before = (root / "pyproject.toml").read_bytes() if (root / "pyproject.toml").exists() else None
                write_proposal(library_at(root), proposed)
                show("  with --init", standing_in(library_at(root)), check(library_at(root)))
                (root / "pyproject.toml").unlink() if before is None else (root / "pyproject.toml").write_bytes(before)
    sys.exit(1 if unseen else 0)


def show(name: str, standing: int, row: Row) -> int:
    """Prints a row; how many markers nothing was said of."""
    counts, codes = row.counts, " ".join(f"{code} {count}" for code, count in sorted(row.codes.items()))
    figures = f"{standing:>6} {row.seen:>6} {counts.markers:>8} {counts.unchecked:>9} {counts.prose:>6}"
    print(f"{name:<26} {figures} {row.seconds:>8.2f}  {codes}", flush=True)
    return max(0, standing - row.seen)


def check(library: Library) -> Row:
    """Checks a library, with nothing kept from an earlier run."""
    started = time.perf_counter()
    run = Check(library)
    codes = Counter(finding.code.name for finding in run.findings())
    return Row(run.counts, time.perf_counter() - started, codes)


def standing_in(library: Library) -> int:
    """How many lines read like markers below the library's root, in files that it does not exclude."""
    return sum(map(_standing, (Path(path) for _, path in Check(library).files)))


def _standing(path: Path) -> int:
    content = path.read_bytes()
    if b"Copied" not in content:
        return 0
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(content).readline))
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError):
        return len(re.findall(rf"(?m)^[ \t]*{MARKER.pattern}", content.decode("utf-8", "replace")))
    comments = (token for token in tokens if token.type == tokenize.COMMENT)
    return sum(
        MARKER.match(token.string) is not None and not token.line[: token.start[1]].strip() for token in comments
    )


def fetched(requirement: str, folder: Path) -> Path | None:
    """The folder of a library, unpacked; `None` where the index has none."""
    target = folder / requirement.replace("==", "-")
    if target.is_dir():
        return _root(target)
    for kind in ("--only-binary", "--no-binary") if requirement in WHEELS else ("--no-binary", "--only-binary"):
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
            done = subprocess.run([*command, kind, ":all:", "--dest", scratch, requirement], capture_output=True)
            archives = [path for path in Path(scratch).iterdir() if path.suffix in (".whl", ".gz", ".zip")]
            if done.returncode == 0 and archives:
                target.mkdir(parents=True)
                _unpack(archives[0], target)
                return _root(target)
    return None


def _unpack(archive: Path, target: Path) -> None:
    if archive.suffix == ".gz":
        with tarfile.open(archive) as file:
            file.extractall(target, filter="data")
    else:
        with zipfile.ZipFile(archive) as file:
            file.extractall(target)


def _root(target: Path) -> Path:
    """The one folder of a source archive, or that of a wheel's packages."""
    folders = [path for path in target.iterdir() if path.is_dir()]
    return folders[0] if len(folders) == 1 and (folders[0] / "PKG-INFO").exists() else target


if __name__ == "__main__":
    main()
