"""The files around the model code, rendered from Jinja templates in a sandbox.

`templates/library` holds what a new library is laid down with, `templates/model` what every model gets; below
`templates/out_of_tree` is what of either only packages have that depend on Transformers. A file's path below its group
is its path in the library; `NAME` in it stands for the model's snake_case name. Templates of the same
path in the user's own folder (`templates = "..."` in `[tool.add-model]`) win over the bundled ones, and further ones
are written as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from add_model.boundary import ensure_inside
from add_model.errors import AddModelError
from add_model.scaffold.surroundings.confined import confined

SUFFIX = ".jinja"
_MOST_BYTES = 500_000
NAME_IN_PATH = "NAME"
# What several templates include, and what is no file by itself.
_PARTS = "parts"


def bundled_folder() -> Path:
    """Where the bundled templates lie: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).parents[2]
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def render_folder(
    groups: Sequence[str], values: Mapping[str, Any], name: str, own: Path | None
) -> Iterator[tuple[PurePosixPath, str]]:
    """Renders every template of some groups (`library`, `model`): its path in the library, and its text.

    Args:
        groups: the groups; of templates of the same path that of the first wins.
        values: what the templates can use.
        name: the model's name.
        own: the folder with the user's own templates, if there is one; they win over the bundled ones.

    Raises:
        AddModelError: a template fails, refers to something unknown, or tries to leave the sandbox.
    """
    if own is not None and not own.is_dir():
        raise AddModelError(f"{own}: no such folder; make it, or take `templates` out of [tool.add-model]")
    if own is not None:
        for place in (*groups, _PARTS):
            ensure_inside(own, own / place)
    folders = [folder / group for folder in (own, bundled_folder()) if folder is not None for group in groups]
    parts = [folder / _PARTS for folder in (own, bundled_folder()) if folder is not None]
    environment = ImmutableSandboxedEnvironment(
        loader=_Loader([str(folder) for folder in (*folders, *parts)]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    paths = {path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob(f"*{SUFFIX}")}

    def render() -> list[tuple[str, str]]:
        return [(path, _rendered(environment, path, values, folders)) for path in sorted(paths)]

    # A sandbox keeps a template from what is none of its business, and not from working for ever.
    for path, text in render() if own is None else confined(render, f"the templates in {own}"):
        yield PurePosixPath(path.removesuffix(SUFFIX).replace(NAME_IN_PATH, name)), text


class _Loader(FileSystemLoader):
    """Reads templates, and does not follow a symbolic link out of their folder."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        for folder in self.searchpath:
            _refuse_odd(Path(folder, template))
        source, path, is_up_to_date = super().get_source(environment, template)
        for folder in self.searchpath:
            if Path(path).is_relative_to(folder):
                ensure_inside(Path(folder), Path(path))
        return source, path, is_up_to_date


def _refuse_odd(path: Path) -> None:
    """Raises an error for a template that is no regular file, or larger than any is."""
    if path.exists() and not path.is_file():
        raise AddModelError(f"template {path}: is not a regular file; take it away and run again")
    if path.exists() and path.stat().st_size > _MOST_BYTES:
        raise AddModelError(f"template {path}: is larger than {_MOST_BYTES // 1000} kB; split it and run again")


def _rendered(
    environment: ImmutableSandboxedEnvironment, path: str, values: Mapping[str, Any], folders: list[Path]
) -> str:
    source = next(folder / path for folder in folders if os.path.lexists(folder / path))
    try:
        return environment.get_template(path).render(values)
    except TemplateSyntaxError as error:
        raise AddModelError(f"template {source}:{error.lineno}: {error.message}; mend it and run again") from error
    except SecurityError as error:
        raise AddModelError(f"template {source}: tries to leave the sandbox: {error}; take that out and run again") from error  # fmt: skip
    except TemplateNotFound as error:
        raise AddModelError(f"template {source}: needs {error.name}, which is not among the templates, or outside their folder; mend it and run again") from error  # fmt: skip
    except TemplateError as error:
        raise AddModelError(f"template {source}: {error.message or error}; mend it and run again") from error
    except AddModelError:
        raise
    except Exception as error:
        # A template is a program: whatever it raises is a fault in it, to be named rather than to crash on.
        raise AddModelError(f"template {source}: fails with {type(error).__name__}: {error}; mend it and run again") from error  # fmt: skip
