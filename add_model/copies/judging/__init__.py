"""From markers to verdicts: pairs of an original and a copy, how they differ, and the findings that this comes to."""
