"""Files that are written for a model after it has been made, from the bundled templates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from add_model.visible import visible

_GROUP = "porting"
_SUFFIX, _PAGE = ".jinja", ".html"


def rendered(name: str, values: Mapping[str, Any]) -> str:
    """A bundled template with its values in their places."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    package = Path(__file__).parents[1]
    installed = package / "templates"
    folder = (installed if installed.is_dir() else package.parent / "templates") / _GROUP
    is_page = name.endswith(_PAGE)
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(str(folder)),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # What a page shows of a model and of its files is anybody's text.
        autoescape=is_page,
        finalize=_shown if is_page else None,
    )
    return environment.get_template(f"{name}{_SUFFIX}").render(values)


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) else value
