"""The marker language and its checker: paths -> markers -> (original, copy) pairs -> verdicts -> report or edits.

- What the language says: `marker` (what is a marker), `region` (what of a block is compared), `equality` (what counts
  as equal), `full_copies` (whole files).
- From a marker to a verdict: `files`, `sources` (asking the disk through `outlook`), `pair`, `difference`, `cycles`,
  `syntax`; `check` is the engine that yields each `finding`.
- What is reported: `selection`, `report`, `watch`.
- What makes it fast: `recall`, `cache` and `parallel`, which keep and send results as `records`.
- Putting copies right: `fix` and `rewrite`; `sides`, `history`, `merge`, `kept` and `written` see to it that no edit is lost.
"""
