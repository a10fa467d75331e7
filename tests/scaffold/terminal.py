"""A program in a real pseudo-terminal, and the screen that its user sees."""

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
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
CTRL_B = "\x02"
ESCAPE = "\x1b"

_PATIENCE_SECONDS = 60
# A screen is drawn in several writes, the keys of one word one after the other: what is looked at stands still.
_STILL_SECONDS = 0.15
_SOURCES = str(Path(add_model.__file__).parents[1])


class Terminal:
    """Runs a command; keys go in by `press`, the screen is looked at by `wait_for` and `screen`."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        columns: int = 140,
        rows: int = 60,
        margin: int = 0,
        **variables: str,
    ) -> None:
        """Starts the command.

        Args:
            command: what to run.
            folder: where.
            columns: how wide the terminal says that it is.
            rows: how high it is.
            margin: how many columns more it really has, so that a line is seen that would have wrapped.
            variables: of the environment, beside those that are inherited.
        """
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        environment = {**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": _SOURCES, **variables}
        self.child: pexpect.spawn[str] = pexpect.spawn(
            command[0],
            list(command[1:]),
            cwd=str(folder),
            env=environment,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=_PATIENCE_SECONDS,
            # Tests that run in a shell's background inherit that Ctrl-C is passed over.
            preexec_fn=_heed_interruptions,
        )
        self._screen = pyte.Screen(columns + margin, rows)
        # A terminal answers when it is asked where the cursor is; this is how it gets back to the program.
        self._screen.write_process_input = self.child.send
        self._stream = pyte.Stream(self._screen)

    @property
    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def colours(self) -> set[str]:
        """The colours of everything that is on the screen."""
        return {cell.fg for row in self._screen.buffer.values() for cell in row.values() if cell.data.strip()}

    def resize(self, columns: int, rows: int) -> None:
        """Changes the size of the window, as its user does."""
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.child.send(key)

    @property
    def asked(self) -> str:
        """The last question on the screen, and everything below it."""
        return f"\n{self.screen}".rpartition("\n? ")[2]

    def wait_for(self, text: str, times: int = 1) -> None:
        """Reads until the text stands on the screen, as often as that, and nothing more is drawn."""
        self._wait_until(lambda: self.screen.count(text) >= times, text)

    def wait_for_question(self, *texts: str) -> None:
        """Reads until the last question on the screen says all of this, in this order, and nothing more is drawn."""
        self._wait_until(
            lambda: re.search(".*".join(map(re.escape, texts)), self.asked, re.DOTALL) is not None, *texts
        )

    def _wait_until(self, is_there: Callable[[], bool], *texts: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        is_still = False
        while not (is_still and is_there()):
            patience = _STILL_SECONDS if is_there() else max(deadline - time.monotonic(), 0)
            try:
                self._stream.feed(self.child.read_nonblocking(4096, timeout=patience))
                is_still = False
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                if not is_there():
                    raise AssertionError(
                        f"{texts} is not on the screen ({type(error).__name__}):\n{self.screen}"
                    ) from None
                is_still = True

    def wait_for_end(self) -> int:
        """Reads until the program ends; returns its exit status."""
        try:
            while True:
                self._stream.feed(self.child.read_nonblocking(4096, timeout=_PATIENCE_SECONDS))
        except pexpect.EOF:
            pass
        except pexpect.TIMEOUT:
            raise AssertionError(f"has not ended:\n{self.screen}") from None
        self.child.close()
        assert self.child.exitstatus is not None, f"ended by signal {self.child.signalstatus}:\n{self.screen}"
        return self.child.exitstatus

    def close(self) -> None:
        self.child.close(force=True)


def _heed_interruptions() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
