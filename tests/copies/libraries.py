"""Small libraries on disk for tests: files by path, and what a check says about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from add_model.copies.finding import Finding
from add_model.copies.judging.check import Check
from add_model.library import Library, library_at


def write_library(root: Path, files: Mapping[str, str | bytes]) -> Library:
    """Writes files below `root/src`, makes every folder there a package, and returns the library."""
    for name, content in files.items():
        path = root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        folder = path.parent
        while folder != root / "src":
            (folder / "__init__.py").touch()
            folder = folder.parent
    return library_at(root)


def findings_of(library: Library) -> list[Finding]:
    """What a check of the whole library finds, in the order of a report."""
    return sorted(Check(library).findings(), key=lambda finding: finding.sort_key)


def codes_of(library: Library) -> list[str]:
    """The codes of what it finds."""
    return [finding.code.name for finding in findings_of(library)]
