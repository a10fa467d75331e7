"""Which model of a library may have been meant by a name that is none of its models'."""

from __future__ import annotations

from add_model.errors import AddModelError
from add_model.held_model import ModelHolder
from add_model.nearby import where_to_go
from add_model.nearest import nearest

# So many names fit into a line that somebody reads.
_MOST = 12


def no_such_model(holder: ModelHolder, name: str) -> AddModelError:
    """What to say where a library has no model of this name: those that it has, the nearest first, or where to go."""
    names = nearest(name, holder.model_names())
    if not names:
        return AddModelError(f"{holder.root} has no model {name!r}, nor any other; {where_to_go(holder.root)}")
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return AddModelError(f"{holder.root} has no model {name!r}; its models, nearest first: {', '.join(names[:_MOST])}{more}")  # fmt: skip
