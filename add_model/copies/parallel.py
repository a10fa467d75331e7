"""A large check in two processes, where the system can split one: what the second finds comes back as plain data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from add_model.copies.files import CheckedFile
from add_model.copies.records import (
    FileResult,
    outlook_from_record,
    outlook_to_record,
    result_from_record,
    result_to_record,
)

if TYPE_CHECKING:
    from add_model.copies.check import Check

# A second process costs some milliseconds to start; fewer files than this are checked sooner.
_FILES = 400


def results_of(check: Check, files: Sequence[CheckedFile]) -> dict[str, FileResult]:
    """What the check of each of these files comes to, in their order.

    The first half is checked here; the other half, too, if the second process does not come to an end.
    """
    if len(files) < _FILES or not _can_split():
        return dict(check.results(files))
    half = len(files) // 2
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receiver)
            _send(check, files[half:], sender)
            status = 0
        finally:
            os._exit(status)
    os.close(sender)
    with open(receiver, "rb") as pipe:
        first = dict(check.results(files[:half]))
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    second = _received(check, files[half:], answer) if status == 0 else dict(check.results(files[half:]))
    return {**first, **second}


def _send(check: Check, files: Sequence[CheckedFile], sender: int) -> None:
    records = [result_to_record(path, result) for path, result in check.results(files)]
    with open(sender, "wb") as pipe:
        pipe.write(json.dumps([records, outlook_to_record(check.sources.outlook)]).encode())


def _received(check: Check, files: Sequence[CheckedFile], answer: bytes) -> dict[str, FileResult]:
    records, outlook = json.loads(answer)
    check.sources.outlook.add(outlook_from_record(outlook))
    return {
        path: result_from_record(path, record) for (_, path), record in zip(files, records, strict=True)
    }  # fmt: skip


def _can_split() -> bool:
    # With a second thread in this process a copy of it may be stuck from the start.
    threading = sys.modules.get("threading")
    alone = threading is None or threading.active_count() == 1
    return alone and hasattr(os, "fork") and sys.platform != "darwin" and (os.cpu_count() or 1) > 1
