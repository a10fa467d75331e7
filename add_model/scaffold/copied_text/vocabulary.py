"""What a model folder's own code says: the names that it defines, exports, imports from elsewhere, and its types."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from add_model.scaffold.copied_text.marking import top_level

_DEFINITION = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Where 4.x lists what a package exports, and where 5.x does.
_EXPORT_LISTS = ("__all__", "_import_structure")


@dataclass
class Vocabulary:
    """The names of a folder's code.

    Attributes:
        defined: classes, functions and variables of its modules' top levels.
        classes: those of them that are classes.
        exported: what it offers to `from transformers import ...`, defined here or not.
        foreign: names that it imports from outside the folder, and what it takes from other packages by a name of
            theirs: `BertNormalizer` in `normalizers.BertNormalizer`.
        packages: what it calls other packages, and what it imports from them.
        model_types: class -> the model type that it says it is of.
        attributes: what its code assigns on `self`.
        identifiers: every identifier of its code.
        variables: what its code assigns plainly, and its parameters, of which `outward` names are no variables alone.
        outward: attributes, fields of classes, parameters, keywords and words in quotes, which others may know by
            their names.
    """

    defined: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    model_types: dict[str, str] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    identifiers: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    outward: set[str] = field(default_factory=set)

    def read(self, tree: ast.Module, own_folder: str, depth: int) -> None:
        """Adds what a module says.

        Args:
            tree: the module.
            own_folder: the folder's name, as imports from its own modules may spell it out.
            depth: how many dots lead from the module to the folder: 1 for a module that stands in it.
        """
        for statement in top_level(tree.body):
            self._read_statement(statement)
        nodes = list(ast.walk(tree))
        for node in nodes:
            self._read_identifiers(node)
            if isinstance(node, ast.ClassDef):
                self._read_model_type(node)
                fields = (target for statement in node.body for target in assigned(statement))
                self.outward.update(field.id for field in fields if isinstance(field, ast.Name))
            elif isinstance(node, ast.ImportFrom) and not _is_inside(node, own_folder, depth):
                self.foreign.update(name for alias in node.names for name in (alias.asname, alias.name) if name)
            elif isinstance(node, ast.Import):
                self.foreign.update(part for alias in node.names for part in alias.name.split("."))
        packages = _packages(nodes)
        self.packages.update(packages)
        self.foreign.update(_taken_from(packages, nodes))
        self.foreign -= {"*"}

    def _read_identifiers(self, node: ast.AST) -> None:
        name: str | None = None
        if isinstance(node, ast.Name):
            name = node.id
            if isinstance(node.ctx, ast.Store):
                self.variables.add(name)
        elif isinstance(node, ast.Attribute):
            name = node.attr
            self.outward.add(name)
            if isinstance(node.ctx, ast.Store):
                self.attributes.add(name)
        elif isinstance(node, (ast.arg, ast.keyword)) and node.arg is not None:
            name = node.arg
            self.outward.add(name)
            if isinstance(node, ast.arg):
                self.variables.add(name)
        elif isinstance(node, _DEFINITION):
            name = node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            self.outward.add(node.value)
        if name is not None:
            self.identifiers.add(name)

    def _read_statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, _DEFINITION):
            self.defined.add(statement.name)
            if isinstance(statement, ast.ClassDef):
                self.classes.add(statement.name)
        for target in assigned(statement):
            base = target.value if isinstance(target, ast.Subscript) else target
            if not isinstance(base, ast.Name):
                continue
            if base.id in _EXPORT_LISTS:
                self.exported.update(_exported_strings(statement))
            elif isinstance(target, ast.Name):
                self.defined.add(target.id)

    def _read_model_type(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                if any(isinstance(target, ast.Name) and target.id == "model_type" for target in assigned(statement)):
                    self.model_types[node.name] = value.value


def _packages(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that a module imports from other packages, or as such."""
    own = "transformers."
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0)
        for alias in node.names
        if not f"{getattr(node, 'module', None) or alias.name}.".startswith(own)
    }


def _taken_from(packages: Set[str], nodes: Sequence[ast.AST]) -> Iterator[str]:
    """What stands behind the dots of the name of another package, or of something that is imported from one."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            owner = node.value
            while isinstance(owner, ast.Attribute):
                owner = owner.value
            if isinstance(owner, ast.Name) and owner.id in packages:
                yield node.attr


def assigned(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        return [statement.target]
    return []


def _exported_strings(statement: ast.stmt) -> Iterator[str]:
    """The names in an export list. The keys of a dict name modules, its values what these hold."""
    value = getattr(statement, "value", None)
    values = value.values if isinstance(value, ast.Dict) else [value]
    for part in values:
        for node in ast.walk(part) if part is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _is_inside(node: ast.ImportFrom, own_folder: str, depth: int) -> bool:
    module = node.module or ""
    if node.level == 0:
        return f".models.{own_folder}." in f"{module}."
    if node.level == depth + 1:
        return module == own_folder or module.startswith(f"{own_folder}.")
    return node.level <= depth
