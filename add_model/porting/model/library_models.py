"""The models of a library, by name, and which of them may have been meant by a name that is none of theirs."""

from __future__ import annotations

from add_model.errors import AddModelError
from add_model.library import Library
from add_model.nearby import where_to_go
from add_model.nearest import nearest
from add_model.references import registry_of
from add_model.state import STATE_FOLDER

# So many names fit into a line that somebody reads.
_MOST = 12


def has_registry(library: Library) -> bool:
    """Whether the library has a registry of ours."""
    try:
        return library.registry.is_file()
    except AddModelError:
        return False


def model_names(library: Library) -> list[str]:
    """The models that the library's registry lists, or that `like` wrote there."""
    listed = registry_of(library).model_types if has_registry(library) else []
    made = [path.name for path in (library.root / STATE_FOLDER / "models").glob("*") if path.is_dir()]
    return sorted({*listed, *made})


def no_such_model(library: Library, name: str) -> AddModelError:
    """What to say where a library has no model of this name: those that it has, the nearest first, or where to go."""
    names = nearest(name, model_names(library))
    if not names:
        return AddModelError(f"{library.root} has no model {name!r}, nor any other; {where_to_go(library.root)}")
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return AddModelError(f"{library.root} has no model {name!r}; its models, nearest first: {', '.join(names[:_MOST])}{more}")  # fmt: skip
