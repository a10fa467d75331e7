"""The state file, one JSON line for each model that was judged, and the table that is printed of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.transformers_models.folders import EXCEPTIONS
from tests.transformers_models.lines import CHECKS, CHECKS_OF_FILES

Line = Mapping[str, Any]
_LONGEST_REASON = 150


def read_lines(state: Path) -> dict[str, Line]:
    """Reference -> the last line about it; a line that was cut off counts as none."""
    lines: dict[str, Line] = {}
    if state.is_file():
        for text in state.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            lines[line["reference"]] = line
    return lines


def append_line(state: Path, line: Line) -> None:
    """Adds a line, whole; one that was cut off before it stays by itself."""
    with open(state, "ab+") as file:
        file.seek(max(0, file.seek(0, 2) - 1))
        start = b"" if file.read() in (b"", b"\n") else b"\n"
        file.write(start + json.dumps(line).encode() + b"\n")


def rows(lines: Iterable[Line]) -> Iterator[str]:
    """A row for each model: its name, the verdict, and the first of its problems."""
    for line in sorted(lines, key=lambda line: (line["reference"], line.get("kind", ""))):
        problems = line["problems"]
        counts = line.get("counts", {})
        passed = (
            f"{counts.get('classes', 0):3} classes, {counts.get('forward equal', 0):2} forward equal, "
            f"{counts.get('checkpoint equal', 0):2} checkpoints"
        )
        reason = EXCEPTIONS.get(line["reference"], "")
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            reason = f"{reason or problems[0]}"[:_LONGEST_REASON] + more
        verdict = "ok" if not problems else "excepted" if line["reference"] in EXCEPTIONS else "FAILS"
        yield f"{line['reference']:<36} {line.get('kind', ''):<9} {verdict:<9} {passed}  {reason}".rstrip()


def table_of_checks(lines: Iterable[Line]) -> Iterator[str]:
    """A row for each question and a column for each kind of library: how many models pass, of how many that were asked."""
    kinds: dict[str, dict[str, list[bool]]] = {}
    for line in lines:
        for check, problems in line.get("checks", {}).items():
            kinds.setdefault(line.get("kind", ""), {}).setdefault(check, []).append(not problems)
    yield f"{'':<16}" + "".join(f"{kind:>20}" for kind in kinds)
    for check in (*CHECKS, *CHECKS_OF_FILES):
        asked = (checks.get(check, []) for checks in kinds.values())
        yield f"{check:<16}" + "".join(
            f"{f'{sum(passed)} of {len(passed)}' if passed else 'not asked':>20}" for passed in asked
        )


def summary(lines: Iterable[Line]) -> str:
    """How many models passed, and what their classes did."""
    lines = list(lines)
    passed = sum(not line["problems"] for line in lines)
    excepted = sum(bool(line["problems"]) and line["reference"] in EXCEPTIONS for line in lines)
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line.get("counts", {}))
    share = 100 * passed / max(1, len(lines))
    classes = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    return f"{passed} of {len(lines)} models pass ({share:.1f} %), {excepted} named exceptions; {classes}"
