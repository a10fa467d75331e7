"""Findings as text for people, and as the documents that other programs read. Renders only; printing is the caller's.

Names, code and messages come from whoever wrote the tree: people are shown them as `visible` has it, whatever the format.
Programs get a path and a name as they are, escaped by the rules of their format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from add_model.copies.finding import Code, Conflict, Counts, Difference, Finding, SearchCode, Severity
from add_model.copies.remembering.recall import timed
from add_model.values import TYPE_CHECKING
from add_model.visible import as_json as json_text
from add_model.visible import visible, visible_line

if TYPE_CHECKING:
    from typing import Any

    from rich.console import RenderableType

SARIF_SCHEMA = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/main/sarif-2.1/schema/sarif-schema-2.1.0.json"


def as_json(findings: Sequence[Finding], version: str) -> str:
    """The findings as a list of objects; the format that scripts rely on."""
    return json_text([_document(finding) for finding in findings])


def as_github(findings: Sequence[Finding], version: str) -> str:
    """The findings as workflow commands, which GitHub shows as annotations beside the code."""
    return "\n".join(
        f"::{finding.severity.value} title={finding.code.name},file={_property(visible(finding.path))},"
        f"line={finding.line},endLine={finding.end_line}::{_data(_sentence(finding))}"
        for finding in findings
    )


def as_sarif(findings: Sequence[Finding], version: str) -> str:
    """The findings as a SARIF 2.1.0 log."""
    return _sarif(findings, version, "check-copies", Code.CP001.page.rpartition("/")[0], [*Code])


def as_sarif_of_search(findings: Sequence[Finding], version: str) -> str:
    """What a search for copies has found, as such a log."""
    return _sarif(findings, version, "find-copies", SearchCode.FC001.page, [*SearchCode, Code.CP006])


def _sarif(
    findings: Sequence[Finding], version: str, command: str, information: str, codes: Sequence[Code | SearchCode]
) -> str:
    driver = {
        "name": f"add-model {command}",
        "version": version,
        "informationUri": information,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json_text({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


# So many warnings that say the same are listed in text.
_FEW = 5
_DOTTED = re.compile(r"\b([A-Za-z_]\w*)(?:\.\w+){2,}")

DOCUMENTS: dict[str, Callable[[Sequence[Finding], str], str]] = {
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
DOCUMENTS_OF_SEARCH = {**DOCUMENTS, "sarif": as_sarif_of_search}


class PlainText(str):
    """Stands in for `rich.text.Text` where no colours are shown."""

    @classmethod
    def assemble(cls, *parts: str | tuple[str, str]) -> PlainText:
        """The parts one behind another, as a line of its own."""
        return cls(visible_line("".join(part if isinstance(part, str) else part[0] for part in parts), keep="\t"))


def as_text(findings: Sequence[Finding], text: Any = None, folds: bool = False) -> Iterator[RenderableType]:
    """The findings for a terminal, grouped by file; as `PlainText` if that is given, else with colours.

    Args:
        findings: what was found.
        text: what a line is made of.
        folds: whether warnings that say the same in many places are told in one line.
    """
    Text = text or _rich_text()
    many = _told_often(findings) if folds else {}
    for _, group in groupby(findings, key=lambda finding: finding.path):
        for finding in group:
            if many and _shape(finding) in many:
                continue
            yield Text.assemble((_place(finding), "bold"), " ", _code(finding), f" {_sentence(finding)}")
            if finding.difference is not None:
                yield from _difference(finding.difference, Text)
            for conflict in finding.conflicts:
                yield from _conflict(conflict, Text)
    for (_, message), same in many.items():
        first = same[0]
        said = first.message if all(finding.message == first.message for finding in same) else message
        places = f" in {len(same)} places: {visible(said)}; the first is {_place(first)}; --verbose lists them"
        yield Text.assemble(_code(first), places)


def _place(finding: Finding) -> str:
    return f"{visible(finding.path)}:{finding.line}"


def _code(finding: Finding) -> tuple[str, str]:
    colour = "red" if finding.severity is Severity.ERROR else "yellow"
    return finding.code.name, f"bold {colour}"


def _shape(finding: Finding) -> tuple[str, str]:
    """What a finding has in common with those that say the same of other paths of the same packages."""
    return finding.code.name, _DOTTED.sub(r"\1.…", finding.message)


def _told_often(findings: Sequence[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """The warnings that say the same in many places, by what they say."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.severity is Severity.WARNING:
            found.setdefault(_shape(finding), []).append(finding)
    return {shape: same for shape, same in found.items() if len(same) > _FEW}


