"""A comparison as one HTML page that needs nothing else: the error by depth as a picture, and every place in a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from add_model.porting.comparison import Comparison
from add_model.porting.comparison_report import (
    DIFFERS,
    Line,
    lines,
    missing_output,
    place_in_words,
    summary,
    within_rounding,
)
from add_model.porting.diagnosis import Cause

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 300, 56, 24
# Differences below this are drawn at the bottom, as equal.
_LOWEST = -9
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1000px; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #8883; }
th:first-child, td:first-child { text-align: left; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.differs { color: #c22; } .within { color: #a70; } .equal { color: #282; }
.first td { background: #c222; font-weight: 600; }
.cause { border-left: 4px solid #c22; padding: .2rem 1rem; background: #8881; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui; fill: currentColor; }
"""


def page(comparison: Comparison, cause: Cause | None, untested: str | None = None) -> str:
    """The whole page."""
    every = lines(comparison)
    title = escape(f"{comparison.original.path.name} and {comparison.new.path.name}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{escape(summary(comparison))}</p>\n"
        f"{_cause(comparison, cause, untested)}<h2>Error by depth</h2>\n{_picture(every, comparison.tolerance)}\n"
        f"<h2>Every place, from the first to the last</h2>\n{_table(every)}\n</body></html>\n"
    )


def _cause(comparison: Comparison, cause: Cause | None, untested: str | None) -> str:
    if comparison.place is None:
        differs = within_rounding(comparison)
        if differs is not None:
            return f"<p>Somewhere the two runs differ; {escape(differs)}.</p>\n"
        ends_early = missing_output(comparison)
        said = "The two runs are the same, up to rounding." if ends_early is None else f"As far as they were compared, the two runs are the same; {ends_early}."  # fmt: skip
        return f"<p>{escape(said)}</p>\n"
    text = f"<p>The difference begins <b>{escape(place_in_words(comparison.place))}</b>.</p>"
    if cause is None:
        known = (
            "No known cause explains it."
            if untested is None
            else f"Not all known causes could be tested: {escape(untested)}."
        )
        return f'<div class="cause">{text}<p>{known}</p></div>\n'
    explained = f"<p><b>{escape(cause.name)}</b>: {escape(cause.explanation)}.</p><p>{escape(cause.remedy)}</p>"
    rest = "" if untested is None else f"<p>Untested before it: {escape(untested)}.</p>"
    return f'<div class="cause">{text}{explained}{rest}</div>\n'


def _picture(every: Sequence[Line], tolerance: float) -> str:
    highest = max(1, math.ceil(max(_exponent(line.largest) for line in every)))

    def across(number: int) -> float:
        return _LEFT + (number + 0.5) * (_WIDTH - _LEFT) / len(every)

    def up(exponent: float) -> float:
        return _HEIGHT - _BOTTOM - (exponent - _LOWEST) / (highest - _LOWEST) * (_HEIGHT - _BOTTOM - 10)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="largest difference at every place">']
    for exponent in range(_LOWEST, highest + 1, 2):
        height = up(exponent)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{height:.1f}" y2="{height:.1f}" stroke="#8884"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">1e{exponent}</text>')
    height = up(_exponent(tolerance))
    parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{height:.1f}" y2="{height:.1f}" stroke="#c22" stroke-dasharray="4 3"/>')  # fmt: skip
    for number, line in enumerate(every):
        color = {DIFFERS: "#c22", "within": "#a70"}.get(line.verdict, "#282")
        title = escape(f"{line.place}: {line.largest:.3g}")
        radius = 6 if line.first else 2.5
        parts.append(f'<circle cx="{across(number):.1f}" cy="{up(_exponent(line.largest)):.1f}" r="{radius}" fill="{color}"><title>{title}</title></circle>')  # fmt: skip
    label = "from the first place to the last; dashed: the tolerance; large: where the difference begins"
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{label}</text></svg>')
    return "\n".join(parts)


def _exponent(value: float) -> float:
    return max(_LOWEST, math.log10(value)) if value > 0 else _LOWEST


def _table(every: Sequence[Line]) -> str:
    head = "<tr><th>place</th><th>original</th><th>largest</th><th>mean</th><th>relative</th><th>verdict</th></tr>"
    rows = [
        f"<tr{' class=first' if line.first else ''}><td>{escape(line.place)}</td><td>{escape(line.original)}</td>"
        f"<td>{line.largest:.3g}</td><td>{line.mean:.3g}</td><td>{line.relative:.3g}</td>"
        f'<td class="{line.verdict}">{line.verdict}</td></tr>'
        for line in every
    ]
    return f"<table>{head}\n" + "\n".join(rows) + "</table>"
