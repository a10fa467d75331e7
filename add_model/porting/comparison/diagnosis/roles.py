"""What submodules are there for, as their names tell: which is the query, the key or the value, and what is attention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from add_model.porting.comparison.diagnosis.scene import Scene

_ATTENTION = re.compile(r"attn|attention|\batt\b")
ROLES = {"query": ("q", "query", "queries", "wq"), "key": ("k", "key", "keys", "wk"), "value": ("v", "value", "values", "wv")}  # fmt: skip


def role(path: str) -> str:
    """Whether a projection is the "query", the "key" or the "value"; "" if its name says none of them, or several."""
    words = set(re.findall("[a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", "_", path.rpartition(".")[2]).lower()))
    found = [name for name, spellings in ROLES.items() if words & set(spellings)]
    return found[0] if len(found) == 1 else ""


def in_attention(scene: Scene) -> bool:
    """Whether the place is attention or belongs to it: by a name, by heads, or by the projections beside it."""
    path = scene.place.path
    around = (path, path.rpartition(".")[0])
    if _ATTENTION.search(path.lower()) or any(_is_attention(scene, each) for each in around):
        return True
    return any(role(other) and other.rpartition(".")[0] in around for other in scene.new.modules)


def _is_attention(scene: Scene, path: str) -> bool:
    module = scene.new.modules.get(path)
    return module is not None and (
        bool(_ATTENTION.search(module.class_name.lower())) or any("head" in name for name in module.attributes)
    )
