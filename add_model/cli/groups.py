"""Groups of commands that answer a word which is none of theirs in one line, with the commands that were to be typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from add_model.cli.usage import Commands
from add_model.errors import AddModelError


class Group(Commands):
    """A group of commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is asked for.

        Raises:
            AddModelError: there is none of that name.
        """
        word = args[0] if args else ""
        if word and not word.startswith("-") and self.get_command(ctx, word) is None:
            raise AddModelError(self.unknown(ctx, word))
        return super().resolve_command(ctx, args)

    def unknown(self, ctx: Any, word: str) -> str:
        """What to say of a word that is no command."""
        from add_model.nearest import close

        likely = close(word, self.list_commands(ctx), 1)
        hint = f"did you mean {likely[0]}?" if likely else f"choose from: {', '.join(self.list_commands(ctx))}"
        return f"{_typed(ctx)} has no command {word!r}; {hint} (all: {_typed(ctx)} --help)"


class StepsGroup(Group):
    """The commands that each measure a step of a model, for whoever types the model first, or alone."""

    def unknown(self, ctx: Any, word: str) -> str:
        """What to say of a word that is no command: what can be verified of a model, where it is the name of one."""
        from add_model.porting.model.ported_model import find_ported_model
        from add_model.scaffold.destination import find_holder

        try:
            find_ported_model(find_holder(Path.cwd()), word)
        except AddModelError:
            return super().unknown(ctx, word)
        return f"what of {word} is to be verified? one of: {', '.join(self.list_commands(ctx))}; for example: {_typed(ctx)} docs {word}"  # fmt: skip


def _typed(ctx: Any) -> str:
    """What is typed for the group, however this process was started."""
    return f"add-model{ctx.command_path.removeprefix(ctx.find_root().command_path)}"
