"""`add-model references`: the models a new one can start from, and where each can be had."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from add_model.cli.examples import with_examples
from add_model.cli.options import JsonOption
from add_model.cli.output import say_json, tell

if TYPE_CHECKING:
    from rich.table import Table

    from add_model.scaffold.catalogue import Row
    from add_model.scaffold.targets import Target

_EXAMPLES = """
Examples:
    add-model references                     the whole family
    add-model references text                one modality
    add-model references encoder-decoder     one kind
    add-model references bert                names that hold "bert"
    add-model references --into my_models    with the models of that library
    add-model references --json              for a script
"""
_PLACES = {"library": "this library", "zoo": "bundled", "transformers": "transformers"}
_NOWHERE = "not here"
# Rich takes a pipe for 80 columns wide; a line that is not folded is easier to search.
_PIPED_WIDTH = 160
# From here on several places fit on one line.
_WIDE = 100


@with_examples(_EXAMPLES)
def references(
    family: Annotated[
        str | None,
        typer.Argument(
            metavar="FAMILY",
            help="Only a modality (text), a kind (encoder-decoder), or the models whose name holds this text.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            "--root",
            metavar="DIR",
            help="The library or checkout whose own models are listed too. Default: the library around here.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    as_json: JsonOption = False,
) -> None:
    """List the models that a new one can start from, by modality and kind."""
    from add_model.scaffold.catalogue import catalogue, matching

    rows = catalogue(_target(into))
    chosen = rows if family is None else matching(rows, family)
    if as_json:
        say_json([_document(row) for row in chosen])
        return
    _show(chosen)
    tell("start from one that is bundled or in this library: add-model like TYPE")


def _target(into: Path | None) -> Target:
    from add_model.errors import AddModelError
    from add_model.library import library_at, read_configuration
    from add_model.scaffold.checkout.layout import PACKAGE, find_checkout

    start = Path.cwd() if into is None else into.absolute()
    if not start.is_dir():
        raise AddModelError(f"--into {into} is no folder; pass a library's, or leave it out")
    for candidate in (start, *start.parents):
        configuration = read_configuration(candidate)
        if configuration is not None:
            return library_at(candidate, configuration)
        # Above the folder that was asked for only a checkout's own root counts, not a folder of installed packages.
        if candidate == start and into is not None or (candidate / "src" / PACKAGE).is_dir():
            checkout = find_checkout(candidate)
            if checkout is not None:
                return checkout
    if into is not None:
        raise AddModelError(f"--into {into} holds no library yet; leave it out, or make one: add-model like bert --into {into}")  # fmt: skip
    return None


def _document(row: Row) -> dict[str, Any]:
    return {
        "type": row.member.model_type,
        "title": row.member.title,
        "modality": row.member.modality,
        "kind": row.member.kind,
        "description": row.member.description,
        "available": list(row.available),
    }


def _show(rows: tuple[Row, ...]) -> None:
    from add_model.cli.drawing import draw, styled, width

    separator = ", " if width(_PIPED_WIDTH) >= _WIDE else "\n"
    type_width = max(len(row.member.model_type) for row in rows)
    for group, members in groupby(rows, key=lambda row: row.group):
        draw(styled((group, "bold")), _table(list(members), type_width, separator), "", piped=_PIPED_WIDTH)


def _table(rows: list[Row], type_width: int, separator: str) -> Table:
    from rich.table import Table

    from add_model.cli.drawing import joined, styled

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    table.add_column(width=type_width + 2, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(width=max(len(separator.join(places)) for places in ((_NOWHERE,), ("bundled", "transformers"))))
    for row in rows:
        style = "green" if row.specifications else "dim"
        line = styled((row.member.title, "bold"), f": {row.member.description}")
        places = [_PLACES[place] for place in row.available] or [_NOWHERE]
        where = joined((styled((place, style)) for place in places), separator)
        table.add_row(styled((f"  {row.member.model_type}", style)), line, where)
    return table
