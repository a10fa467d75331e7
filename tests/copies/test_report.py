"""The formats that other programs read."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from add_model.copies import report
from add_model.copies.finding import Code, Difference, Finding, Severity
from add_model.copies.judging.check import Check, Counts

from .released import released

FINDINGS = [
    Finding(Code.CP001, Severity.ERROR, "src/a, b.py", 3, 9, "ViT.f", "m.bert.Bert.f", "differs: 50 %", True, Difference(5, "x = [1]", None)),
    Finding(Code.CP005, Severity.WARNING, "src/b.py", 1, 1, "", "m.bert.Bert", "`a->b` changes nothing"),
]  # fmt: skip


def test_json_is_the_contract() -> None:
    first, second = json.loads(report.as_json(FINDINGS, "1.0"))
    assert first == {
        "code": "CP001",
        "severity": "error",
        "path": "src/a, b.py",
        "line": 3,
        "end_line": 9,
        "object": "ViT.f",
        "source": "m.bert.Bert.f",
        "message": "differs: 50 %",
        "fixable": True,
    }
    assert second["severity"] == "warning"
    assert report.as_json([], "1.0") == "[]"


def test_github_annotations_are_escaped() -> None:
    assert report.as_github(FINDINGS, "1.0").splitlines() == [
        "::error title=CP001,file=src/a%2C b.py,line=3,endLine=9::ViT.f: differs: 50 %25",
        "::warning title=CP005,file=src/b.py,line=1,endLine=1::`a->b` changes nothing",
    ]


def test_sarif_names_its_rules_and_places() -> None:
    log = json.loads(report.as_sarif(FINDINGS, "1.0"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0" and run["tool"]["driver"]["version"] == "1.0"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [code.name for code in Code]
    for result, finding in zip(run["results"], FINDINGS, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code.name
        assert result["level"] == finding.severity.value
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region == {"startLine": finding.line, "endLine": finding.end_line}
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/a%2C%20b.py"


def test_text_shows_both_sides_of_a_difference() -> None:
    stream = StringIO()
    console = Console(file=stream, soft_wrap=True)
    for line in report.as_text(FINDINGS):
        console.print(line)
    assert stream.getvalue().splitlines() == [
        "src/a, b.py:3 CP001 ViT.f: differs: 50 %",
        "    expected     5 | x = [1]",
        "    found        5 | nothing",
        "src/b.py:1 CP005 `a->b` changes nothing",
    ]


def test_statistics_count_by_code() -> None:
    assert report.statistics([*FINDINGS, FINDINGS[1]]) == [
        (Code.CP005, Severity.WARNING, 2),
        (Code.CP001, Severity.ERROR, 1),
    ]


def test_the_summary_says_what_was_looked_at() -> None:
    counts = Counts(files=3, markers=1, unchecked=2)
    assert report.summary(FINDINGS, counts, 0.5) == "1 error, 1 warning: 1 marker checked, 2 unchecked in 3 files, 0.50 s; --fix can rewrite 1"  # fmt: skip
    assert report.summary([], Counts(1, 2), 0.5) == "all copies hold: 2 markers checked in 1 file, 0.50 s"
    assert report.summary([], Counts(), 0.5) == "no copies found: 0 markers checked in 0 files, 0.50 s"


@pytest.fixture(scope="module")
def sarif() -> jsonschema.Draft4Validator:
    """What tells whether a document is a SARIF log: the schema of the standard."""
    schema = json.loads((Path(__file__).parent / "sarif/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


@pytest.mark.parametrize("findings", [[], FINDINGS], ids=["none", "some"])
def test_sarif_holds_to_the_standard(findings: list[Finding], sarif: jsonschema.Draft4Validator) -> None:
    sarif.validate(json.loads(report.as_sarif(findings, "1.0")))


def test_sarif_of_a_released_tree_holds_to_the_standard(sarif: jsonschema.Draft4Validator) -> None:
    findings = list(Check(released("diffusers-0.42.1")).findings())
    log = json.loads(report.as_sarif(findings, "1.0"))
    sarif.validate(log)
    assert len(log["runs"][0]["results"]) == len(findings) > 0


def test_the_standard_is_not_held_to_by_everything(sarif: jsonschema.Draft4Validator) -> None:
    log = json.loads(report.as_sarif(FINDINGS, "1.0"))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not sarif.is_valid(log)


def test_github_annotations_stay_on_one_line_each() -> None:
    odd = FINDINGS[1]._replace(path="a:b,c%d\r\n.py", object="", message="50 %, a: b\r\n::error::no")
    assert report.as_github([odd], "1.0") == (
        r"::warning title=CP005,file=a%3Ab%2Cc%25d\r\n.py,line=1,endLine=1::50 %25, a: b\r\n::error::no"
    )


def test_text_is_in_colour_on_a_terminal_only() -> None:
    shown = []
    for terminal in (True, False):
        stream = StringIO()
        console = Console(file=stream, soft_wrap=True, force_terminal=terminal, _environ={"TERM": "xterm"})
        for line in report.as_text(FINDINGS):
            console.print(line)
        shown.append("\x1b[" in stream.getvalue())
    assert shown == [True, False]
