"""Results as plain data and back, for a cache on disk and for another process to send; nothing is run on the way."""

from __future__ import annotations

from collections.abc import Iterable

from add_model.copies.finding import Code, Difference, Finding, Severity
from add_model.copies.judging.cycles import Edge
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    Record = Any


class FileResult(NamedTuple):
    """What the check of one file comes to.

    Attributes:
        size: how many bytes it has, as far as they could be read.
        findings: what is wrong in it, or in an original that it names.
        markers: how many markers were compared.
        unchecked: how many could not be.
        edges: its copies that others may be copies of.
        used: the files whose text had a say in that, besides its own.
        prose: how many lines that read like markers were taken for words.
        unreached: the repositories whose addresses it names, each as often as it could not be looked into.
    """

    size: int = 0
    findings: tuple[Finding, ...] = ()
    markers: int = 0
    unchecked: int = 0
    edges: tuple[Edge, ...] = ()
    used: tuple[str, ...] = ()
    prose: int = 0
    unreached: tuple[str, ...] = ()


def finding_to_record(finding: Finding) -> Record:
    """A finding of a check as plain data; what git says of it comes later, and is not kept."""
    code, severity, *plain, difference, _, _, digests = finding
    return code.name, severity.value, *plain, difference and tuple(difference), digests


def finding_from_record(record: Record) -> Finding:
    """The finding that was made plain data."""
    code, severity, *plain, difference, digests = record
    difference = difference and Difference(*difference)
    return Finding._make((Code[code], Severity(severity), *plain, difference, None, (), digests))


def results_to_records(results: Iterable[FileResult]) -> list[Record]:
    """The results of files as plain data."""
    return [
        tuple(result._replace(findings=tuple(map(finding_to_record, result.findings)))) if result.findings else tuple(result)
        for result in results
    ]  # fmt: skip


def results_from_records(records: Iterable[Record]) -> list[FileResult]:
    """The results that were made plain data."""
    return [
        result._replace(findings=tuple(map(finding_from_record, result.findings))) if result.findings else result
        for result in map(FileResult._make, records)
    ]
