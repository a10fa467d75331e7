"""The command line: one small module for each command; each loads what it needs when it runs."""

from __future__ import annotations

import os
import sys

from add_model.errors import AddModelError
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn

    from add_model.cli.commands import app as app


# What only the commands of a port need -> the extra of this package that brings it.
_EXTRAS = {
    "huggingface_hub": "torch",
    "numpy": "convert",
    "safetensors": "torch",
    "scipy": "convert",
    "tokenizers": "torch",
    "torch": "torch",
}


def main() -> NoReturn:
    """Runs the command line; an `AddModelError` becomes one line on stderr and exit code 2."""
    sys.exit(_run())


def script() -> NoReturn:
    """Runs the command line as a process of its own, which ends at once where nothing but a check has run in it.

    What a check holds takes longer to give back piece by piece than an unchanged tree takes to check.
    """
    sys.excepthook = _show_crash
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    """The exit code of a plain check; everything else that the command line may be asked ends in `SystemExit`."""
    _open_closed_streams()
    from add_model.cli.quick import check_copies_quickly

    _write_whatever_comes(sys.stdout)
    try:
        code = check_copies_quickly(sys.argv[1:])
        if code is not None:
            return code
        from add_model.cli.commands import app
        from add_model.cli.python_messages import shown

        with shown():
            app()
    except AddModelError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRAS:
            raise
        from add_model.extras import install_command

        _fail(f"{missing}, which this needs, is not installed beside add-model; install it: {install_command(_EXTRAS[missing])}")  # fmt: skip
    except (RecursionError, MemoryError):
        # Every place where that is foreseen names its file.
        _fail("something that was to be read is nested too deeply, or too large, for the memory there is")
    except OSError as error:
        # A folder that has gone, a disk that is full: nothing that a traceback would explain better.
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}; check that it is there and has room")
    sys.exit()


def _write_whatever_comes(stream: Any) -> None:
    """Lets a stream write in escapes what its encoding lacks: a finding shows lines of code, whose text is anybody's."""
    errors = getattr(stream, "errors", "")
    gives_up = errors == "strict" or (errors == "surrogateescape" and stream.encoding != "utf-8")
    if gives_up and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _open_closed_streams() -> None:
    """Gives a stream that the caller has closed something to read from or write to, rather than nothing at all.

    It also takes the stream's number, which else would go to the next file that is opened, and with it what is written.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _fail(message: str) -> NoReturn:
    from add_model.cli.output import tell

    tell(f"error: {message}", colour="red")
    try:
        sys.stdout.flush()
    except OSError:
        # What finds no room there must not be found out once more on the way out, which would change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(2)


def _show_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from add_model.cli.python_messages import show_crash

    show_crash(kind, error, trace)


def __getattr__(name: str) -> Any:
    # Reading options takes longer to load than a check takes to run; who checks only does not wait for it.
    if name == "app":
        from add_model.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
