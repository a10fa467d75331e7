"""A table that is longer in one model than in the other: a vocabulary, or positions, padded or cut."""

from __future__ import annotations

from add_model.porting.comparison.comparing import Comparison
from add_model.porting.comparison.differences import rounding
from add_model.porting.comparison.layouts import squeezed

NAME = "vocabulary or positions padded or cut"


def cut(comparison: Comparison) -> tuple[str, str] | None:
    """How the first place differs by its size alone, and what to do about it; `None` if it differs by more."""
    place = comparison.place
    if place is None or not place.row.is_cut:
        return None
    row = place.row
    first, second = row.records
    assert second is not None
    if row.difference.relative > max(rounding(first.dtype), rounding("F32")):
        return None
    own, theirs = next((b, a) for a, b in zip(squeezed(first.shape), squeezed(second.shape), strict=True) if a != b)
    name = f"{place.path}.weight"
    record = comparison.new.parameters.get(name)
    if record is None or own not in record.shape:
        return None
    said = f"the original has {theirs} of them, the new model {own}; the {min(own, theirs)} that both have agree"
    if own > theirs:
        return said, f"give the new model {theirs} in its configuration (vocab_size, max_position_embeddings), or cut the output to {theirs}: the {own - theirs} rows of {name} behind them are no part of the original"  # fmt: skip
    return said, f"give the new model {theirs} in its configuration (vocab_size, max_position_embeddings), so that the rules keep all rows of {name}"  # fmt: skip
