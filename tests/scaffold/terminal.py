"""A program in a real pseudo-terminal, and the screen that its user sees."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pyte

import add_model

ENTER = "\r"
SPACE = " "
UP = "\x1b[A"
DOWN = "\x1b[B"
BACKSPACE = "\x7f"
CTRL_C = "\x03"
CTRL_D = "\x04"

_PATIENCE_SECONDS = 60
_SOURCES = str(Path(add_model.__file__).parents[1])


class Terminal:
    """Runs a command; keys go in by `press`, the screen is looked at by `wait_for` and `screen`."""

    def __init__(self, command: Sequence[str], folder: Path, columns: int = 140, rows: int = 60) -> None:
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": _SOURCES}
        self.child: pexpect.spawn[str] = pexpect.spawn(
            command[0],
            list(command[1:]),
            cwd=str(folder),
            env=environment,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=_PATIENCE_SECONDS,
        )
        self._screen = pyte.Screen(columns, rows)
        # A terminal answers when it is asked where the cursor is; this is how it gets back to the program.
        self._screen.write_process_input = self.child.send
        self._stream = pyte.Stream(self._screen)

    @property
    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.child.send(key)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Reads until the text stands on the screen, as often as that."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.screen.count(text) < times:
            try:
                self._stream.feed(self.child.read_nonblocking(4096, timeout=max(deadline - time.monotonic(), 0)))
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                raise AssertionError(
                    f"{text!r} is not on the screen ({type(error).__name__}):\n{self.screen}"
                ) from None

    def wait_for_end(self) -> int:
        """Reads until the program ends; returns its exit status."""
        try:
            while True:
                self._stream.feed(self.child.read_nonblocking(4096, timeout=_PATIENCE_SECONDS))
        except pexpect.EOF:
            pass
        self.child.close()
        assert self.child.exitstatus is not None, f"ended by signal {self.child.signalstatus}:\n{self.screen}"
        return self.child.exitstatus

    def close(self) -> None:
        self.child.close(force=True)
