"""The `__init__.py` of a model folder, when some of the reference's modules are left out and others' take their place.

4.x lists the names of every module, each list below a `try` that asks for the libraries it needs, and once more for type
checkers; 5.x imports `*` from each module for type checkers, and finds out the rest by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import libcst
from libcst import matchers

from add_model.exactly import exactly

_STRUCTURE = "_import_structure"
_Statement = libcst.SimpleStatementLine | libcst.BaseCompoundStatement


def without_modules(text: str, modules: Set[str]) -> str:
    """The package file without what it says of these modules."""
    package = libcst.parse_module(text)
    return exactly(text, package.code, package.visit(_Picker(lambda module: module not in modules)).code)


def with_modules(text: str, other: str, modules: Set[str]) -> str:
    """The package file with what another one says of these modules.

    Args:
        text: the file, which says nothing of them.
        other: the package file that does.
        modules: their names.
    """
    package = libcst.parse_module(text)
    lists, imports = _parts(libcst.parse_module(other).visit(_Picker(lambda module: module in modules)))
    body: list[_Statement] = []
    asked = {node.value for part in lists for node in matchers.findall(part, _AVAILABLE) if isinstance(node, libcst.Name)}  # fmt: skip
    missing = asked - {node.value for node in matchers.findall(package, _AVAILABLE) if isinstance(node, libcst.Name)}
    for statement in package.body:
        if _is_for_type_checkers(statement):
            # Where a formatter sorts imports, this line is joined with the one that has the other such functions.
            body += [libcst.parse_statement(f"from ...utils import {', '.join(sorted(missing))}")] if missing else []
            body += lists
            statement = _with_imports(libcst.ensure_type(statement, libcst.If), imports)
        body.append(statement)
    return exactly(text, package.code, package.with_changes(body=body).code)


def _parts(package: libcst.Module) -> tuple[list[_Statement], Sequence[libcst.BaseStatement]]:
    """What a package file says of the modules that are left in it: their lists of names, and their imports."""
    lists: list[_Statement] = []
    imports: Sequence[libcst.BaseStatement] = []
    for statement in package.body:
        if _is_for_type_checkers(statement):
            imports = libcst.ensure_type(statement, libcst.If).body.body  # type: ignore[assignment]
        elif isinstance(statement, libcst.Try):
            lists.append(statement)
        elif isinstance(statement, libcst.SimpleStatementLine):
            lists += _assignments(statement)
    return lists, imports


def _assignments(statement: libcst.SimpleStatementLine) -> list[_Statement]:
    """The entries of the literal that the lists start with, as assignments of their own; other such lines as they are."""
    if matchers.matches(statement, _line(matchers.Assign(targets=[matchers.AssignTarget(_ENTRY)]))):
        return [statement]
    if not matchers.matches(statement, _line(matchers.Assign(value=matchers.Dict()))):
        return []
    literal = libcst.ensure_type(libcst.ensure_type(statement.body[0], libcst.Assign).value, libcst.Dict)
    target = libcst.Name(_STRUCTURE)
    found: list[_Statement] = []
    for element in literal.elements:
        if isinstance(element, libcst.DictElement):
            place = libcst.Subscript(target, [libcst.SubscriptElement(libcst.Index(element.key))])
            found.append(libcst.SimpleStatementLine([libcst.Assign([libcst.AssignTarget(place)], element.value)]))
    return found


def _line(statement: matchers.Assign) -> matchers.SimpleStatementLine:
    return matchers.SimpleStatementLine(body=[statement])


_AVAILABLE = matchers.Name(matchers.MatchIfTrue(lambda name: name.startswith("is_") and name.endswith("_available")))
_ENTRY = matchers.Subscript(value=matchers.Name(_STRUCTURE))


def _is_for_type_checkers(statement: libcst.BaseStatement) -> bool:
    return matchers.matches(statement, matchers.If(test=matchers.Name("TYPE_CHECKING")))


def _with_imports(statement: libcst.If, imports: Sequence[libcst.BaseStatement]) -> libcst.If:
    block = libcst.ensure_type(statement.body, libcst.IndentedBlock)
    kept = [line for line in block.body if not matchers.matches(line, matchers.SimpleStatementLine([matchers.Pass()]))]
    return statement.with_changes(body=block.with_changes(body=[*kept, *imports]))


class _Picker(libcst.CSTTransformer):
    """Takes out whatever speaks of a module that is not wanted; what speaks of none stays."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        super().__init__()
        self.is_wanted = is_wanted

    def leave_SimpleStatementLine(
        self, original_node: libcst.SimpleStatementLine, updated_node: libcst.SimpleStatementLine
    ) -> libcst.SimpleStatementLine | libcst.RemovalSentinel:
        module = _module_of(updated_node)
        return updated_node if module is None or self.is_wanted(module) else libcst.RemoveFromParent()

    def leave_DictElement(
        self, original_node: libcst.DictElement, updated_node: libcst.DictElement
    ) -> libcst.DictElement | libcst.RemovalSentinel:
        key = updated_node.key
        name = key.evaluated_value if isinstance(key, libcst.SimpleString) else None
        return updated_node if not isinstance(name, str) or self.is_wanted(name) else libcst.RemoveFromParent()

    def leave_Try(self, original_node: libcst.Try, updated_node: libcst.Try) -> libcst.Try | libcst.RemovalSentinel:
        is_empty = updated_node.orelse is not None and not updated_node.orelse.body.body
        return libcst.RemoveFromParent() if is_empty else updated_node

    def leave_If(self, original_node: libcst.If, updated_node: libcst.If) -> libcst.If:
        if updated_node.body.body:
            return updated_node
        line = libcst.SimpleStatementLine([libcst.Pass()])
        return updated_node.with_changes(body=updated_node.body.with_changes(body=[line]))


def _module_of(statement: libcst.SimpleStatementLine) -> str | None:
    """The module of the folder that a line exports names of."""
    line = statement.body[0]
    if isinstance(line, libcst.ImportFrom) and len(line.relative) == 1 and isinstance(line.module, libcst.Name):
        return line.module.value
    target: libcst.CSTNode | None = None
    if isinstance(line, libcst.Assign):
        target = line.targets[0].target
    elif isinstance(line, libcst.Expr) and isinstance(line.value, libcst.Call):
        target = line.value.func.value if isinstance(line.value.func, libcst.Attribute) else None
    if isinstance(target, libcst.Subscript) and matchers.matches(target, _ENTRY):
        index = target.slice[0].slice
        key = index.value if isinstance(index, libcst.Index) else None
        value = key.evaluated_value if isinstance(key, libcst.SimpleString) else None
        return value if isinstance(value, str) else None
    return None
