"""Runs a model's tests in a process of their own, and says what came out of it, test by test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from add_model.errors import AddModelError
from add_model.library import installed_package
from add_model.porting.evidence import Evidence, make
from add_model.porting.model.ported_model import PortedModel
from add_model.scratch import scratch_folder

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
# Tests that hold the original's numbers go by these names, here and in Transformers.
_INTEGRATION = ("integration", "recorded_numbers")
_FOUND_NOTHING = 5
_SHOWN = 160


@dataclass(frozen=True)
class Outcome:
    """What came out of one test.

    Attributes:
        name: file, class and function, as pytest writes them: `tests.models.bert.test_modeling_bert.TestBert::test_x`.
        result: `passed`, `failed` or `skipped`.
        message: the first line of why it failed or was skipped.
        properties: what the test itself wrote down.
    """

    name: str
    result: str
    message: str
    properties: Mapping[str, str]

    @property
    def holds_numbers(self) -> bool:
        """Whether it compares the model with numbers of the original."""
        return any(word in self.name.lower() for word in _INTEGRATION)


def run_tests(model: PortedModel, paths: Sequence[Path], show: Callable[[str], None]) -> tuple[Outcome, ...]:
    """Runs the tests in files or folders; every line that pytest prints is shown as it comes.

    Raises:
        AddModelError: there are no tests, or pytest is not installed or cannot start.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise AddModelError(f"{missing[0]}: there are no such tests; write them, or restore them from your version control")  # fmt: skip
    if installed_package("pytest") is None:
        raise AddModelError('pytest is not installed beside add-model; install it there: pip install -e ".[dev]"')
    with scratch_folder() as folder:
        report = folder / "report.xml"
        code = _pytest(model, paths, report, show)
        if code == _FOUND_NOTHING:
            raise AddModelError(f"{', '.join(map(str, paths))}: holds no tests; write some and run again")
        if not report.is_file():
            raise AddModelError(f"pytest ended with {code} before it ran a test; see its message above, mend it and run again")  # fmt: skip
        return tuple(_outcomes(report))


def tests_evidence(model: PortedModel, outcomes: Sequence[Outcome]) -> Evidence:
    """The result of step 8: every test passes, and one of them at least holds the original's numbers."""
    counts = count(outcomes)
    with_numbers = [outcome for outcome in outcomes if outcome.holds_numbers and outcome.result == PASSED]
    figure = describe(outcomes)
    if counts[FAILED] == 0:
        figure += "; the original's numbers hold" if with_numbers else "; none holds the original's numbers yet"
    details = {**counts, "with_numbers": len(with_numbers), "failures": failures(outcomes)}
    return make(
        model.root,
        "tests",
        passed=counts[FAILED] == 0 and counts[PASSED] > 0 and bool(with_numbers),
        figure=figure,
        files=[*model.code(), *model.tests()],
        details=details,
    )


def count(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many tests passed, failed and were skipped."""
    return {result: sum(outcome.result == result for outcome in outcomes) for result in (PASSED, FAILED, SKIPPED)}


def describe(outcomes: Sequence[Outcome]) -> str:
    """The numbers of tests in a few words, with the first that failed."""
    counts = count(outcomes)
    text = ", ".join(f"{number} {result}" for result, number in counts.items() if number or result == PASSED)
    first = next(iter(failures(outcomes)), None)
    return f"{text}; first: {first}" if first else text


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """The tests that failed, each with its message."""
    return [f"{outcome.name}: {outcome.message}" for outcome in outcomes if outcome.result == FAILED]


def environment(model: PortedModel) -> dict[str, str]:
    """The environment variables of a process that imports the model from its sources, installed or not."""
    paths = [str(model.source), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"}


def _pytest(model: PortedModel, paths: Sequence[Path], report: Path, show: Callable[[str], None]) -> int:
    # The report is read, not the terminal: colours and verbosity are the user's configuration.
    options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, *(str(path) for path in paths)]
    with subprocess.Popen(
        command,
        cwd=model.root,
        env=environment(model),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                show(line.rstrip("\n"))
        except BaseException:
            process.kill()
            raise
    return process.returncode


def _outcomes(report: Path) -> Iterator[Outcome]:
    try:
        cases = ElementTree.parse(report).getroot().iter("testcase")
    except ElementTree.ParseError as error:
        raise AddModelError(f"pytest was cut off: its report cannot be read ({error}); run again") from error
    for case in cases:
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
        problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        result = PASSED if problem is None else SKIPPED if problem.tag == "skipped" else FAILED
        properties = {entry.get("name", ""): entry.get("value", "") for entry in case.iter("property")}
        yield Outcome(name, result, "" if problem is None else _first_line(problem), properties)


def _first_line(problem: ElementTree.Element) -> str:
    text = problem.get("message") or problem.text or problem.tag
    line = next((line.strip() for line in text.splitlines() if line.strip()), problem.tag)
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
