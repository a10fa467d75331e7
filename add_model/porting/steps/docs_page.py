"""Whether a model's page in the docs is finished: no placeholder left, every public class and argument on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from add_model.porting.model.documented import Finding, PublicClass, public_classes, undescribed
from add_model.porting.model.ported_model import PortedModel
from add_model.references import read_text

# What the templates of this tool leave to fill in, what those of Transformers do, and what people write themselves.
_PLACEHOLDER = re.compile(
    r"<!--\s*to fill in\b.*?(?:-->|\Z)"
    r"|[<\[{]\s*insert\b[^>\]}]*[>\]}]"
    r"|[<\[{]+\s*fill (?:me )?in\b[^>\]}]*[>\]}]+"
    r"|\blorem ipsum\b"
    r"|\bto be described\b"
    r"|(?-i:\b(?:TODO|FIXME|TBD|XXX)\b)[^\n]*",
    re.IGNORECASE | re.DOTALL,
)
_HEADING = re.compile(r"^#{1,6}\s")
_FENCE = re.compile(r"^\s*(```|~~~)")
_AUTODOC = "[[autodoc]]"
_SHOWN = 70


def docs_findings(model: PortedModel) -> tuple[Finding, ...]:
    """What is left to do on a model's page, and in the docstrings of what it describes; by path and line.

    Raises:
        AddModelError: a file cannot be read or does not parse.
    """
    modules = model.modules()
    shared = tuple(path for path in model.code() if path not in modules)
    missing = list(undescribed(modules, shared))
    if not model.docs_page.is_file():
        return (Finding(model.docs_page, 1, "is not there; write the model's page"), *missing)
    text = read_text(model.docs_page)
    page = [*placeholders(model.docs_page, text), *_left_out(model.docs_page, text, public_classes(modules))]
    return (*sorted(page, key=lambda finding: finding.line), *missing)


def placeholders(path: Path, text: str) -> Iterator[Finding]:
    """Every placeholder that is left in a text, with the line it starts at."""
    for match in _PLACEHOLDER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        shown = " ".join(match.group().split())
        shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
        yield Finding(path, line, f"placeholder is left: {shown}")


def _left_out(path: Path, text: str, classes: tuple[PublicClass, ...]) -> Iterator[Finding]:
    """The public classes that have no section of their own on the page, and the arguments their sections leave out."""
    sections = list(_sections(text))
    for found in classes:
        name = re.compile(rf"(?<!\w){re.escape(found.name)}(?!\w)")
        own = [(line, body) for line, heading, body in sections if name.search(heading) or _is_generated(body, name)]
        if not own:
            yield Finding(path, 1, f"{found.name} has no section; give it a heading, its arguments and what it is for")
        elif not any(_is_generated(body, name) for _, body in own):
            line, described = own[0][0], " ".join(body for _, body in own)
            yield from _arguments_left_out(path, line, described, found)


def _arguments_left_out(path: Path, line: int, described: str, found: PublicClass) -> Iterator[Finding]:
    # A model with a forward is called, not built by hand: its page shows the call.
    shown = "forward" if any(method == "forward" for method, _ in found.arguments) else None
    for method, argument in found.arguments:
        if shown in (None, method) and not re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", described):
            yield Finding(path, line, f"the section of {found.name} leaves out the argument {argument} of {method}")


def _sections(text: str) -> Iterator[tuple[int, str, str]]:
    """Line of the heading, the heading, and what stands below it up to the next heading of any level."""
    body: list[str] = []
    line, heading, fence = 1, "", ""
    for number, content in enumerate(text.split("\n"), 1):
        mark = _FENCE.match(content)
        if mark is not None and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        if not fence and _HEADING.match(content):
            yield line, heading, "\n".join(body)
            line, heading, body = number, content, []
        else:
            body.append(content)
    yield line, heading, "\n".join(body)


def _is_generated(body: str, name: re.Pattern[str]) -> bool:
    """Whether the documentation builder writes the class's description at this place."""
    return any(_AUTODOC in content and name.search(content) for content in body.splitlines())
