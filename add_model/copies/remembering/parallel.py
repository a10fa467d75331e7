"""A large check in two processes, where the system can split one: what the second finds comes back as plain data."""

from __future__ import annotations

import marshal
import mmap
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from add_model.copies.judging.records import FileResult, results_from_records, results_to_records
from add_model.copies.reading.files import CheckedFile
from add_model.copies.reading.outlook import Outlook
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from add_model.copies.judging.check import Check

_COUNTER = 8  # bytes


def results_of(check: Check, files: Sequence[CheckedFile]) -> dict[str, FileResult]:
    """What the check of each of these files comes to.

    This process starts at the first of them and the other at the last, until they meet; what the other has found is
    looked for here, too, if it does not come to an end.
    """
    if not _can_split():
        return dict(check.results(files, len(files)))
    # How many files each of the two has begun with.
    begun = memoryview(mmap.mmap(-1, 2 * _COUNTER)).cast("Q")
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receiver)
            _send(check, _until_they_meet(files[::-1], begun, 1), sender)
            status = 0
        finally:
            os._exit(status)
    os.close(sender)
    with open(receiver, "rb") as pipe:
        results = dict(check.results(_until_they_meet(files, begun, 0), len(files) // 2))
        answer = pipe.read()
    # The other gives its memory back meanwhile.
    results |= _received(check, answer)
    os.waitpid(child, 0)
    left = [file for file in files if file[1] not in results]
    return results | dict(check.results(left, len(left)))


def _until_they_meet(files: Sequence[CheckedFile], begun: memoryview, own: int) -> Iterator[CheckedFile]:
    # Nobody waits for the other: a file with which both begin at once is checked twice, with one result.
    for number, file in enumerate(files, 1):
        if number + begun[1 - own] > len(files):
            return
        begun[own] = number
        yield file


def _send(check: Check, files: Iterable[CheckedFile], sender: int) -> None:
    results = dict(check.results(files, 1))
    answer = list(results), results_to_records(results.values()), check.sources.outlook.to_record()
    with open(sender, "wb") as pipe:
        pipe.write(marshal.dumps(answer))


def _received(check: Check, answer: bytes) -> dict[str, FileResult]:
    """The results in an answer; none where the other process has not come to its end."""
    try:
        paths, results, outlook = marshal.loads(answer)
    except (EOFError, ValueError, TypeError):
        return {}
    check.sources.outlook.add(Outlook.from_record(outlook, check.library))
    return dict(zip(paths, results_from_records(results), strict=True))


def _can_split() -> bool:
    # With a second thread in this process a copy of it may be stuck from the start.
    threading = sys.modules.get("threading")
    alone = threading is None or threading.active_count() == 1
    return alone and hasattr(os, "fork") and sys.platform != "darwin" and (os.cpu_count() or 1) > 1
