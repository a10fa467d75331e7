"""The names that a part of a syntax tree has for itself: what a body binds, what a target does, what an annotation quotes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from add_model.copies.language.parsing import parse

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def quoted_in(annotation: ast.expr) -> Iterator[ast.expr]:
    """What the quotes in an annotation hold, but for those in `Literal` and in what `Annotated` adds."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            inside = parse(annotation.value.strip()).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        if len(inside) == 1 and isinstance(inside[0], ast.Expr):
            yield ast.fix_missing_locations(ast.copy_location(inside[0].value, annotation))
    elif isinstance(annotation, ast.Subscript):
        called = ast.unparse(annotation.value).rpartition(".")[2]
        inner = annotation.slice
        elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        for element in () if called == "Literal" else elements[:1] if called == "Annotated" else elements:
            yield from quoted_in(element)
    elif isinstance(annotation, (ast.BinOp, ast.List, ast.Tuple)):
        for part in ast.iter_child_nodes(annotation):
            if isinstance(part, ast.expr):
                yield from quoted_in(part)


def targets(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def bound_in(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """The names that a function's body binds, less what binds others in it; and those that it says are global."""
    bound: set[str] = set()
    outside: set[str] = set()
    nonlocals: set[str] = set()
    pending: list[tuple[ast.AST, bool]] = [(node, False) for node in body]
    while pending:
        node, in_comprehension = pending.pop()
        inner = in_comprehension or isinstance(node, Comprehension)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
            # What stands in its header belongs to the function around it, where `:=` may bind.
            pending += [(part, inner) for part in node.decorator_list]
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            (outside if isinstance(node, ast.Global) else nonlocals).update(node.names)
        elif isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
            bound.add(node.target.id)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)) and not in_comprehension:
            bound.add(node.id)
        elif isinstance(node, ast.Import):
            bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            bound.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name is not None:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest is not None:
            bound.add(node.rest)
        elif isinstance(alias := getattr(node, "name", None), ast.Name):
            bound.add(alias.id)
            continue
        pending += [(part, inner) for part in ast.iter_child_nodes(node)]
    return bound - outside - nonlocals, outside
