"""Taking parts out of a module: the classes of heads that were not chosen, and whatever only they needed.

A mention of a dropped name takes the smallest thing with it that can go on its own: an import, an element of a
tuple, list or dict, a statement of a class body or a module, a method, a whole definition. What something referred
to before and nothing refers to afterwards goes as well: helper classes, imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import TypeVar

import libcst
from libcst.helpers import get_full_name_for_node

from add_model.exactly import exactly
from add_model.syntax_tree import syntax_tree

_Node = TypeVar("_Node", bound=libcst.CSTNode)
_Element = TypeVar("_Element", libcst.BaseElement, libcst.BaseDictElement)
_Statement = libcst.SimpleStatementLine | libcst.BaseCompoundStatement


def without_names(text: str, dropped: Set[str], keep: Set[str] = frozenset()) -> tuple[str, frozenset[str]]:
    """Takes every mention of the dropped names out of a module.

    Args:
        text: the module's source.
        dropped: names of classes or functions that are to go.
        keep: names that stay although nothing in the module refers to them any more.

    Returns:
        The remaining source, and the names of the top-level definitions that went.
    """
    defined, gone = _definitions(text), frozenset(dropped)
    if not any(name in text for name in dropped):
        return text, frozenset()
    referred, unused, module = _referred(text), _unused_imports(text), libcst.parse_module(text)
    statements = [(statement, module.code_for_node(statement)) for statement in module.body]
    whole, given_back = text, module.code
    idle: frozenset[str] = frozenset()
    while True:
        statements = list(_visited(module, statements, _Dropper(gone, idle)))
        text = "".join(code for _, code in statements)
        left = _definitions(text)
        orphans = (left & referred) - _referred(text) - keep
        newly_gone = ((defined - left) | orphans) - gone
        idle = _unused_imports(text) - unused
        if not newly_gone and not idle:
            module = module.with_changes(body=[statement for statement, _ in statements])
            code = module.code if statements or module.header else ""
            return exactly(whole, given_back, code), gone & defined
        gone |= newly_gone


def _visited(
    module: libcst.Module, statements: Sequence[tuple[_Statement, str]], dropper: _Dropper
) -> Iterator[tuple[_Statement, str]]:
    """The statements and their source after the dropper; those without one of its names, most of a file, as they are."""
    names = dropper.names | dropper.imports
    for statement, code in statements:
        if not any(name in code for name in names):
            yield statement, code
            continue
        visited = statement.visit(dropper)
        if isinstance(visited, (libcst.SimpleStatementLine, libcst.BaseCompoundStatement)):
            yield visited, module.code_for_node(visited)


@lru_cache(maxsize=4)
def _parsed(text: str) -> ast.Module:
    return syntax_tree(text)


def _definitions(text: str) -> frozenset[str]:
    statements = _parsed(text).body
    return frozenset(node.name for node in statements if isinstance(node, (ast.ClassDef, ast.FunctionDef)))


def _referred(text: str) -> frozenset[str]:
    """The names that the module's statements mention; what a definition says of itself does not count."""
    names: set[str] = set()
    for statement in _parsed(text).body:
        names |= set(_mentions(statement)) - {getattr(statement, "name", None)}
    return frozenset(names)


def _unused_imports(text: str) -> frozenset[str]:
    module = _parsed(text)
    imports = [node for node in ast.walk(module) if isinstance(node, (ast.Import, ast.ImportFrom))]
    bound = {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}
    return frozenset(bound - {name for statement in module.body for name in _mentions(statement)} - {"annotations"})


