"""What a model's package exports beyond what its reference does: a tokenizer or an image processor that the reference has not."""

from __future__ import annotations

import ast

from add_model.syntax_tree import syntax_tree


def with_export(text: str, module: str, name: str) -> str:
    """The `__init__.py` of a model with one more class of one of its modules, at its sorted place; as it is if it is there.

    Args:
        text: imports from the model's modules, and `__all__`, a name a line.
        module: the module's name.
        name: the class's.
    """
    tree = syntax_tree(text)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [element for node in tree.body if isinstance(node, ast.Assign) for element in ast.walk(node.value) if isinstance(element, ast.Constant)]  # fmt: skip
    if any(alias.name == name for node in imports for alias in node.names) or not imports or not names:
        return text
    lines = text.splitlines(keepends=True)
    # From the end on, so that what comes before keeps its place.
    behind = next((each.lineno for each in names if str(each.value) > name), names[-1].lineno + 1)
    lines.insert(behind - 1, f'    "{name}",\n')
    after = next((node.lineno for node in imports if str(node.module) > module), int(imports[-1].end_lineno or 0) + 1)
    lines.insert(after - 1, f"from .{module} import {name}\n")
    return "".join(lines)
