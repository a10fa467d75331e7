"""The directive `command-reference`: every command of add-model, read off the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from add_model.cli.commands import app

# Typer shows the lines of a paragraph that begins with this character as they are written.
_AS_WRITTEN = "\b"


class CommandReference(Directive):
    """Stands for a section on each command: what it does, its arguments and options, and its examples."""

    def run(self) -> list[nodes.Node]:
        self.state.document.settings.record_dependencies.add(__file__)
        return [_section(f"add-model {path}", command) for path, command in commands(typer.main.get_command(app))]


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The commands below a group that can be typed, by their names, in the order of its help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        elif not command.hidden:
            yield f"{path}{name}", command


def _section(title: str, command: Any) -> nodes.section:
    section = nodes.section("", nodes.title("", title), ids=[nodes.make_id(title)], names=[title])
    usage = " ".join([title, *command.collect_usage_pieces(_context())])
    section += nodes.literal_block(usage, usage, language="text")
    for paragraph in (command.help or "").split("\n\n"):
        section += _paragraph(paragraph)
    for heading, kind in (("Arguments", "argument"), ("Options", "option")):
        entries = [_entry(parameter) for parameter in command.params if parameter.param_type_name == kind]
        if entries:
            section += nodes.rubric("", heading)
            section += nodes.definition_list("", *entries)
    return section


def _paragraph(text: str) -> nodes.Node:
    if not text.startswith(_AS_WRITTEN):
        return nodes.paragraph("", "", *_marked_up(" ".join(text.split())))
    text = text.removeprefix(_AS_WRITTEN).lstrip("\n")
    return nodes.literal_block(text, text, language="text")


def _entry(parameter: Any) -> nodes.definition_list_item:
    names, said = parameter.get_help_record(_context())
    return nodes.definition_list_item(
        "",
        nodes.term("", "", nodes.literal("", names)),
        nodes.definition("", nodes.paragraph("", "", *_marked_up(said))),
    )


def _context() -> typer.Context:
    return typer.Context(typer.main.get_command(app))


def _marked_up(text: str) -> list[nodes.Node]:
    """What stands between backquotes as code, everything else as it is."""
    return [nodes.literal("", part) if number % 2 else nodes.Text(part) for number, part in enumerate(text.split("`"))]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("command-reference", CommandReference)
    return {"parallel_read_safe": True}
