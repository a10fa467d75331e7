"""Whole files that the configuration registers as copies of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from add_model.copies.equality import equal
from add_model.copies.finding import Code, Finding, Severity
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import decode_module


def check_full_copies(library: Library, read: Callable[[str], bytes], only: set[str]) -> Iterator[Finding]:
    """Compares every registered full copy that is one of these files (paths relative to the root; none: all)."""
    for copy, original in sorted(library.configuration.full_copies.items()):
        if not only or copy in only:
            finding = _check(library, read, copy, original)
            if finding is not None:
                yield finding


def _check(library: Library, read: Callable[[str], bytes], copy: str, original: str) -> Finding | None:
    texts = []
    for path in (original, copy):
        try:
            content = read(str(library.root / path))
            texts.append(decode_module(Path(path), content).text)
        except FileNotFoundError:
            message = f"{path}, registered in full-copies, does not exist; mend the entry"
            return Finding(Code.CP002, Severity.ERROR, copy, 1, 1, "", original, message, fixable=path == copy)
        except (OSError, SourceError) as error:
            return Finding(Code.CP006, Severity.ERROR, path, 1, 1, "", original, f"cannot be read: {error}")
    if equal(*texts):
        return None
    last = max(1, texts[1].count("\n"))
    return Finding(Code.CP001, Severity.ERROR, copy, 1, last, "", original, "differs from the file it is a full copy of", fixable=True)  # fmt: skip
