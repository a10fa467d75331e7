"""What `check-copies` does once its options are read, without anything that reads options or draws on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library, find_library, library_at
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from add_model.copies.finding import Counts, Finding
    from add_model.copies.remembering.recall import Recalled


def library_of(
    root: Path | None, paths: Sequence[Path], python: Path | None = None, clones: Sequence[str] = ()
) -> Library:
    """The library that is checked: at `--root`, or around the first path, or around the current folder.

    Args:
        root: its folder, if the user has named it.
        paths: what is to be checked of it.
        python: the virtual environment that holds other packages, or its Python, if the user has named it.
        clones: clones of repositories that the user has named, as `owner/name=folder`.

    Raises:
        AddModelError: there is none.
    """
    if root is not None and not root.is_dir():
        raise AddModelError(f"--root {root}: no such folder; name the folder that holds the library")
    if paths:
        from add_model.copies.reading.files import refuse_missing

        refuse_missing(paths)
    library = (
        library_at(Path(os.path.abspath(root)))
        if root is not None
        else find_library(paths[0] if paths else Path.cwd())
    )
    if not library.packages:
        from add_model.copies.reading.files import search

        if not search(library).modules:
            remedy = "name another folder" if root is not None else "name the library's folder with --root"
            raise AddModelError(f"{library.root}: holds no package and no module; {remedy}")
    if python is not None:
        from add_model.installed import packages_of_environment

        packages = packages_of_environment(Path(os.path.abspath(python)))
        if packages is None:
            raise AddModelError(
                f"--python {python}: holds no packages; name a virtual environment, or the Python in it"
            )
        library = library._replace(environment=packages)
    if clones:
        library = library._replace(clones=dict(map(_clone, clones)))
    return library


def _clone(text: str) -> tuple[str, Path]:
    repository, _, folder = text.partition("=")
    if repository.count("/") != 1 or not folder or not os.path.isdir(folder):
        raise AddModelError(f"--clone {text}: must be owner/name=FOLDER, with a folder that is there")
    return repository, Path(os.path.abspath(folder))


def check(
    library: Library,
    paths: Sequence[Path],
    cached: bool,
    progress: Callable[[int, int], None],
    base: str | None = None,
    recalled: Recalled | None = None,
) -> tuple[list[Finding], Counts]:
    """Checks these files and folders, or the whole library, as far as no earlier run did; in the order of a report.

    `recalled` is what is known of an earlier run, if the caller has asked.

    In a git work tree a finding about a copy that differs says which side has moved since the commit `base`.
    """
    from add_model.copies.finding import Code

    def with_unseen(findings: list[Finding], counts: Counts) -> tuple[list[Finding], Counts]:
        # Nothing found may mean that nothing was looked at; of files that were named it was asked for.
        if counts.markers or paths:
            return findings, counts
        from add_model.copies.unseen import unseen

        note = unseen(library)
        return findings, counts._replace(notes=(*counts.notes, note)) if note else counts

    def told(findings: list[Finding]) -> list[Finding]:
        if not any(finding.code is Code.CP001 for finding in findings):
            return findings
        from add_model.copies.remembering.sides import with_sides

        return with_sides(library, findings, base)

    if paths:
        from add_model.copies.judging.check import Check

        checker = Check(library, paths, progress=progress)
        findings, counts = sorted(checker.findings(), key=lambda finding: finding.sort_key), checker.counts
    else:
        from add_model.copies.remembering.cache import check_library
        from add_model.copies.remembering.recall import cache_folder

        folder = cache_folder() if cached else None
        # What is said of the last commit is kept; what of another one, is asked for once.
        if base is None:
            return with_unseen(*check_library(library, folder, progress, recalled, told))
        findings, counts = check_library(library, folder, progress, recalled)
    return with_unseen(told(findings), counts)


def leaves_unchecked(findings: Sequence[Finding]) -> bool:
    """Whether some copies of what stands in other packages could not be checked here."""
    from add_model.copies.finding import Code

    return any(
        finding.code is Code.CP013 or (finding.code is Code.CP002 and finding.message.startswith("unchecked"))
        for finding in findings
    )


def exit_code(findings: Sequence[Finding], strict: bool, exit_zero: bool, pending: bool = False) -> int:
    """0 clean, 1 findings, 2 unreadable file; `pending` says that a diff is left to be written."""
    from add_model.copies.finding import Code, Severity

    if any(finding.code is Code.CP006 for finding in findings):
        return 2
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return 1 if pending and not exit_zero else failure(errors, len(findings) - errors, strict, exit_zero)


def failure(errors: int, warnings: int, strict: bool, exit_zero: bool) -> int:
    """The exit code for so many findings in files that could all be read."""
    return 1 if (errors or (strict and warnings)) and not exit_zero else 0
