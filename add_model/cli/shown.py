"""What is said of something that has been done, where there is no room to say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from add_model.errors import AddModelError


@contextmanager
def shown_after(done: str | None) -> Iterator[None]:
    """Says on the error stream that something has been done, where its summary cannot be written to stdout.

    Args:
        done: what has been; `None` where nothing was.

    Raises:
        AddModelError: the summary cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        # Whoever read has seen enough.
        raise
    except OSError as error:
        if done is None:
            raise
        raise AddModelError(f"{done}, but the summary cannot be shown: {error.strerror or error}; only the output needs room") from error  # fmt: skip
