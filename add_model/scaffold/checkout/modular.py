"""`--style modular`: a file in which each class derives from the reference's, and the single files that follow from it.

A modular file says only what is new; what it says nothing about follows from the reference. Right after its birth that
is everything, so that its single files are the reference's, renamed. They carry no markers: what keeps them in step is
the library's own converter, which writes them anew from the modular file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from add_model.copies.language.marker import without_markers
from add_model.errors import AddModelError
from add_model.references import read_text
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.modules import NewModule, banner_of, without_banner
from add_model.scaffold.checkout.plan import CheckoutPlan, Source

# The files that the library's converter writes from a modular one, each followed by the folder's name.
_KINDS = "configuration modeling tokenization processing image_processing feature_extraction video_processing".split()
_BAR = f"#{' ' * 16}{'🚨' * 48}"
_LONGEST_LINE = 119
_CONVERTER = "utils/modular_model_converter.py"


@dataclass(frozen=True)
class _Derived:
    """A class of the modular file: its name, the reference's, and the module that defines that one."""

    name: str
    base: str
    module: str


def is_from_modular(source: Source) -> bool:
    """Whether a file of the new folder is one of those that follow from its modular file."""
    folder = source.renaming.reference.folder.name
    return source.file.path.stem in {f"{kind}_{folder}" for kind in _KINDS} and _derived(source) != []


def modular_text(plan: CheckoutPlan) -> str:
    """The text of the modular file: each class of the files that follow from it, deriving from the reference's.

    A class that the new model calls as the reference does is left out: it comes along with those that use it.

    Raises:
        AddModelError: the reference has no file that could follow from a modular one.
    """
    sources = [source for source in plan.sources if is_from_modular(source)]
    if not any(source.file.kind == "modeling" for source in sources):
        folder = plan.reference.folder.name
        raise AddModelError(f"--style modular: {folder} has no modeling_{folder}.py that could follow from a modular file; leave --style out")  # fmt: skip
    derived = [found for source in sources for found in _derived(source)]
    licence = _licence(sources[0].file.text)
    imports = sorted({found.module for found in derived})
    lines = [
        *(_import(module, sorted(found.base for found in derived if found.module == module)) for module in imports),
        "\n",
        *(f"\nclass {found.name}({found.base}):\n    pass\n\n" for found in derived),
        "\n__all__ = [\n",
        *(f'    "{name}",\n' for name in _exported(plan, {found.name for found in derived})),
        "]\n",
    ]
    return licence + "".join(lines)


def single_module(source: Source, name: str, checkout: Checkout) -> NewModule:
    """One of the files that follow from the modular file: the reference's, renamed, and saying where it comes from.

    Args:
        source: the reference's file.
        name: the new model's name.
        checkout: the tree, whose converter says it at the top of each such file.
    """
    text = source.renaming.rename_text(without_banner(without_markers(source.file.text)))
    return NewModule(source.renaming.path(source.file.path), generated_banner(checkout, name) + text, ())


def converter_command(plan: CheckoutPlan) -> str | None:
    """How the files that follow are written anew by the tree's own converter; `None` where it has none."""
    root = plan.checkout.root
    if not (root / _CONVERTER).is_file():
        return None
    path = (plan.folder / f"modular_{plan.name.snake}.py").relative_to(root).as_posix()
    return f"python {_CONVERTER} --files_to_parse {path}"


def _derived(source: Source) -> list[_Derived]:
    package = "." * 2 + source.renaming.reference.package.removeprefix("transformers.models.")
    module = f"{package}.{source.file.path.stem}"
    names = [node.name for node in source.file.tree.body if isinstance(node, ast.ClassDef)]
    renamed = ((source.renaming.identifier(name), name) for name in names)
    return [_Derived(new, old, module) for new, old in renamed if new != old]


def _exported(plan: CheckoutPlan, derived: set[str]) -> Iterator[str]:
    for name in sorted(plan.renaming.classes.values()):
        if name in derived:
            yield name


def _import(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= _LONGEST_LINE:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"


def _licence(text: str) -> str:
    """The comment that a file begins with."""
    lines = without_banner(text).splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join([*lines[:end], "\n"]) if end else ""


def generated_banner(checkout: Checkout, name: str) -> str:
    """What stands at the top of a file that follows from a model's modular file: as in the tree's other such files."""
    for modular in sorted(checkout.models_folder.glob("*/modular_*.py")):
        other = modular.stem.removeprefix("modular_")
        single = modular.with_name(f"modeling_{other}.py")
        found = banner_of(read_text(single)) if single.is_file() else ""
        if found:
            folder = found.replace(f"models/{modular.parent.name}/modular_", f"models/{name}/modular_")
            return folder.replace(modular.name, f"modular_{name}.py")
    return _banner(name)


def _banner(name: str) -> str:
    """What the library's converter and checks know such a file by: the first line within the bars."""
    return (
        f"{_BAR}\n"
        f"#           This file was automatically generated from src/transformers/models/{name}/modular_{name}.py.\n"
        f"#           Edit modular_{name}.py instead: what is changed here is lost when it is generated again.\n"
        f"{_BAR}\n"
    )
