"""Work on a tree's own programs, such as templates, in a process that can take neither much time nor much memory."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from add_model.errors import AddModelError

# Templates that people wrote take milliseconds.
SECONDS = 5  # of the processor
_MORE_BYTES = 150_000_000  # of memory, on top of what this process has
_MOST_CHARACTERS = 4_000_000  # of all texts together

Text = tuple[str, str]


def confined(make: Callable[[], Sequence[Text]], what: str) -> list[Text]:
    """What a function makes, pairs of a name and a text, made in a process of its own where the system can split one.

    Args:
        make: the function; an `AddModelError` of it is raised here as well.
        what: what is at work, as the start of a message.

    Raises:
        AddModelError: it took too long, or too much memory, or made too much.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return list(make())
    receiver, sender = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.close(receiver)
            with suppress(BaseException):
                _limit()
                _send(make, what, sender)
        finally:
            os._exit(0)
    os.close(sender)
    with open(receiver, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        raise AddModelError(f"{what}: takes more than {SECONDS} seconds, or more memory than there is; mend it and run again")  # fmt: skip
    problem, texts = json.loads(answer)
    if problem:
        raise AddModelError(problem)
    return [(name, text) for name, text in texts]


def _send(make: Callable[[], Sequence[Text]], what: str, sender: int) -> None:
    problem, texts = "", []
    try:
        texts = list(make())
        if sum(len(text) for _, text in texts) > _MOST_CHARACTERS:
            problem, texts = f"{what}: makes more than {_MOST_CHARACTERS // 1_000_000} MB; mend it and run again", []
    except AddModelError as error:
        problem, texts = str(error), []
    with open(sender, "wb") as pipe:
        pipe.write(json.dumps((problem, texts)).encode("ascii"))


def _limit() -> None:
    import resource

    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    # A process that has run for a while has used up some of its time; one that was split off starts anew.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    with suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:
        most = int(file.read().split()[0]) * resource.getpagesize() + _MORE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # What it says goes through the pipe.
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
