"""Which names a module binds, and which its code looks up there: what would be a `NameError`, told without running it.

Scopes are Python's: a function sees its own names and those of the functions around it, a class body those that it has
bound so far, its methods none of them, a comprehension is a function but for its first iterable, and `global` leads out
of all of these. Annotations are looked up as any other name, unless the module defers them, or a checker alone reads
them, as it does those of variables in a function, and those in quotes.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from add_model.copies.language.parsing import parse
from add_model.copies.reading.own_names import Comprehension, bound_in, quoted_in, targets
from add_model.lexical import holds_more_tokens

# Those that a newer Python knows, and those that every module or class has.
_LATER = {"BaseExceptionGroup", "EncodingWarning", "ExceptionGroup", "PythonFinalizationError", "aiter", "anext"}
_IMPLICIT = {"__annotations__", "__builtins__", "__cached__", "__class__", "__dict__", "__doc__", "__file__", "__loader__", "__module__", "__name__", "__package__", "__path__", "__qualname__", "__spec__"}  # fmt: skip
BUILTINS = frozenset(dir(builtins)) | _LATER | _IMPLICIT | {"WindowsError", "reveal_type"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


# What parsing takes is memory, some hundred bytes for each.
_MOST_TOKENS = 400_000


class Use(NamedTuple):
    """A name that is looked up in the module's scope.

    Attributes:
        name: the name.
        line: on which line, 1-based.
        at_once: whether that happens while the module is imported, and not in a function that is called later.
        for_checkers: whether it never happens when the module runs.
    """

    name: str
    line: int
    at_once: bool
    for_checkers: bool


class Binding(NamedTuple):
    """A statement that binds a name in the module's scope.

    Attributes:
        name: the name.
        node: the statement, or the part of one, that binds it.
        around: the statements around it, outermost first, each with the name of its part that holds the next.
        in_function: whether a function does so, by `global`.
    """

    name: str
    node: ast.AST
    around: tuple[tuple[ast.stmt, str], ...] = ()
    in_function: bool = False

    @property
    def is_for_checkers(self) -> bool:
        """Whether it stands below `if TYPE_CHECKING`."""
        return any(isinstance(node, ast.If) and part == "body" and is_for_checkers(node) for node, part in self.around)

    @property
    def line(self) -> int:
        """The line that it starts on, 1-based."""
        return getattr(self.node, "lineno", 1)


class Scopes(NamedTuple):
    """A module's names.

    Attributes:
        tree: its syntax tree.
        bindings: what binds each name in the module's scope, in order.
        uses: what is looked up there, in order.
        stars: the statements that import whatever another module has.
    """

    tree: ast.Module
    bindings: dict[str, list[Binding]]
    uses: list[Use]
    stars: list[ast.ImportFrom]

    def binds(self, name: str, for_checkers: bool = False) -> bool:
        """Whether the module binds a name when it runs; or, at least, as a type checker reads it."""
        return any(for_checkers or not binding.is_for_checkers for binding in self.bindings.get(name, ()))

    @property
    def unbound(self) -> dict[str, list[Use]]:
        """What is looked up and not bound, nor known to every module."""
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            if not self.binds(use.name, use.for_checkers) and use.name not in BUILTINS:
                found.setdefault(use.name, []).append(use)
        return found


# A fix asks about the same texts in every round.
@functools.lru_cache(maxsize=64)
def scopes_of(text: str) -> Scopes | None:
    """The names of a module; `None` for one that this Python cannot read."""
    if holds_more_tokens(text, _MOST_TOKENS):
        return None
    try:
        tree = parse(text)
        walk = _Walk(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Scopes(tree, walk.bindings, walk.uses, walk.stars)


def is_for_checkers(node: ast.If) -> bool:
    """Whether a condition holds for type checkers only."""
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING")


class _Kind(Enum):
    FUNCTION = 0
    CLASS = 1
    COMPREHENSION = 2


class _Scope:
    """Where names are looked up: a function's locals, or what a class body has bound so far; and those that it says are global."""

    def __init__(self, kind: _Kind, names: Iterable[str] = (), outside: Iterable[str] = ()) -> None:
        self.kind, self.names, self.outside = kind, set(names), frozenset(outside)


