"""The marker language and its checker: paths -> markers -> (original, copy) pairs -> verdicts -> report or edits.

Each wing is a floor of its own, and none looks up to one that stands above it in this list:

- `searching`: `find` leads from a library to the copies that nobody marked: `index`, `search`, `proof`.
- `fixing`: `fix` and `rewrite`; `merge` and `supplies` see to it that no edit is lost, and no name undefined.
- `remembering`: `recall`, `cache` and `parallel` make a check fast; `sides`, `history`, `kept` and `written` are what a fix goes by.
- `judging`: `check` is the engine that yields each `finding`; `pair`, `difference`, `cycles` and `full_copies` tell.
- `reading`: `files`, `sources` (asking the disk through `outlook`), `selection`.
- `language`: `marker` (what is a marker), `region` (what of a block is compared), `equality` (what counts as equal).

Beside them stand what a finding is, the `report` of findings, and `watch`.
"""
