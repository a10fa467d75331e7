"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The model, such as brand_new_bert.", show_default=False)
]
IntoOption = Annotated[
    Path | None,
    typer.Option(
        "--into",
        "--root",
        metavar="DIR",
        help="The model's library. Default: the one around here.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
