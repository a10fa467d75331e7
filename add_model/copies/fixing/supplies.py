"""What the new text of a copy needs of its module: the imports that its original's module has for the same names.

No name that was defined may be undefined afterwards, and no new one may come that is. What the original itself does not
know is no business of its copy; what it knows, and no import brings, keeps the copy from being rewritten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from add_model.copies.fixing.edits import Edit
from add_model.copies.fixing.import_lines import import_edits
from add_model.copies.fixing.imports import FOR_CHECKERS, TYPE_CHECKING, Import, NoImport, imports_of
from add_model.copies.fixing.modules import Home, Modules
from add_model.copies.fixing.scopes import BUILTINS, Scopes, Use, scopes_of
from add_model.copies.judging.pair import Pair
from add_model.copies.language.marker import replace
from add_model.copies.language.parsing import parse
from add_model.copies.reading.sources import BUNDLED, TESTS, Origin, Sources
from add_model.definitions import indent_at
from add_model.lexical import words

# The library that comes with this tool, whose parts every library made from it has under the same names.
_BUNDLED = f"{BUNDLED}.zoo"


class Supplies:
    """The imports that the copies of one round need, each asked about before it is written."""

    def __init__(self, sources: Sources) -> None:
        self._modules = Modules(sources)
        self._library = sources.library
        self._imports: dict[Pair, list[Import]] = {}
        self._pending: dict[str, dict[str, list[Import]]] = {}
        # Names that the originals do not know either.
        self._strange: dict[str, set[str]] = {}

    def find(self, pair: Pair, text: str) -> None:
        """Finds out what a copy needs that is about to be these lines.

        Raises:
            NoImport: it needs what its module does not have and no import brings.
        """
        path, block, old = pair.module.place, scopes_of(_standing_alone(text)), scopes_of(_standing_alone(pair.block))
        if block is None or old is None:
            self._compare_words(pair, text)
            return
        self._look_at_own_imports(pair, block)
        # What the block has used so far it may use on.
        known = {use._replace(line=0) for use in old.uses}
        fresh = [use for use in block.uses if use._replace(line=0) not in known]
        if not fresh:
            return
        before = scopes_of(pair.module.text)
        if before is None:
            self._compare_words(pair, text)
            return
        own = [use for use in fresh if self._is_open(use, pair, before)]
        later = [use for use in fresh if use.at_once and _is_bound_below(use, before, pair)]
        if not own and not later:
            return
        after = scopes_of(f"{pair.module.text[: pair.header]}{text}{pair.module.text[pair.end :]}")
        if after is None:
            return
        found: dict[str, list[Import]] = {}
        for name in dict.fromkeys(use.name for use in own):
            uses = [use for use in after.uses if use.name == name]
            if uses and not (name not in BUILTINS and name not in after.unbound):
                found[name] = self._imports_for(name, uses, pair, before)
        for name in dict.fromkeys(use.name for use in later):
            self._look_at_order(name, pair, text, after)
        self._imports[pair] = [known for imports in found.values() for known in imports]
        for name, imports in found.items():
            self._pending.setdefault(path, {}).setdefault(name, imports)

    def edits(self, pairs: Iterable[Pair]) -> list[Edit]:
        """The edits that add what these copies of one module need."""
        chosen = list(pairs)
        imports = list(dict.fromkeys(known for pair in chosen for known in self._imports.get(pair, ())))
        if not imports:
            return []
        module = chosen[0].module
        return import_edits(module.text, self._modules.home(module.place), imports)

    def lost(self, pairs: Iterable[Pair], before: str, after: str) -> str | None:
        """A name that a module has, or does not use, and that it uses and has no more with these copies as they should be."""
        chosen = list(pairs)
        path = chosen[0].module.place
        # Nothing else of a block binds names for others.
        if not any(pair in self._imports or "global" in pair.block for pair in chosen):
            return None
        old, new = scopes_of(before), scopes_of(after)
        if old is None or new is None:
            return None
        known = old.unbound.keys() | self._strange.get(path, set())
        return next((name for name, uses in new.unbound.items() if name not in known and not all(use.for_checkers for use in uses)), None) if not new.stars else None  # fmt: skip

    def _is_open(self, use: Use, pair: Pair, before: Scopes) -> bool:
        """Whether a name of the new text is, by itself, none that its module has."""
        if before.binds(use.name, use.for_checkers):
            return False
        if use.name in BUILTINS:
            # A name that every module has may be another one in the original's.
            original = self._modules.scopes(pair.original.module.place)
            return (
                original is not None and original.binds(use.name) and pair.original.module.place != pair.module.place
            )
        return True

    def _imports_for(self, name: str, uses: Sequence[Use], pair: Pair, before: Scopes) -> list[Import]:
        """The imports that bring a name which the copy uses, and its module does not have."""
        was_open = name in before.unbound
        if self._comes_with_a_star(name, pair, before):
            return []
        try:
            if name in BUILTINS and any(use.name == name for use in before.uses):
                raise NoImport("here it is the one that Python has, which other code uses")
            imports = self._found(name, pair)
            if imports is None:
                self._strange.setdefault(pair.module.place, set()).add(name)
                return []
            return [known for each in imports for known in self._checked(each, uses, pair, before)]
        except NoImport as error:
            if was_open:
                # It was undefined, and nobody made it so now.
                return []
            raise NoImport(f"it would need `{name}`, which is not defined here: {error}") from error

    def _comes_with_a_star(self, name: str, pair: Pair, before: Scopes) -> bool:
        """Whether `from … import *` brings the name; where that cannot be told, whether the module has used it before."""
        home = self._modules.home(pair.module.place)
        answers = {
            self._modules.offers(module, name)
            for star in before.stars
            if home is not None and (module := home.absolute(star.level, star.module)) is not None
        }
        return True in answers or (None in answers and any(use.name == name for use in before.uses))

    def _found(self, name: str, pair: Pair) -> list[Import] | None:
        """The imports of what the original calls so, as the marker has it; `None` where it does not know it either."""
        block = scopes_of(_standing_alone(pair.original.block))
        called = [use.name for use in block.uses] if block is not None else []
        meant = [each for each in dict.fromkeys(called) if replace(each, pair.marker.replacements) == name]
        if not meant:
            raise NoImport("the original says nothing that the marker makes of it")
        original = name if name in meant else meant[0]
        if original != name:
            beside = self._modules.beside(pair.module.place, name)
            homes = [home for file in beside if (home := self._modules.home(file)) is not None]
            if len(homes) > 1:
                raise NoImport(f"{' and '.join(home.dotted for home in homes)} have it")
            if homes:
                return [Import(homes[0].dotted, name, name, is_relative=True)]
        return imports_of(original, name, pair.original.module.place, self._modules, self._pending)

    def _checked(self, known: Import, uses: Sequence[Use], pair: Pair, before: Scopes) -> Iterator[Import]:
        """An import as it can stand in the copy's module, with what it stands below."""
        if before.binds(known.bound):
            return
        known = self._in_this_library(known, pair)
        is_for_checkers = all(use.for_checkers for use in uses if use.name == known.bound)
        guarded = any("TYPE_CHECKING" in guard.opening for guard in known.guards)
        if guarded and not is_for_checkers:
            raise NoImport("its original imports it for type checkers only, and here an annotation is read at once")
        if self._goes_in_a_circle(known, pair):
            if not is_for_checkers or guarded:
                raise NoImport(f"importing it from `{known.module}` would go in a circle")
            known = known._replace(guards=(FOR_CHECKERS, *known.guards))
            if not before.binds(TYPE_CHECKING.bound):
                yield TYPE_CHECKING
        yield known

    def _in_this_library(self, known: Import, pair: Pair) -> Import:
        """What the bundled library imports, from the part of this one that has the same name."""
        is_bundled = known.module == _BUNDLED or known.module.startswith(f"{_BUNDLED}.")
        if not is_bundled or pair.original.origin is not Origin.BUNDLED:
            return known
        package = next((name for name in self._library.packages if name != TESTS), "")
        module = f"{package}{known.module[len(_BUNDLED) :]}"
        path = self._modules.file(module)
        scopes = self._modules.scopes(path) if path is not None else None
        if scopes is None or not (scopes.binds(known.name) or self._modules.file(f"{module}.{known.name}")):
            raise NoImport(f"the library that comes with add-model has it in `{known.module}`, and this one does not")
        return known._replace(module=module)

    def _goes_in_a_circle(self, known: Import, pair: Pair) -> bool:
        path = pair.module.place
        if not self._modules.is_in_library(known.module):
            return False
        targets = {known.module, f"{known.module}.{known.name}"}
        files = {file for target in targets if (file := self._modules.file(target)) is not None}
        if path in files:
            return True
        return not files <= self._modules.imported_by(path) and any(self._modules.lead_to(target, path) for target in targets)  # fmt: skip

    def _look_at_order(self, name: str, pair: Pair, text: str, after: Scopes) -> None:
        """Refuses what a module needs while it is imported, and defines only below, unless its original does so, too."""
        first = pair.module.text.count("\n", 0, pair.header) + 1
        last = first + text.count("\n")
        used = [use.line for use in after.uses if use.name == name and use.at_once and first <= use.line <= last]
        bound = [binding.line for binding in after.bindings.get(name, ()) if not binding.in_function]
        if not used or not bound or min(bound) <= min(used):
            return
        original = self._modules.scopes(pair.original.module.place)
        line = pair.original.module.text.count("\n", 0, pair.original.definition.header) + 1
        names = [each for each in original.bindings if replace(each, pair.marker.replacements) == name] if original else []  # fmt: skip
        if original is not None and any(min(binding.line for binding in original.bindings[each]) < line for each in names):  # fmt: skip
            raise NoImport(f"it would need `{name}`, which is defined only below it")

    def _look_at_own_imports(self, pair: Pair, block: Scopes) -> None:
        """Refuses a new import in a function that leads nowhere from here, and does so from the original."""
        imports = list(_relative_imports(block.tree))
        if not imports:
            return
        home, original = (self._modules.home(module.place) for module in (pair.module, pair.original.module))
        known = {ast.unparse(node) for node in _relative_imports(_tree(pair.block))}
        if home is None or original is None or home == original:
            return
        for node in imports:
            said = f"from {'.' * node.level}{node.module or ''} import"
            if ast.unparse(node) in known or self._leads_somewhere(node, home):
                continue
            if any(self._leads_somewhere(each, original) for each in _relative_imports(_tree(pair.original.block))):
                raise NoImport(f"`{said}` leads nowhere from this file; add a replacement for it to the marker")

    def _leads_somewhere(self, node: ast.ImportFrom, home: Home) -> bool:
        module = home.absolute(node.level, node.module)
        return module is not None and self._modules.file(module) is not None

    def _compare_words(self, pair: Pair, text: str) -> None:
        """Refuses new words where this Python cannot read what stands around them."""
        new = next((word for word in words(text) if word not in set(words(pair.module.text))), None)
        if new is not None:
            raise NoImport(f"this Python cannot read the file, so that nobody knows whether it has `{new}`")


def _standing_alone(block: str) -> str:
    return f"if 1:\n{block}" if indent_at(block) else block


def _tree(block: str) -> ast.AST:
    try:
        return parse(_standing_alone(block))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _relative_imports(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level > 0)


def _is_bound_below(use: Use, before: Scopes, pair: Pair) -> bool:
    """Whether a module binds a name only behind the start of a copy."""
    lines = [binding.line for binding in before.bindings.get(use.name, ()) if not binding.in_function]
    return bool(lines) and not use.for_checkers and min(lines) > pair.module.line_of(pair.header)
