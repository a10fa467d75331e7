"""Results as plain data and back, for a cache on disk and for another process to send; nothing is run on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

from add_model.copies.cycles import Edge
from add_model.copies.finding import Code, Difference, Finding, Severity

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
    """

    size: int = 0
    findings: tuple[Finding, ...] = ()
    markers: int = 0
    unchecked: int = 0
    edges: tuple[Edge, ...] = ()
    used: tuple[str, ...] = ()


def finding_to_record(finding: Finding) -> Record:
    """A finding of a check as plain data; what git says of it comes later, and is not kept."""
    difference = finding.difference and list(finding.difference)
    told_later = ("moved", "conflicts")
    return {
        **{name: value for name, value in finding._asdict().items() if name not in told_later},
        "code": finding.code.name,
        "severity": finding.severity.value,
        "difference": difference,
    }


def finding_from_record(record: Record) -> Finding:
    """The finding that was made plain data."""
    difference = record["difference"] and Difference(*record["difference"])
    plain = {"code": Code[record["code"]], "severity": Severity(record["severity"]), "difference": difference}
    return Finding(**{**record, **plain})


def result_to_record(path: str, result: FileResult) -> Record:
    """A file's result as plain data; in its edges a file is the number of one that it used, or -1 for itself."""
    numbers = {path: -1, **{used: number for number, used in enumerate(result.used)}}
    edges = [(edge.copy[1], numbers[edge.original[0]], edge.original[1], *edge[2:]) for edge in result.edges]
    findings = [finding_to_record(finding) for finding in result.findings]
    return [result.size, findings, result.markers, result.unchecked, edges, list(result.used)]


def result_from_record(path: str, record: Record) -> FileResult:
    """The result that was made plain data."""
    size, findings, markers, unchecked, edges, used = record
    return FileResult(
        size,
        tuple(finding_from_record(finding) for finding in findings),
        markers,
        unchecked,
        tuple(
            Edge((path, copy), (path if number < 0 else used[number], original), line, source)
            for copy, number, original, line, source in edges
        ),
        tuple(used),
    )
