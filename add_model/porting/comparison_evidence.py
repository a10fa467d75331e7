"""Keeps a comparison's result with the model, if it belongs to a library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from add_model.library import find_library
from add_model.porting.comparison import Comparison
from add_model.porting.comparison_report import place_in_words, summary
from add_model.porting.diagnosis import Cause
from add_model.porting.evidence import make, store


def keep(comparison: Comparison, cause: Cause | None) -> Path | None:
    """Stores the result; returns where, or `None` for a model of no library that is here.

    It rests on the two recordings and on the model's own files: once one of them changes, it no longer counts.
    """
    name, root = comparison.new.model.get("name"), comparison.new.model.get("library")
    if not isinstance(name, str) or not isinstance(root, str) or not Path(root).is_dir():
        return None
    folder = find_library(Path(root)).models_folder / name
    files = [comparison.original.path.absolute(), comparison.new.path.absolute(), *sorted(folder.glob("*.py"))]
    evidence = make(Path(root), "comparison", passed=comparison.passed, figure=summary(comparison), files=files)
    shown = list(evidence.files)
    details = {
        "original": shown[0],
        "new": shown[1],
        "largest": comparison.largest,
        "tolerance": comparison.tolerance,
        "first": None if comparison.place is None else place_in_words(comparison.place),
        "cause": None if cause is None else cause.name,
    }
    return store(Path(root), name, replace(evidence, details=details))
