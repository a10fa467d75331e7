"""What Python itself says on the error stream, of a crash or a doubtful line of code, shown as everything else is."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from add_model.visible import visible_lines


@contextmanager
def shown() -> Iterator[None]:
    """Shows warnings, which quote the code that they are about, as the tool shows all code."""
    plain = warnings.formatwarning

    def as_shown(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        return visible_lines(plain(message, category, filename, lineno, line))

    warnings.formatwarning = as_shown
    try:
        yield
    finally:
        warnings.formatwarning = plain


def show_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Prints a traceback, which quotes names and texts of wherever the crash was."""
    sys.stderr.write(visible_lines("".join(traceback.format_exception(kind, error, trace))))
