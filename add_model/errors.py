"""What a user of the command line is meant to read."""

from add_model.visible import visible


class AddModelError(Exception):
    """A request, a configuration or a file that the tool cannot work with.

    The message is a single line that says what is wrong and what to do about it; the command line prints it and
    exits with code 2. Whatever it quotes is shown as `visible` has it.
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class ChangedMeanwhile(AddModelError):
    """A file no longer holds what it was read as; what was to be written of it can be made again."""


class ModelExists(AddModelError):
    """There is a model of that name already; an earlier attempt at it may be finished, replaced or removed."""
