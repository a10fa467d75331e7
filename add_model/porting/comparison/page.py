"""A comparison as one HTML page that needs nothing else and runs nothing: the error by layer as a picture, and a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from add_model.porting.comparison.chart import chart
from add_model.porting.comparison.comparing import Comparison
from add_model.porting.comparison.diagnosis import Cause
from add_model.porting.comparison.report import (
    DIFFERS,
    arranged,
    lines,
    missing_output,
    place_in_words,
    summary,
    within_rounding,
)
from add_model.porting.recording.file import Recording
from add_model.porting.rendering import rendered

# Each can be read on `page`, and on the ground that it stands on: a ratio of 4.5 at least, by WCAG 2.
LIGHT: Mapping[str, str] = {
    "page": "#ffffff",
    "panel": "#f3f4f6",
    "marked": "#fdeaea",
    "line": "#c4c7cc",
    "text": "#1b1c1e",
    "quiet": "#55585e",
    "differs": "#b0151d",
    "within": "#7d4b00",
    "arranged": "#1d5a8c",
    "equal": "#1b672a",
}
DARK: Mapping[str, str] = {
    "page": "#15171a",
    "panel": "#212429",
    "marked": "#4a1d20",
    "line": "#4a4e55",
    "text": "#e9eaec",
    "quiet": "#b5b8be",
    "differs": "#ff9c97",
    "within": "#f2be6a",
    "arranged": "#8fc4f0",
    "equal": "#86d799",
}


def page(
    comparison: Comparison, cause: Cause | None, untested: str | None = None, made: datetime | None = None
) -> str:
    """The whole page.

    Args:
        comparison: what it shows.
        cause: why the two runs differ, where that is known.
        untested: what keeps some causes from being tested.
        made: when the two were compared; now by default.
    """
    every = lines(comparison)
    at = (made or datetime.now(timezone.utc)).astimezone(timezone.utc)
    values = {
        "light": LIGHT,
        "dark": DARK,
        "original": _name(comparison.original),
        "new": _name(comparison.new),
        "files": [str(comparison.original.path), str(comparison.new.path)],
        "made": at.strftime("%Y-%m-%d %H:%M UTC"),
        "tolerance": f"{comparison.tolerance:g}",
        "passed": comparison.passed,
        "summary": summary(comparison),
        "said": (
            *_said(comparison, cause, untested),
            *(f"{line[0].upper()}{line[1:]}." for line in arranged(comparison)),
        ),
        "cause": cause,
        "begins": next((number for number, line in enumerate(every) if line.first), None),
        "lines": every,
        "differing": sum(line.verdict == DIFFERS for line in every),
        "chart": chart(every, comparison.tolerance),
    }
    return rendered("comparison.html", values)


def _name(recording: Recording) -> str:
    """What a recording is of: the model's class, and its name in its library or what was typed for it."""
    of = recording.model.get("name") or recording.model.get("target")
    return f"{recording.model.get('class', recording.path.stem)}{f' ({of})' if of else ''}"


def _said(comparison: Comparison, cause: Cause | None, untested: str | None) -> tuple[str, ...]:
    """What is to be read before the places."""
    if comparison.place is None:
        differs = within_rounding(comparison)
        if differs is not None:
            return (f"Somewhere the two runs differ; {differs}.",)
        ends_early = missing_output(comparison)
        if ends_early is not None:
            return (f"As far as they were compared, the two runs are the same; {ends_early}.",)
        if not comparison.passed:
            return ("Not every output could be compared.",)
        return ("The two runs return the same, up to rounding.",)
    begins = f"The difference begins {place_in_words(comparison.place)}."
    if cause is not None:
        return (begins,) if untested is None else (begins, f"Untested before it: {untested}.")
    if untested is not None:
        return begins, f"Not all known causes could be tested: {untested}."
    return begins, "No known cause explains it."
