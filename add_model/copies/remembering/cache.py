"""A check of a whole library that looks only at what has changed since an earlier one; `recall` says what has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from add_model.copies.finding import Code, Counts, Finding, Severity
from add_model.copies.judging.check import Check
from add_model.copies.judging.records import (
    FileResult,
    finding_from_record,
    finding_to_record,
    results_from_records,
    results_to_records,
)
from add_model.copies.reading.files import CheckedFile
from add_model.copies.reading.outlook import Outlook
from add_model.copies.remembering.recall import Answer, Recalled, recall, store
from add_model.copies.report import PlainText, as_text, outcome
from add_model.library import Library
from add_model.values import NamedTuple

Progress = Callable[[int, int], None]
Told = Callable[[list[Finding]], list[Finding]]

_FEW = 150


class Checked(NamedTuple):
    """What a run comes to: its findings in the order of a report, and what it looked at."""

    findings: list[Finding]
    counts: Counts


class _Kept(NamedTuple):
    """What an earlier run came to, and what the check of each file did."""

    checked: Checked
    results: dict[str, FileResult]


def check_library(
    library: Library,
    folder: Path | None,
    progress: Progress = lambda done, total: None,
    recalled: Recalled | None = None,
    told: Told | None = None,
) -> Checked:
    """Checks a whole library, as far as no earlier run did.

    Args:
        library: what is checked.
        folder: where caches lie; `None` for a run without one.
        progress: told, for each file that is looked at, how many are done and how many there are.
        recalled: what `recall` answered, if the caller has asked it.
        told: what makes of the findings those that are shown; they are returned, and what they say is kept as well.
    """
    recalled = recall(library, folder) if recalled is None else recalled
    kept = _kept(recalled)
    if kept is not None and not recalled.changed:
        shown = _told(kept.checked, told)
        # What was said rests on more than what was found.
        if told is not None and _differ_by_sides(kept.checked):
            _store(recalled, library, recalled.outlook, kept.checked, shown, kept.results)
        return shown
    known = {} if kept is None else _unaffected(kept.results, recalled.changed)
    check = Check(library, progress=progress, tree=recalled.tree)
    files = recalled.tree.files
    found = known | _results(check, [file for file in files if file[1] not in known])
    results = {path: found[path] for _, path in files}
    findings = sorted(check.merged(results), key=lambda finding: finding.sort_key)
    checked = Checked(findings, check.counts)
    shown = _told(checked, told)
    if recalled.path is not None:
        outlook = recalled.outlook if kept is not None else Outlook()
        outlook.add(check.sources.outlook)
        _store(recalled, library, outlook, checked, shown, results)
    return shown


def _told(checked: Checked, told: Told | None) -> Checked:
    return checked if told is None else checked._replace(findings=told(checked.findings))


def _differ_by_sides(checked: Checked) -> bool:
    """Whether there are findings of which a side may have moved."""
    return any(finding.code is Code.CP001 for finding in checked.findings)


def _results(check: Check, files: Sequence[CheckedFile]) -> dict[str, FileResult]:
    # A second process costs some milliseconds to start; few files are checked sooner without.
    if len(files) < _FEW:
        return dict(check.results(files, len(files)))
    from add_model.copies.remembering.parallel import results_of

    return results_of(check, files)


def _kept(recalled: Recalled) -> _Kept | None:
    if recalled.kept is None:
        return None
    # Whatever a broken cache leads to here, it leads to a run without one.
    with contextlib.suppress(EOFError, LookupError, TypeError, ValueError, AttributeError):
        findings, counts, results = recalled.kept
        checked = Checked([finding_from_record(finding) for finding in findings], Counts(*counts))
        paths = (path for _, path in recalled.tree.files)
        return _Kept(checked, dict(zip(paths, results_from_records(results), strict=True)))
    return None


def _unaffected(results: Mapping[str, FileResult], changed: frozenset[str]) -> dict[str, FileResult]:
    """What still holds: the results of files that have not changed, and used none that has."""
    return {
        path: result for path, result in results.items() if path not in changed and changed.isdisjoint(result.used)
    }


def _store(
    recalled: Recalled,
    library: Library,
    outlook: Outlook,
    checked: Checked,
    shown: Checked,
    results: Mapping[str, FileResult],
) -> None:
    full_copies = (str(library.root / name) for pair in library.configuration.full_copies.items() for name in pair)
    unreadable = {finding.path for finding in checked.findings if finding.code is Code.CP006}
    answer, deciding = _answer(library, shown)
    store(
        recalled,
        elsewhere={*full_copies, *(path for result in results.values() for path in result.used)},
        unreadable=_paths(recalled.tree.files, unreadable) | {str(library.root / path) for path in unreadable},
        outlook=outlook,
        answer=answer,
        kept=(
            [finding_to_record(finding) for finding in checked.findings],
            tuple(checked.counts),
            results_to_records(results.values()),
        ),
        deciding=deciding,
    )


def _paths(files: Sequence[CheckedFile], relative: set[str]) -> set[str]:
    return {path for name, path in files if name in relative} if relative else set()


def _answer(library: Library, shown: Checked) -> tuple[Answer | None, list[str]]:
    """What the run says, and the files besides those that it looked at on which that depends.

    It says nothing that could be kept where a file cannot be read, or more than files has a say; and where nothing was
    compared, it is looked for what stands elsewhere.
    """
    findings, deciding = shown.findings, list[str]()
    if not shown.counts.markers or any(finding.code is Code.CP006 for finding in findings):
        return None, []
    if _differ_by_sides(shown):
        from add_model.copies.remembering.decided import deciding_files

        decided = deciding_files(library, findings)
        if decided is None:
            return None, []
        deciding = decided
    text = "".join(f"{line}\n" for line in as_text(findings, PlainText, folds=True))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return Answer(text, outcome(findings, shown.counts), errors, len(findings) - errors), deciding
