"""The folder of a checkpoint, as somebody names it: there before anything looks for it elsewhere.

What loads models takes a name that is no folder for one on the Hub, and asks the network for it.
"""

from __future__ import annotations

from pathlib import Path

from add_model.errors import AddModelError


def refuse_missing_folder(path: Path, option: str) -> None:
    """Raises `AddModelError` where there is no such folder, or no `config.json` in it."""
    if path.is_file():
        raise AddModelError(f"{option} {path}: is a file; pass the folder that convert or save_pretrained wrote")
    if not path.is_dir():
        raise AddModelError(
            f"{option} {path}: no such folder; pass the one with config.json and weights that convert or save_pretrained wrote"
        )
    if not (path / "config.json").is_file():
        raise AddModelError(f"{option} {path}: has no readable config.json; pass the folder that convert or save_pretrained wrote")  # fmt: skip
