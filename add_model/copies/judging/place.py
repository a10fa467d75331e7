"""Where a comment stands, and what is wrong there."""

from __future__ import annotations

from zlib import crc32

from add_model.copies.finding import Code, Finding, Severity
from add_model.source import Module
from add_model.values import NamedTuple


class Place(NamedTuple):
    """Where a comment stands: its module, the path that reports show, the start of its line; and what it names."""

    module: Module
    path: str
    start: int
    source: str

    def finding(self, code: Code, severity: Severity, message: str) -> Finding:
        """What is wrong with that line."""
        line = self.module.line_of(self.start)
        end = self.module.text.find("\n", self.start)
        digests = digests_of(self.module.text[self.start : end if end >= 0 else None].strip())
        return Finding(code, severity, self.path, line, line, "", self.source, message, digests=digests)

    def warning(self, code: Code, message: str) -> Finding:
        """Something about that line that fails no run."""
        return self.finding(code, Severity.WARNING, message)


def digests_of(copy: str, original: str | None = None) -> str:
    """What tells two texts from what they were: a short digest of each; a dash where there is but one."""
    return f"{_digest(copy)} {'-' if original is None else _digest(original)}"


def _digest(text: str) -> str:
    # Told apart are versions of one block, which nobody makes alike on purpose; better digests take long to load.
    content = text.rstrip().encode("utf-8", "surrogatepass")
    return f"{crc32(content):08x}{len(content):x}"
