"""A run with the cache finds what a run without it finds, whatever happened to the tree or to the cache."""

from __future__ import annotations

import marshal
import os
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.copies import report
from add_model.copies.finding import Code
from add_model.copies.judging import check as check_module
from add_model.copies.reading import files
from add_model.copies.reading.files import Tree
from add_model.copies.remembering import recall as recall_module
from add_model.copies.remembering.cache import Checked, check_library
from add_model.copies.remembering.recall import cache_folder, recall, timed
from add_model.library import Configuration, Library, library_at
from tests.copies.libraries import write_library
from tests.copies.released import released


def layer(name: str, number: int) -> str:
    return f"class {name.upper()}Layer:\n    def forward(self, x):\n        return x + {number}\n"


def marker(original: str, copy: str) -> str:
    return f"# Copied from my_models.{original}.{original.upper()}Layer with {original.upper()}->{copy.upper()}\n"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of a test take place an hour from now, so that its files are no longer new to them."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)


@pytest.fixture
def library(tmp_path: Path, clock: None) -> Library:
    files = {"my_models/a.py": layer("a", 1)}
    for original, copy in ("ab", "bc", "ad"):
        files[f"my_models/{copy}.py"] = marker(original, copy) + layer(copy, 1)
    return write_library(tmp_path / "tree", files)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are checked, not remembered, while the test runs."""
    names: list[str] = []
    original = check_module.Check._check_file

    def record(self: check_module.Check, relative: str, path: str) -> object:
        names.append(Path(path).name)
        return original(self, relative, path)

    monkeypatch.setattr(check_module.Check, "_check_file", record)
    return names


def module(library: Library, name: str) -> Path:
    return library.root / f"src/my_models/{name}.py"


def same_as_without(library: Library, folder: Path) -> Checked:
    # Files have a clock of their own, which may tick a hundred times a second; the runs' is an hour ahead of it.
    time.sleep(0.01)
    cached = check_library(library, folder)
    assert cached == check_library(library, None)
    return cached


def the_cache(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_nothing_is_looked_at_twice(library: Library, tmp_path: Path, looked_at: list[str]) -> None:
    first = check_library(library, tmp_path / "cache")
    assert len(looked_at) == 5 and first.counts.markers == 3
    looked_at.clear()
    assert check_library(library, tmp_path / "cache") == first
    assert looked_at == []


def test_an_edit_concerns_the_file_and_its_direct_copies(
    library: Library, tmp_path: Path, looked_at: list[str]
) -> None:
    check_library(library, tmp_path / "cache")
    module(library, "b").write_text(module(library, "b").read_text().replace("+ 1", "+ 2"))
    looked_at.clear()
    findings, _ = check_library(library, tmp_path / "cache")
    assert looked_at == ["b.py", "c.py"]
    assert [finding.path for finding in findings] == ["src/my_models/b.py", "src/my_models/c.py"]
    assert findings == check_library(library, None).findings


@pytest.mark.parametrize(
    "change",
    [
        lambda library: module(library, "a").unlink(),
        lambda library: module(library, "e").write_text(marker("a", "e") + layer("e", 3)),
        lambda library: module(library, "a").rename(module(library, "z")),
        lambda library: (library.root / "src/my_models/a").mkdir(),
        lambda library: module(library, "a").write_bytes(b"\xff" + module(library, "a").read_bytes()),
        lambda library: module(library, "a").write_text("class aLayer(:\n"),
        lambda library: module(library, "a").write_text(marker("c", "a") + layer("a", 1)),
    ],
    ids=["removed", "added", "renamed", "a folder of its name", "no text", "no Python", "a circle"],
)
def test_what_happens_to_an_original_is_seen(
    change: Callable[[Library], object], library: Library, tmp_path: Path
) -> None:
    check_library(library, tmp_path / "cache")
    change(library)
    assert same_as_without(library, tmp_path / "cache") == same_as_without(library, tmp_path / "cache")


def test_folders_are_searched_again_only_where_something_has_come_or_gone(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[Library] = []

    def search(library: Library) -> Tree:
        searched.append(library)
        return files.search(library)

    monkeypatch.setattr(recall_module, "search", search)
    check_library(library, tmp_path / "cache")
    module(library, "b").write_text(layer("b", 2))
    assert len(same_as_without(library, tmp_path / "cache").findings) == 1
    assert len(searched) == 2  # the first run, and the one without a cache
    module(library, "d").unlink()
    assert same_as_without(library, tmp_path / "cache").counts.files == 4
    assert len(searched) == 4


def test_what_happens_behind_a_link_is_seen(library: Library, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(marker("a", "e") + layer("e", 3))
    module(library, "e").symlink_to(outside)
    assert len(same_as_without(library, tmp_path / "cache").findings) == 1
    outside.unlink()
    outside.mkdir()
    assert same_as_without(library, tmp_path / "cache").findings == []
    outside.rmdir()
    assert same_as_without(library, tmp_path / "cache").findings[0].code is Code.CP006


def test_a_module_that_comes_to_stand_before_another_is_seen(library: Library, tmp_path: Path) -> None:
    check_library(library, tmp_path / "cache")
    package = library.root / "src/my_models/a"
    package.mkdir()
    (package / "__init__.py").write_text(layer("a", 7))
    assert len(same_as_without(library, tmp_path / "cache").findings) == 2


def test_an_edit_that_keeps_size_and_time_is_seen_where_the_file_was_new(tmp_path: Path) -> None:
    library = write_library(
        tmp_path / "tree",
        {"my_models/a.py": layer("a", 1), "my_models/b.py": marker("a", "b") + layer("b", 1)},
    )
    assert check_library(library, tmp_path / "cache").findings == []
    path = module(library, "b")
    status = path.stat()
    path.write_text(path.read_text().replace("+ 1", "+ 2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(same_as_without(library, tmp_path / "cache").findings) == 1


def test_another_configuration_is_another_run(library: Library, tmp_path: Path) -> None:
    module(library, "d").write_text(marker("a", "d") + layer("d", 5))
    assert len(check_library(library, tmp_path / "cache").findings) == 1
    excluding = Library(library.root, library.packages, Configuration(exclude=("src/my_models/d.py",)))
    assert same_as_without(excluding, tmp_path / "cache").findings == []
    module(library, "d").write_text("x = 1\n")
    full = Library(
        library.root, library.packages, Configuration(full_copies={"src/my_models/d.py": "src/my_models/x.txt"})
    )
    assert [finding.code.name for finding in same_as_without(full, tmp_path / "cache").findings] == ["CP002"]
    (library.root / "src/my_models/x.txt").write_text("x = 1\n")
    assert same_as_without(full, tmp_path / "cache").findings == []


def test_trees_of_one_name_have_caches_of_their_own(library: Library, tmp_path: Path, looked_at: list[str]) -> None:
    shutil.copytree(library.root, tmp_path / "other" / library.root.name)
    other = library_at(tmp_path / "other" / library.root.name)
    for each in (library, other):
        check_library(each, tmp_path / "cache")
    looked_at.clear()
    for each in (library, other):
        check_library(each, tmp_path / "cache")
    assert looked_at == [] and len(list((tmp_path / "cache").iterdir())) == 2


def _rewrite(path: Path, part: int, change: Callable[[list[object]], object]) -> None:
    """Changes one of the two parts of a cache, and has its checksum agree."""
    first_line, sizes, content = path.read_bytes().split(b"\n", 2)
    size = int(sizes.split()[0])
    parts = [content[:size], content[size:]]
    decoded = list(marshal.loads(parts[part]))
    change(decoded)
    parts[part] = marshal.dumps(decoded)
    sizes = b"%d %08x %08x" % (len(parts[0]), *map(zlib.crc32, parts))
    path.write_bytes(b"\n".join((first_line, sizes, b"".join(parts))))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(os.urandom(500)),
        lambda path: path.write_bytes(path.read_bytes().replace(b"ALayer", b"BLayer")),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_bytes(path.read_bytes().replace(b"'0.", b"'1.", 1)),
        lambda path: _rewrite(path, 1, lambda kept: kept.__setitem__(1, (1, 2, 3, 4, 5, 6))),
        lambda path: _rewrite(path, 1, lambda kept: kept.clear()),
        lambda path: _rewrite(path, 0, lambda head: head.clear()),
        lambda path: _rewrite(path, 0, lambda head: head.__setitem__(0, 7)),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=[
        "empty",
        "cut off",
        "noise",
        "a flipped bit",
        "deep",
        "foreign",
        "counts",
        "nothing kept",
        "no head",
        "no files",
        "a folder",
    ],
)
def test_a_broken_cache_is_none(damage: Callable[[Path], object], library: Library, tmp_path: Path) -> None:
    check_library(library, tmp_path / "cache")
    damage(the_cache(tmp_path / "cache"))
    assert same_as_without(library, tmp_path / "cache").counts.markers == 3


def test_a_cache_that_cannot_be_written_is_none(library: Library, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert same_as_without(library, tmp_path / "cache").counts.markers == 3


def test_nothing_is_written_into_the_tree(library: Library, tmp_path: Path) -> None:
    before = sorted(library.root.rglob("*"))
    check_library(library, tmp_path / "cache")
    assert sorted(library.root.rglob("*")) == before


def test_what_happens_to_an_excluded_original_is_seen(library: Library, tmp_path: Path) -> None:
    excluding = Library(library.root, library.packages, Configuration(exclude=("src/my_models/a.py",)))
    assert same_as_without(excluding, tmp_path / "cache").findings == []
    module(library, "a").write_text(layer("a", 4))
    assert len(same_as_without(excluding, tmp_path / "cache").findings) == 2
    module(library, "a").unlink()
    assert {finding.code.name for finding in same_as_without(excluding, tmp_path / "cache").findings} == {"CP002"}


def test_an_unchanged_tree_is_answered_as_it_was(library: Library, tmp_path: Path) -> None:
    module(library, "d").write_text("# Copied from my_models.missing.ALayer\n" + layer("d", 1))
    assert recall(library, tmp_path / "cache", in_full=False).answer is None
    findings, counts = check_library(library, tmp_path / "cache")
    answer = recall(library, tmp_path / "cache", in_full=False).answer
    assert answer is not None and (answer.errors, answer.warnings) == (1, 0)
    assert answer.text.splitlines() == [str(line) for line in report.as_text(findings, report.PlainText)]
    assert report.summary(findings, counts, 1.5).startswith(timed(answer.outcome, 1.5))
    module(library, "d").write_text(marker("a", "d") + layer("d", 2))
    assert recall(library, tmp_path / "cache", in_full=False).answer is None
    check_library(library, tmp_path / "cache")
    # Which side of a copy has moved is for git to say: it is asked again as soon as there is a repository.
    assert recall(library, tmp_path / "cache", in_full=False).answer is not None
    (library.root / ".git").mkdir()
    assert recall(library, tmp_path / "cache", in_full=False).answer is None


def test_where_caches_lie(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "add-model"
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/add-model"


def test_random_edits_of_a_small_library(library: Library, tmp_path: Path) -> None:
    generator = random.Random(0)
    for _ in range(60):
        path = module(library, generator.choice("abcde"))
        name = path.stem
        choice = generator.randrange(5)
        if choice == 0:
            path.unlink(missing_ok=True)
        else:
            line = marker(generator.choice("abcde"), name) if choice > 1 else ""
            path.write_text(line + layer(name, generator.randrange(2)))
        same_as_without(library, tmp_path / "cache")


@pytest.mark.slow
def test_random_edits_of_a_released_tree(tmp_path: Path, clock: None) -> None:
    folder = released("diffusers-0.42.1").packages["diffusers"]
    shutil.copytree(folder, tmp_path / "diffusers", ignore=shutil.ignore_patterns("__pycache__"))
    library = Library(tmp_path, {"diffusers": tmp_path / "diffusers"})
    files = sorted((tmp_path / "diffusers").rglob("*.py"))
    generator = random.Random(0)
    same_as_without(library, tmp_path / "cache")
    for _ in range(10):
        for path in generator.sample(files, 3):
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            if generator.random() < 0.1:
                path.unlink(missing_ok=True)
            elif lines:
                del lines[generator.randrange(len(lines))]
                path.write_bytes(b"".join(lines))
        same_as_without(library, tmp_path / "cache")


def test_results_are_kept_for_the_very_code_that_found_them() -> None:
    code = (
        "import os, sys; from add_model.copies.judging import check; from add_model.copies.remembering import cache, recall\n"
        "from add_model.copies.language import syntax\n"
        "own = [m for name, m in sys.modules.items() if name.partition('.')[0] == 'add_model']\n"
        "print(sorted(m.__name__ for m in own if os.path.dirname(m.__file__) not in recall._TOOL))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
