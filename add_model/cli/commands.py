"""The commands and their options; each command loads what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from add_model import __version__
from add_model.cli.check_copies import check_copies
from add_model.cli.compare import compare
from add_model.cli.convert import convert
from add_model.cli.find_copies import find_copies
from add_model.cli.groups import Group
from add_model.cli.like import like
from add_model.cli.lsp import lsp
from add_model.cli.output import say
from add_model.cli.publish import publish
from add_model.cli.record import record
from add_model.cli.recover import recover
from add_model.cli.references import references
from add_model.cli.remove import remove
from add_model.cli.status import status
from add_model.cli.verify import app as verify

app = typer.Typer(
    name="add-model",
    cls=Group,
    help="Adds a model to a single-file model library, and keeps every copied block honest.",
    epilog="Start with: add-model like bert --name brand_new_bert --into my_models",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help: laying it out with rich costs more than everything else that --help does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("like", short_help="Add a model like a reference.")(like)
app.command("check-copies", short_help="Check every copied block.")(check_copies)
app.command("find-copies", short_help="Find copies that nobody marked.")(find_copies)
app.command("lsp", short_help="Serve an editor.")(lsp)
app.command("remove", short_help="Undo what like wrote.")(remove)
app.command("recover", short_help="Take back what a killed run left.")(recover)
app.command("references", short_help="List what to start from.")(references)
app.command("convert", short_help="Fill a model from a checkpoint.")(convert)
app.command("record", short_help="Record a forward pass.")(record)
app.command("compare", short_help="Compare two recordings.")(compare)
app.command("status", short_help="Show how far a port has come.")(status)
app.command("publish", short_help="Publish a converted checkpoint with its card.")(publish)
app.add_typer(verify, name="verify", short_help="Run what a step of a port asks for.")


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"add-model {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,  # fmt: skip
) -> None:
    pass