class _Walk(ast.NodeVisitor):
    """Visits every statement of a module in order."""

    def __init__(self, tree: ast.Module) -> None:
        self.bindings: dict[str, list[Binding]] = {}
        self.uses: list[Use] = []
        self.stars: list[ast.ImportFrom] = []
        self._scopes: list[_Scope] = []
        self._functions = 0
        self._for_checkers = False
        self._around: list[tuple[ast.stmt, str]] = []
        self._defers = any(
            isinstance(node, ast.ImportFrom) and node.module == "__future__" and alias.name == "annotations"
            for node in tree.body
            for alias in (node.names if isinstance(node, ast.ImportFrom) else ())
        )
        self._visit_all(tree.body)

    # What holds statements.

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        """The parts of a node in their order; those of a statement know what they stand in."""
        for field, value in ast.iter_fields(node):
            parts = value if isinstance(value, list) else [value]
            for part in (part for part in parts if isinstance(part, ast.AST)):
                if isinstance(node, ast.stmt) and not self._scopes:
                    self._around.append((node, field))
                    self.visit(part)
                    self._around.pop()
                else:
                    self.visit(part)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """A long sum is nested as deeply as it is long."""
        parts: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            parts.append(left.right)
            left = left.left
        self._visit_all([left, *reversed(parts)])

    def visit_If(self, node: ast.If) -> None:
        """What stands below `if TYPE_CHECKING` never runs."""
        before = self._for_checkers
        self._for_checkers = before or is_for_checkers(node)
        for part in [node.test, *node.body]:
            self._visit_below(node, "body", part)
        self._for_checkers = before
        for part in node.orelse:
            self._visit_below(node, "orelse", part)

    def _visit_below(self, node: ast.stmt, field: str, part: ast.AST) -> None:
        self._around.append((node, field))
        self.visit(part)
        self._around.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Decorators and defaults are looked up outside of it."""
        self._visit_all(node.decorator_list)
        self._bind(node.name, node)
        with_parameters = self._with_type_parameters(node)
        self._visit_function(node, node.body)
        self._leave(with_parameters)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """The same."""
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A function of one expression."""
        self._visit_function(node, [node.body])

    def _visit_function(self, node: _Function, body: Sequence[ast.AST]) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *filter(None, [arguments.vararg]), *arguments.kwonlyargs, *filter(None, [arguments.kwarg])]  # fmt: skip
        self._visit_all([*arguments.defaults, *filter(None, arguments.kw_defaults)])
        for argument in every:
            self._visit_annotation(argument.annotation, self._defers)
        if not isinstance(node, ast.Lambda):
            self._visit_annotation(node.returns, self._defers)
        names, outside = bound_in(body)
        self._scopes.append(_Scope(_Kind.FUNCTION, {argument.arg for argument in every} - outside | names, outside))
        self._functions += 1
        self._visit_all(body)
        self._functions -= 1
        self._scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Its body binds names of its own, one after the other."""
        self._visit_all(node.decorator_list)
        with_parameters = self._with_type_parameters(node)
        self._visit_all([*node.bases, *node.keywords])
        self._scopes.append(_Scope(_Kind.CLASS, outside=bound_in(node.body)[1]))
        self._visit_all(node.body)
        self._scopes.pop()
        self._leave(with_parameters)
        self._bind(node.name, node)

    def _with_type_parameters(self, node: ast.AST) -> bool:
        """Enters the scope of the type parameters of a definition, if it has any."""
        parameters = getattr(node, "type_params", ())
        if parameters:
            self._scopes.append(_Scope(_Kind.FUNCTION, {parameter.name for parameter in parameters}))
            self._functions += 1
            self._visit_all(parameters)
        return bool(parameters)

    def _leave(self, entered: bool) -> None:
        if entered:
            self._scopes.pop()
            self._functions -= 1

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """`type A[T] = ...`, whose value is looked up when somebody asks for it."""
        name: ast.Name = node.name  # type: ignore[attr-defined]
        self._bind(name.id, node)
        entered = self._with_type_parameters(node)
        self._functions += 1
        self.visit(node.value)  # type: ignore[attr-defined]
        self._functions -= 1
        self._leave(entered)

    def _visit_comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        names = {name for each in node.generators for name in targets(each.target)}
        self._scopes.append(_Scope(_Kind.COMPREHENSION, names))
        for part in (first.target, *first.ifs, *others):
            self.visit(part)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self._visit_all(parts)
        self._scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    # What binds and uses names.

    def visit_Name(self, node: ast.Name) -> None:
        """A use, or the target of an assignment."""
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, node.lineno)
        elif isinstance(node.ctx, ast.Store) and not (self._scopes and node.id in self._scopes[-1].names):
            self._bind(node.id, node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """What is assigned is looked up before the target is bound."""
        self.visit(node.value)
        self._bind(node.target.id, node)

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b` binds `a`."""
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from a import b as c` binds `c`, and `*` nobody knows what."""
        if any(alias.name == "*" for alias in node.names):
            self.stars.append(node)
        elif node.module != "__future__" or node.level:
            for alias in node.names:
                self._bind(alias.asname or alias.name, node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """What is assigned is looked up before the target is bound."""
        self.visit(node.value)
        self._visit_all(node.targets)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """The same of a loop."""
        self.visit(node.iter)
        for part in (node.target, *node.body):
            self._visit_below(node, "body", part)
        for part in node.orelse:
            self._visit_below(node, "orelse", part)

    visit_AsyncFor = visit_For

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Its target is looked up, too."""
        if isinstance(node.target, ast.Name):
            self._use(node.target.id, node.lineno)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An annotation without a value binds nothing; those of a function's variables are never looked up."""
        in_function = bool(self._scopes) and self._scopes[-1].kind is not _Kind.CLASS
        self._visit_annotation(node.annotation, self._defers or in_function)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """The error has a name below its line only."""
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            self._bind(node.name, node)
        self._visit_all(node.body)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """A pattern binds what it captures."""
        self._bind_captured(node.name, node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """The same."""
        self._bind_captured(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """The same."""
        self._bind_captured(node.rest, node)

    def _bind_captured(self, name: str | None, node: ast.AST) -> None:
        self.generic_visit(node)
        if name is not None:
            self._bind(name, node)

    def _visit_annotation(self, node: ast.expr | None, is_deferred: bool) -> None:
        if node is None:
            return
        before, self._for_checkers = self._for_checkers, self._for_checkers or is_deferred
        self.visit(node)
        self._for_checkers = True
        for quoted in quoted_in(node):
            self.visit(quoted)
        self._for_checkers = before

    def _bind(self, name: str, node: ast.AST) -> None:
        # What is bound in a comprehension by `:=` belongs to what is around it.
        scopes = [scope for scope in self._scopes if scope.kind is not _Kind.COMPREHENSION]
        if scopes and name not in scopes[-1].outside:
            scopes[-1].names.add(name)
            return
        binding = Binding(name, node, tuple(self._around), in_function=self._functions > 0)
        self.bindings.setdefault(name, []).append(binding)

    def _use(self, name: str, line: int) -> None:
        for depth, scope in enumerate(reversed(self._scopes)):
            if name in scope.outside:
                break
            if name in scope.names and (scope.kind is not _Kind.CLASS or depth == 0):
                return
        self.uses.append(Use(name, line, self._functions == 0, self._for_checkers))
