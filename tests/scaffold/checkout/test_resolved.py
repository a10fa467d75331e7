"""Every identifier that is renamed is bound in the new folder: what is somebody else's has kept its name."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from add_model.scaffold.checkout.reference import model_folders
from tests.scaffold.checkout.installed import installed, renaming
from tests.transformers_models.folders import SAMPLE
from tests.transformers_models.names import bound, used


def audit(folder: str) -> tuple[Counter[str], list[str]]:
    """How many identifiers of each kind are renamed in a folder's copy, and those that nothing there is called."""
    renamed = renaming(folder, f"brand_new_{folder}")
    trees = [(file, file.tree, ast.parse(renamed.rename_text(file.text))) for file in renamed.reference.files]
    known = {renamed.path(file.path).stem for file, _, _ in trees}
    known |= {name for _, _, after in trees for name in bound(after)}
    counts: Counter[str] = Counter()
    lost = []
    for file, before, after in trees:
        for old, new in zip(ast.walk(before), ast.walk(after), strict=True):
            for one, other in zip(used(old), used(new), strict=True):
                if one != other:
                    counts[type(old).__name__] += 1
                    if other not in known:
                        lost.append(f"{file.path}:{getattr(old, 'lineno', '?')} {one} -> {other}")
    return counts, lost


@pytest.mark.slow
@pytest.mark.parametrize("folder", [*SAMPLE, "qwen3_5", "prophetnet", "distilbert"])
def test_what_is_renamed_is_bound_in_the_new_folder(folder: str) -> None:
    assert audit(folder)[1] == []


@pytest.mark.exhaustive
def test_what_is_renamed_is_bound_in_the_new_folder_of_every_model() -> None:
    total: Counter[str] = Counter()
    lost: dict[str, list[str]] = {}
    for folder in model_folders(installed()):
        counts, missing = audit(folder)
        total += counts
        if missing:
            lost[folder] = missing
    print(
        ", ".join(f"{count} {kind}" for kind, count in sorted(total.items())), f"renamed, {len(lost)} models with lost"
    )
    assert lost == {}
