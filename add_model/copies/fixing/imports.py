"""Where a name of a module comes from, as the import that brings it into another module."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from add_model.copies.fixing.modules import Home, Modules
from add_model.copies.fixing.scopes import BUILTINS, Binding, Scopes
from add_model.errors import AddModelError
from add_model.syntax_tree import syntax_tree


class NoImport(AddModelError):
    """A name that no import brings; says why."""


class Guard(NamedTuple):
    """What an import stands below: a line that opens it, and the lines that close it."""

    opening: str
    closing: str = ""


class Import(NamedTuple):
    """An import, wherever it is going to stand.

    Attributes:
        module: the absolute path of a module.
        name: what is imported from it; empty where it is the module itself.
        bound: the name that it binds.
        guards: what it stands below, the outermost first.
        is_relative: whether it is written relative to where it stands, in a module of the same package.
    """

    module: str
    name: str
    bound: str
    guards: tuple[Guard, ...] = ()
    is_relative: bool = False

    def path_in(self, home: Home | None) -> str:
        """How a module names the one that it imports from."""
        is_near = home is not None and home.top == self.module.partition(".")[0]
        return home.relative(self.module) if home is not None and is_near and self.is_relative else self.module

    def part(self) -> str:
        """What is listed of it behind `import`."""
        name = self.name or self.module
        is_plain = self.bound == (self.name or self.module.partition(".")[0])
        return name if is_plain else f"{name} as {self.bound}"

    def statement(self, home: Home | None) -> str:
        """Its line, without what it stands below."""
        return f"from {self.path_in(home)} import {self.part()}" if self.name else f"import {self.part()}"


# File -> name -> what is about to be imported there under it.
Pending = Mapping[str, Mapping[str, Sequence[Import]]]
FOR_CHECKERS = Guard("if TYPE_CHECKING:")
TYPE_CHECKING = Import("typing", "TYPE_CHECKING", "TYPE_CHECKING")


def imports_of(name: str, bound: str, path: str, modules: Modules, pending: Pending) -> list[Import] | None:
    """The imports that bring what a module calls by a name, under another; `None` where the module knows it no more.

    What the module imports is imported from where it has it; what it defines is imported from the module itself.

    Args:
        name: the name in the module.
        bound: the name to give it.
        path: the file of the module.
        modules: how modules are read.
        pending: the imports that are about to be written.

    Raises:
        NoImport: no import brings it.
    """
    scopes, home = modules.scopes(path), modules.home(path)
    if scopes is None or home is None:
        raise NoImport("the original's module cannot be read by this Python")
    if name in scopes.bindings:
        return list(_of_bindings(name, bound, _Reading(scopes, home, path, modules, pending)))
    if name in pending.get(path, {}):
        return [known._replace(bound=bound if known.bound == name else known.bound) for known in pending[path][name]]
    answers = [(star, modules.offers(module, name)) for star in scopes.stars if (module := home.absolute(star.level, star.module))]  # fmt: skip
    for star, answer in answers:
        if answer:
            return [Import(home.absolute(star.level, star.module) or "", name, bound, (), star.level > 0)]
    if any(answer is None for _, answer in answers):
        raise NoImport("its original may have it from a `*` import")
    if name in scopes.unbound:
        return None
    raise NoImport("the original has it from the function or class around it")


class _Reading(NamedTuple):
    """A module that is asked for a name."""

    scopes: Scopes
    home: Home
    path: str
    modules: Modules
    pending: Pending


def _of_bindings(name: str, bound: str, reading: _Reading) -> Iterator[Import]:
    every = [binding for binding in reading.scopes.bindings[name] if not binding.in_function]
    bindings = [binding for binding in every if not binding.is_for_checkers] or every
    if not bindings:
        raise NoImport("only a function of the original's module gives it a value")
    plain = [binding for binding in bindings if not binding.around]
    are_imports = all(isinstance(binding.node, (ast.Import, ast.ImportFrom)) for binding in bindings)
    itself = Import(reading.home.dotted, name, bound, is_relative=True)
    if are_imports and plain:
        yield from _last([_imported(name, bound, binding, reading) for binding in plain])
    elif plain or _always_bound(reading.scopes.tree.body, {id(binding.node) for binding in bindings}):
        yield itself
    elif len(bindings) > 1:
        raise NoImport("its original has it from several places, each on a condition")
    else:
        (binding,) = bindings
        guards = tuple(_guard(*around) for around in binding.around)
        yield from _needed_by(guards, reading)
        found = _imported(name, bound, binding, reading) if are_imports else itself
        yield found._replace(guards=guards)


def _last(found: list[Import]) -> list[Import]:
    """Of several imports the one that rules; all of `import a.b` and `import a.c`, which add to each other."""
    return [known for known in found if not known.name and "." in known.module and known.bound == known.module.partition(".")[0]] or found[-1:]  # fmt: skip


def _imported(name: str, bound: str, binding: Binding, reading: _Reading) -> Import:
    node = binding.node
    if isinstance(node, ast.ImportFrom):
        alias = next(alias for alias in node.names if (alias.asname or alias.name) == name)
        module = reading.home.absolute(node.level, node.module)
        if module is None:
            raise NoImport("its original imports it from beyond its own package")
        return Import(module, alias.name, bound, is_relative=node.level > 0)
    assert isinstance(node, ast.Import)
    alias = next(alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) == name)
    if alias.asname is None and "." in alias.name and bound != name:
        raise NoImport(f"its original has `import {alias.name}`, which has no other name")
    return Import(alias.name, "", bound)


def _guard(node: ast.stmt, part: str) -> Guard:
    """What stands around an import, to stand around it elsewhere.

    Raises:
        NoImport: it is more than a condition.
    """
    if isinstance(node, ast.If):
        test = ast.unparse(node.test)
        return Guard(f"if {test}:" if part == "body" else f"if not ({test}):")
    if isinstance(node, ast.Try) and part == "body" and node.handlers and not node.finalbody:
        types = [f"except {ast.unparse(handler.type)}" if handler.type else "except" for handler in node.handlers]
        return Guard("try:", "\n".join(f"{each}:\n    pass" for each in types))
    if isinstance(node, ast.With) and part == "body":
        return Guard(f"with {', '.join(map(ast.unparse, node.items))}:")
    raise NoImport("its original binds it in the middle of other statements")


def _needed_by(guards: Sequence[Guard], reading: _Reading) -> Iterator[Import]:
    """The imports of what the conditions themselves say."""
    for guard in guards:
        body = f"{guard.opening}\n    pass\n{guard.closing}\n"
        names = {node.id for node in ast.walk(syntax_tree(body)) if isinstance(node, ast.Name)}
        for name in sorted(names - BUILTINS):
            # A condition that stands below itself is none.
            if any(not binding.around for binding in reading.scopes.bindings.get(name, ())):
                yield from imports_of(name, name, reading.path, reading.modules, reading.pending) or ()
            else:
                raise NoImport(f"its original has it on a condition that needs `{name}`")


def _always_bound(body: Sequence[ast.stmt], nodes: set[int]) -> bool:
    """Whether statements bind a name whatever happens, if some of them, or of their parts, do so."""
    return any(_binds(statement, nodes) for statement in body)


def _binds(statement: ast.stmt, nodes: set[int]) -> bool:
    if isinstance(statement, ast.If):
        return _always_bound(statement.body, nodes) and _always_bound(statement.orelse, nodes)
    if isinstance(statement, ast.Try):
        handled = all(_always_bound(each.body, nodes) or isinstance(each.body[-1], ast.Raise) for each in statement.handlers)  # fmt: skip
        tried = _always_bound([*statement.body, *statement.orelse], nodes)
        return (tried and handled) or _always_bound(statement.finalbody, nodes)
    if isinstance(statement, ast.With):
        return _always_bound(statement.body, nodes)
    if isinstance(statement, (ast.For, ast.While)):
        return False
    return any(id(node) in nodes for node in ast.walk(statement))