def statistics(findings: Iterable[Finding]) -> list[tuple[Code | SearchCode, Severity, int]]:
    """How many findings there are of each code and severity; the most frequent first."""
    counted = Counter((finding.code, finding.severity) for finding in findings)
    return [
        (code, severity, count)
        for (code, severity), count in sorted(counted.items(), key=lambda item: (-item[1], item[0][0].name))
    ]


def statistics_as_json(findings: Iterable[Finding]) -> str:
    """The statistics as a list of objects."""
    rows = [
        {"code": code.name, "severity": severity.value, "count": count, "description": code.value}
        for code, severity, count in statistics(findings)
    ]
    return json_text(rows)


def statistics_as_text(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """The statistics as lines."""
    from rich.text import Text

    for code, severity, count in statistics(findings):
        yield Text(f"{count:6} {code.name} {severity.value:7} {code.value}")


def summary(findings: Sequence[Finding], counts: Counts, seconds: float, passed_over: int = 0) -> str:
    """One line: what was found, and what was looked at for it; so many findings more are of codes that do not count."""
    fixable = sum(finding.fixable for finding in findings)
    hint = f"; --fix can rewrite {fixable}" if fixable else ""
    return f"{timed(outcome(findings, counts, passed_over), seconds)}{hint}"


def outcome(findings: Sequence[Finding], counts: Counts, passed_over: int = 0) -> str:
    """The start of a summary, in which no run differs from another that finds the same; behind what there is to say
    of the library as a whole, a line each."""
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    found = f"{_number(errors, 'error')}, {_number(warnings, 'warning')}"
    if passed_over:
        found += f", {passed_over} passed over"
    elif not findings:
        found = "all copies hold" if counts.markers else "no copies found"
    unchecked = f", {counts.unchecked} unchecked" if counts.unchecked else ""
    prose = f", {counts.prose} taken for words" if counts.prose else ""
    said = f"{found}: {_number(counts.markers, 'marker')} checked{unchecked}{prose} in {_number(counts.files, 'file')}"
    return "".join(f"{visible_line(note)}\n" for note in counts.notes) + said


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _sentence(finding: Finding) -> str:
    return visible(f"{finding.object}: {finding.message}" if finding.object else finding.message)


def _rich_text() -> Any:
    from rich.text import Text

    return Text


def _difference(difference: Difference, Text: Any) -> Iterator[RenderableType]:
    sides = (("expected", difference.expected, "green"), ("found", difference.found, "red"))
    for label, line, colour in sides:
        shown = (visible(line, keep="\t"), colour) if line is not None else ("nothing", "dim")
        yield Text.assemble((f"    {label:8} {difference.line:5} | ", "dim"), shown)


def _conflict(conflict: Conflict, Text: Any) -> Iterator[RenderableType]:
    for label, side, colour in (("original", conflict.original, "green"), ("copy", conflict.copy, "red")):
        for line in side.rstrip("\n").split("\n"):
            yield Text.assemble((f"    conflict {label:8} | ", "dim"), (visible(line, keep="\t"), colour))


def _document(finding: Finding) -> dict[str, Any]:
    moved = {"moved": finding.moved.value} if finding.moved is not None else {}
    return {
        "code": finding.code.name,
        "severity": finding.severity.value,
        "path": finding.path,
        "line": finding.line,
        "end_line": finding.end_line,
        "object": finding.object,
        "source": finding.source,
        "message": visible(finding.message),
        "fixable": finding.fixable,
        **moved,
    }


def _rule(code: Code | SearchCode) -> dict[str, Any]:
    return {"id": code.name, "shortDescription": {"text": code.value}, "helpUri": code.page}


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": finding.line, "endLine": finding.end_line},
    }
    return {
        "ruleId": finding.code.name,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": _sentence(finding)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    # A name whose bytes are no text has them as they are.
    return quote(path, errors="surrogateescape")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