def _mentions(node: ast.AST) -> Iterator[str]:
    """The names that a statement mentions, in strings too: `__all__` and quoted annotations hold names."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            yield inner.value


class _Dropper(libcst.CSTTransformer):
    """Removes, from the inside out, whatever still mentions one of the names."""

    def __init__(self, names: Set[str], imports: Set[str]) -> None:
        super().__init__()
        self.names = names
        self.imports = imports
        self.functions = 0
        # How many mentions are left below each node on the way down to the one at hand.
        self.mentions = [0]

    def on_visit(self, node: libcst.CSTNode) -> bool:
        self.mentions.append(0)
        return super().on_visit(node)

    def on_leave(
        self, original_node: _Node, updated_node: _Node
    ) -> _Node | libcst.RemovalSentinel | libcst.FlattenSentinel[_Node]:
        left = super().on_leave(original_node, updated_node)
        mentions = self.mentions.pop()
        if left is not libcst.RemovalSentinel.REMOVE:
            self.mentions[-1] += mentions
        return left

    def visit_Name(self, node: libcst.Name) -> None:
        self.mentions[-1] += node.value in self.names

    def visit_SimpleString(self, node: libcst.SimpleString) -> None:
        self.mentions[-1] += node.evaluated_value in self.names

    def leave_Element(self, original_node: libcst.Element, updated_node: libcst.Element) -> libcst.Element | libcst.RemovalSentinel:  # fmt: skip
        return libcst.RemoveFromParent() if self.mentions[-1] else updated_node

    def leave_Tuple(self, original_node: libcst.Tuple, updated_node: libcst.Tuple) -> libcst.Tuple:
        elements = _closed(original_node.elements, updated_node.elements)
        return updated_node.with_changes(elements=elements) if elements or not original_node.elements else libcst.Tuple([])  # fmt: skip

    def leave_List(self, original_node: libcst.List, updated_node: libcst.List) -> libcst.List:
        elements = _closed(original_node.elements, updated_node.elements)
        return updated_node.with_changes(elements=elements) if elements or not original_node.elements else libcst.List([])  # fmt: skip

    def leave_DictElement(self, original_node: libcst.DictElement, updated_node: libcst.DictElement) -> libcst.DictElement | libcst.RemovalSentinel:  # fmt: skip
        return libcst.RemoveFromParent() if self.mentions[-1] else updated_node

    def leave_Dict(self, original_node: libcst.Dict, updated_node: libcst.Dict) -> libcst.Dict:
        elements = _closed(original_node.elements, updated_node.elements)
        return updated_node.with_changes(elements=elements) if elements or not original_node.elements else libcst.Dict([])  # fmt: skip

    def leave_ImportFrom(self, original_node: libcst.ImportFrom, updated_node: libcst.ImportFrom) -> libcst.ImportFrom | libcst.RemovalSentinel:  # fmt: skip
        if isinstance(updated_node.names, libcst.ImportStar):
            return updated_node
        left = self._imports_left(updated_node.names)
        self.mentions[-1] = 0
        if not left:
            return libcst.RemoveFromParent()
        return updated_node.with_changes(names=left) if len(left) < len(updated_node.names) else updated_node

    def leave_Import(self, original_node: libcst.Import, updated_node: libcst.Import) -> libcst.Import | libcst.RemovalSentinel:  # fmt: skip
        left = self._imports_left(updated_node.names)
        return updated_node.with_changes(names=left) if left else libcst.RemoveFromParent()

    def visit_FunctionDef(self, node: libcst.FunctionDef) -> None:
        self.functions += 1

    def leave_FunctionDef(self, original_node: libcst.FunctionDef, updated_node: libcst.FunctionDef) -> libcst.FunctionDef | libcst.RemovalSentinel:  # fmt: skip
        self.functions -= 1
        if self.functions == 0 and self.mentions[-1]:
            return libcst.RemoveFromParent()
        return updated_node

    def leave_ClassDef(self, original_node: libcst.ClassDef, updated_node: libcst.ClassDef) -> libcst.ClassDef | libcst.RemovalSentinel:  # fmt: skip
        if self.functions == 0 and self.mentions[-1]:
            return libcst.RemoveFromParent()
        return updated_node

    def leave_SimpleStatementLine(self, original_node: libcst.SimpleStatementLine, updated_node: libcst.SimpleStatementLine) -> libcst.SimpleStatementLine | libcst.RemovalSentinel:  # fmt: skip
        if not updated_node.body or (self.functions == 0 and self.mentions[-1]):
            return libcst.RemoveFromParent()
        return updated_node

    def _imports_left(self, aliases: Sequence[libcst.ImportAlias]) -> list[libcst.ImportAlias]:
        left = [alias for alias in aliases if not ({_bound(alias), get_full_name_for_node(alias.name)} & (self.names | self.imports))]  # fmt: skip
        if left and len(left) < len(aliases):
            left[-1] = left[-1].with_changes(comma=libcst.MaybeSentinel.DEFAULT)
        return left


def _closed(before: Sequence[_Element], after: Sequence[_Element]) -> list[_Element]:
    """The elements that are left; the last one is followed by what the last one was followed by before."""
    left = list(after)
    if left and len(left) < len(before):
        left[-1] = left[-1].with_changes(comma=before[-1].comma)
    return left


def _bound(alias: libcst.ImportAlias) -> str:
    name = alias.asname.name if alias.asname is not None else alias.name
    return (get_full_name_for_node(name) or "").split(".")[0]
