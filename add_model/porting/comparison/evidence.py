"""Keeps a comparison's result with the model, if it belongs to a library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from add_model.porting.comparison.comparing import Comparison
from add_model.porting.comparison.diagnosis import Cause
from add_model.porting.comparison.report import missing_output, place_in_words, summary
from add_model.porting.evidence import make, shown, stale_because, store
from add_model.porting.recording.facts import files_of, owner_of
from add_model.porting.recording.file import Recording


def keep(comparison: Comparison, cause: Cause | None) -> tuple[str, ...]:
    """Stores the result, unless the new model is of no library that is here, or is compared with itself.

    It rests on the two recordings, and on the files that the new model ran, as they were when it was recorded: once
    one of them is another, it no longer counts.

    Returns:
        What there is to say of it as evidence, a line each.
    """
    original, new = comparison.original.path, comparison.new.path
    owner = owner_of(comparison.new)
    if owner is None:
        return ()
    if not _is_at_hand(owner.root, new):
        return (f"not kept as evidence: {new} names {owner.root}, which is not the library around here; run this in that folder",)  # fmt: skip
    if owner_of(comparison.original) == owner:
        return (f"not kept as evidence: both recordings are of {owner.name} itself; compare it with one of the original",)  # fmt: skip
    ends_early = missing_output(comparison)
    lacks = tuple(_lacks(comparison.new, owner.name))
    open_for = lacks if ends_early is None else (ends_early, *lacks)
    evidence = make(
        owner.root,
        "comparison",
        passed=comparison.passed and not open_for,
        figure="; ".join((summary(comparison), *open_for)),
        files=[original.absolute(), new.absolute()],
        known=files_of(comparison.new),
        details={**_details(comparison, cause, owner.root), "record_again": bool(lacks)},
    )
    store(owner.root, owner.name, evidence)
    because = stale_because(owner.root, evidence)
    return lacks if because is None else (*lacks, f"{because} since {new} was recorded; record it again")


def _is_at_hand(root: Path, recording: Path) -> bool:
    """Whether a library is one that the user works in: around this folder, in it, or around the recording.

    A recording may come from anywhere, and must not choose where on this machine something is written.
    """
    here, home = Path.cwd().resolve(), recording.resolve().parent
    return here.is_relative_to(root) or root.is_relative_to(here) or home.is_relative_to(root)


def _lacks(new: Recording, name: str) -> Iterator[str]:
    """Why a recording of the new model cannot show that it is done, whatever the comparison says."""
    if not files_of(new):
        yield f"{new.path} does not say which files it ran; record it with add-model record {name}"
    elif new.model.get("checkpoint") is None:
        yield f"{new.path} was recorded with random weights; record it with --checkpoint DIR"


def _details(comparison: Comparison, cause: Cause | None, root: Path) -> dict[str, Any]:
    original, new = (shown(root, recording.path) for recording in (comparison.original, comparison.new))
    return {
        "original": original,
        "new": new,
        "largest": comparison.largest,
        "tolerance": comparison.tolerance,
        "first": None if comparison.place is None else place_in_words(comparison.place),
        "cause": None if cause is None else cause.name,
    }
