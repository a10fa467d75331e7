"""`add-model references`: the models a new one can start from, and where each can be had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    from add_model.scaffold.catalogue import catalogue, matching, places_of
    from add_model.scaffold.destination import find_listed

    target = find_listed(into, Path.cwd())
    rows = catalogue(target)
    chosen = rows if family is None else matching(rows, family)
    places = {row: places_of(row, target) for row in chosen}
    if as_json:
        say_json([_document(row, found) for row, found in places.items()])
        return
    _show(places)
    tell(_next({place for found in places.values() for place in found}))


def _next(places: Collection[str]) -> str:
    """What to type for a model that is to be had in one of these places."""
    plain = [said for place, said in (("zoo", "bundled"), ("library", "in this library")) if place in places]
    ways = [f"one that is {' or '.join(plain)}: add-model like TYPE"] if plain else []
    if "transformers" in places:
        ways.append("one of transformers: add-model like transformers:TYPE")
    return f"start from {'; from '.join(ways)}" if ways else "none of these can be started from here; all: add-model references"  # fmt: skip


def _document(row: Row, places: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": row.member.model_type,
        "title": row.member.title,
        "modality": row.member.modality,
        "kind": row.member.kind,
        "description": row.member.description,
        "available": list(places),
    }


def _show(places: Mapping[Row, tuple[str, ...]]) -> None:
    from add_model.cli.drawing import draw, styled, width

    separator = ", " if width(_PIPED_WIDTH) >= _WIDE else "\n"
    type_width = max(len(row.member.model_type) for row in places)
    for group, members in groupby(places, key=lambda row: row.group):
        table = _table({row: places[row] for row in members}, type_width, separator)
        draw(styled((group, "bold")), table, "", piped=_PIPED_WIDTH)


def _table(places: Mapping[Row, tuple[str, ...]], type_width: int, separator: str) -> Table:
    from rich.table import Table

    from add_model.cli.drawing import joined, styled

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    table.add_column(width=type_width + 2, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(width=max(len(separator.join(each)) for each in ((_NOWHERE,), ("bundled", "transformers"))))
    for row, found in places.items():
        style = "green" if row.specifications else "dim"
        line = styled((row.member.title, "bold"), f": {row.member.description}")
        where = joined(
            (styled((place, style)) for place in [_PLACES[place] for place in found] or [_NOWHERE]), separator
        )
        table.add_row(styled((f"  {row.member.model_type}", style)), line, where)
    return table
