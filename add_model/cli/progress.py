"""How far a command has come, for somebody who waits for it at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """A bar on the error stream, once a run has taken longer than a second."""

    def __init__(self, enabled: bool, description: str = "checking copies") -> None:
        self._enabled, self._started, self._description = enabled, time.monotonic(), description
        self._stop: Callable[[], None] | None = None
        self._update: Callable[[int, int], None] = lambda done, total: None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    def advance(self, done: int, total: int) -> None:
        """Shows how much of the whole is done."""
        if self._enabled and self._stop is None and time.monotonic() - self._started > 1:
            self._start()
        self._update(done, total)

    def _start(self) -> None:
        from rich import progress
        from rich.console import Console

        bar = progress.Progress(console=Console(stderr=True), transient=True)
        task = bar.add_task(self._description)
        self._update = lambda done, total: bar.update(task, completed=done, total=total)
        self._stop = bar.stop
        bar.start()
