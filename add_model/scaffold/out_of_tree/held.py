"""A model of a package on Transformers, as the workbench asks for it: read from what its folder registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from add_model.errors import AddModelError
from add_model.held_model import HeldModel
from add_model.library import Library
from add_model.names import to_snake
from add_model.references import read_text
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, TOKENIZER_MAPPING, Registry
from add_model.syntax_tree import syntax_tree

_MAPPINGS = {"AutoConfig": CONFIGURATION_MAPPING, "AutoModel": MODEL_MAPPING, "AutoTokenizer": TOKENIZER_MAPPING}
_HEAD = "AutoModelFor"


def find_held_model(library: Library, name: str) -> HeldModel | None:
    """The model whose folder in the package is called so; `None` where there is none.

    Raises:
        AddModelError: its `__init__.py` cannot be read or does not parse.
    """
    folder = library.package_folder / name
    if not name.isidentifier() or not any(folder.glob("modeling_*.py")):
        return None
    registered = list(_registrations(folder / "__init__.py"))
    main = next(
        (arguments[1] for auto, arguments in registered if auto == "AutoConfig" and arguments[0] == name), None
    )
    main = main or next((arguments[1] for auto, arguments in registered if auto == "AutoConfig"), None)
    classes: dict[str, str] = {} if main is None else {CONFIGURATION_MAPPING: main}
    further = []
    auto_classes = {} if main is None else {"AutoConfig": main}
    for auto, arguments in registered:
        if arguments[0] != main:
            continue
        auto_classes.setdefault(auto, arguments[1])
        mapping = _mapping_of(auto)
        if mapping is None:
            continue
        classes.setdefault(mapping, arguments[1])
        if mapping.startswith("MODEL_"):
            further.append(arguments[1])
    return HeldModel(
        library,
        name,
        classes=classes,
        heads=Registry({mapping: {name: found} for mapping, found in classes.items()}).heads(name),
        further_classes=tuple(further),
        folder=folder,
        package=f"{library.package}.{name}",
        shared_code=tuple(path for path in sorted(library.package_folder.glob("*.py")) if path.name != "__init__.py"),
        tests_folder=library.tests_folder / "models" / name,
        shared_tests=tuple(sorted(library.tests_folder.glob("*.py"))),
        docs_page=library.docs_folder / "models" / f"{name}.md",
        model_card=library.docs_folder / "model_cards" / f"{name}.md",
        auto_classes=auto_classes,
    )


def _mapping_of(auto: str) -> str | None:
    """The mapping of a registry of ours that says the same as an auto class."""
    if auto.startswith(_HEAD):
        return f"MODEL_FOR_{to_snake(auto.removeprefix(_HEAD)).upper()}_MAPPING_NAMES"
    return _MAPPINGS.get(auto)


def _registrations(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a module registers: the auto class, what it is registered for, and the class."""
    if not path.is_file():
        return
    text = read_text(path)
    try:
        module = syntax_tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise AddModelError(f"{path}{f':{line}' if line else ''}: does not parse: {error}; mend it and run again") from error  # fmt: skip
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "register":
            continue
        auto = node.func.value
        named = [*node.args, *(keyword.value for keyword in node.keywords if (keyword.arg or "").endswith("_class"))]
        said = [_said(argument) for argument in named]
        known = [text for text in said if text]
        if isinstance(auto, ast.Name) and auto.id.startswith("Auto") and len(known) > 1:
            yield auto.id, (known[0], known[1])


def _said(argument: ast.expr) -> str:
    """A name or a string; empty for anything else."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return argument.id if isinstance(argument, ast.Name) else ""
