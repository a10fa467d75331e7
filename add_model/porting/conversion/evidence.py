"""Keeps with a model of the user's library that its original's checkpoint was converted: step 6 of a port."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from add_model.porting import evidence
from add_model.porting.conversion.report import summary_line
from add_model.porting.model.subject import Subject
from add_model.references import TARGET


def keep_evidence(subject: Subject, out: Path, document: Mapping[str, Any]) -> None:
    """Keeps a conversion that was done; of a model in somebody else's library nothing is kept.

    Args:
        subject: the new model.
        out: the folder that was written; the result counts as long as its files are what they are now.
        document: the report.

    Raises:
        AddModelError: the library cannot be written.
    """
    if subject.origin != TARGET:
        return
    root = subject.library.root
    files = [out.absolute() / name for name in document["written"]]
    details = {"checkpoint": document["checkpoint"], "class": document["class"], "rules": document["rules"], "folder": str(out.absolute())}  # fmt: skip
    result = evidence.make(
        root, "conversion", passed=True, figure=summary_line(document), files=files, details=details
    )
    evidence.store(root, subject.name, result)
