"""Keeps a comparison's result with the model, if it belongs to a library."""

from __future__ import annotations

from dataclasses import replace

from add_model.library import find_library
from add_model.porting.comparison import Comparison
from add_model.porting.comparison_report import place_in_words, summary
from add_model.porting.diagnosis import Cause
from add_model.porting.evidence import make, store
from add_model.porting.recording_facts import owner_of


def keep(comparison: Comparison, cause: Cause | None) -> tuple[str, ...]:
    """Stores the result, unless the new model is of no library that is here, or is compared with itself.

    It rests on the two recordings and on the model's own files: once one of them changes, it no longer counts.

    Returns:
        What there is to say of it as evidence, a line each.
    """
    owner = owner_of(comparison.new)
    if owner is None:
        return ()
    if owner_of(comparison.original) == owner:
        return (f"not kept as evidence: both recordings are of {owner.name} itself; compare it with one of the original",)  # fmt: skip
    folder = find_library(owner.root).models_folder / owner.name
    files = [comparison.original.path.absolute(), comparison.new.path.absolute(), *sorted(folder.glob("*.py"))]
    evidence = make(owner.root, "comparison", passed=comparison.passed, figure=summary(comparison), files=files)
    shown = list(evidence.files)
    details = {
        "original": shown[0],
        "new": shown[1],
        "largest": comparison.largest,
        "tolerance": comparison.tolerance,
        "first": None if comparison.place is None else place_in_words(comparison.place),
        "cause": None if cause is None else cause.name,
    }
    store(owner.root, owner.name, replace(evidence, details=details))
    return ()
