"""What a check must say, worked out a second time and in another way, to judge the checker by.

Nothing of the engine is used here: definitions, their lines and what stands in them come from `ast`, comments from
`tokenize`, and the rules of the language from its description. A whole module is parsed for every question, so this is
hundreds of times slower than the engine, and simple enough to be read.

A marker is affected by an edit if what it compares is no longer the same on both sides. Only two kinds of markers can
be: those whose copy lies around the edit, and those whose original does. An edit of an original may be absorbed on its
way to the copy: by a replacement that maps both texts to one, by an `# Ignore copy` or `# End copy` of that copy, or
because it concerns what is never compared (a block's own decorators and the markers in it). Both sides are therefore
brought to a form that shows these rules and nothing else, and the forms are compared.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

MARKER = re.compile(r"^([ \t]*)#\s*Copied\s+from\s+([A-Za-z_]\w*(?:[./][A-Za-z_]\w*){2,})(?:\s+(.*))?$")
_REPLACEMENT = re.compile(r"^\s*(\S+)->(\S+)(\s+.*|$)")
_NAME = re.compile(r"((?:class|def) )\w+")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True)
class Block:
    """A class or function by 1-based line numbers, the last one included.

    Attributes:
        name: its dotted name within its module.
        start: the line of its first decorator, or of its header.
        header: the line of its `class` or `def`.
        end: its last line; deeper comments behind its last statement belong to it.
        column: the column of its header.
        overload: whether it is an `@overload`.
    """

    name: str
    start: int
    header: int
    end: int
    column: int
    overload: bool


@dataclass(frozen=True)
class Mark:
    """A marker: its file, its line, what it says, and the block that it governs, which must exist."""

    path: str
    line: int
    source: str
    replacements: tuple[tuple[str, str], ...]
    copy: Block | None


@dataclass(frozen=True)
class Form:
    """What of a block is compared: its header and its body, each as a syntax tree and its comments."""

    header: tuple[str, ...]
    body: tuple[str, ...]


@dataclass
class File:
    """A module's text and what is found in it."""

    path: str
    text: str
    blocks: dict[str, Block] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        tree = parse(self.text)
        found = list(_blocks(tree, self.lines, ""))
        for block in found:
            known = self.blocks.get(block.name)
            if known is None or known.overload:
                self.blocks[block.name] = block
        if "Copied" not in self.text:
            return
        inside = {line for first, last in _long_statements(tree) for line in range(first, last)}
        for number, line in enumerate(self.lines, 1):
            match = MARKER.match(line) if "Copied" in line and number not in inside else None
            if match is not None:
                behind = [block for block in found if block.header > number and block.column == len(match[1])]
                copy = min(behind, key=lambda block: block.header, default=None)
                replacements = tuple(_replacements(match[3] or ""))
                self.marks.append(Mark(self.path, number, match[2].replace("/", "."), replacements, copy))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def block_text(self, block: Block) -> str:
        """The lines of a block from its header on, markers left out."""
        lines = self.lines[block.header - 1 : block.end]
        return "\n".join(line for line in lines if "Copied" not in line or not MARKER.match(line)) + "\n"


class Tree:
    """The packages of a library, optionally with the texts of some files exchanged for others."""

    def __init__(self, root: Path, packages: Mapping[str, Path]) -> None:
        self.root, self.packages = root, packages
        self._files: dict[str, File] = {}
        self._modules: dict[str, tuple[str, str] | None] = {}
        self._exchanged: Mapping[str, File] = {}

    def with_files(self, files: Iterable[File]) -> Tree:
        """The same tree with these files in place of those that lie there."""
        changed = Tree(self.root, self.packages)
        changed._files, changed._modules = self._files, self._modules
        changed._exchanged = {file.path: file for file in files}
        return changed

    def file(self, path: str) -> File:
        """A module of the tree, read once."""
        if path in self._exchanged:
            return self._exchanged[path]
        if path not in self._files:
            self._files[path] = File(path, Path(path).read_text(encoding="utf-8"))
        return self._files[path]

    def marked_files(self) -> list[str]:
        """The modules in which markers of the tree's own packages stand, sorted."""
        paths = sorted(str(path) for package in self.packages.values() for path in package.rglob("*.py"))
        return [path for path in paths if b"Copied from" in Path(path).read_bytes() and self.marks(path)]

    def marks(self, path: str) -> list[Mark]:
        """The markers in a module that lead into the tree's own packages and govern something."""
        own = (mark for mark in self.file(path).marks if mark.source.partition(".")[0] in self.packages)
        return [mark for mark in own if mark.copy is not None]

    def original(self, source: str) -> tuple[File, Block, bool] | None:
        """The block at a dotted path, and whether it is there; else in a class behind, or one that it inherits from."""
        module = self.module(source)
        if module is None:
            return None
        file, name = self.file(module[0]), module[1]
        if name in file.blocks:
            return file, file.blocks[name], True
        class_name, _, method = name.rpartition(".")
        if class_name not in file.blocks:
            return None
        behind = [
            block
            for block in file.blocks.values()
            if block.header > file.blocks[class_name].end
            and block.name.endswith(f".{method}")
            and block.name.count(".") == name.count(".")
        ]
        if behind:
            return file, min(behind, key=lambda block: block.header), False
        return self._inherited(file, class_name, method)

    def _inherited(self, file: File, class_name: str, method: str) -> tuple[File, Block, bool] | None:
        """What a class has from the nearest of its bases that defines it, as far as they stand in the tree."""
        waiting = [(file, class_name)]
        for around, name in waiting:
            for base in _bases(around.text, name):
                found = self._class_of(around, base)
                if found is None or found in waiting:
                    continue
                home, called = found
                if f"{called}.{method}" in home.blocks:
                    return home, home.blocks[f"{called}.{method}"], False
                waiting.append(found)
        return None

    def _class_of(self, file: File, name: str) -> tuple[File, str] | None:
        """The class that a name in a module stands for, through the imports that bring it."""
        for _ in range(9):
            if name in file.blocks:
                return file, name
            path = next((path for path, bound in self._imports(file) if bound == name), None)
            module = self.module(path) if path is not None and path.partition(".")[0] in self.packages else None
            if module is None or not module[1]:
                return None
            file, name = self.file(module[0]), module[1]
        return None

    def _imports(self, file: File) -> Iterator[tuple[str, str]]:
        """The dotted paths that a module imports from others, each with the name that it has there."""
        for top, folder in self.packages.items():
            if not Path(file.path).is_relative_to(folder):
                continue
            here = [top, *Path(file.path).relative_to(folder).with_suffix("").parts]
            for node in ast.walk(parse(file.text)):
                if isinstance(node, ast.ImportFrom):
                    around = here[: len(here) - node.level] if node.level else []
                    for alias in node.names:
                        yield ".".join([*around, *filter(None, [node.module]), alias.name]), alias.asname or alias.name

    def verdict(self, mark: Mark) -> tuple[str, ...]:
        """The codes that a check must report at a marker; none where there is nothing to report."""
        found = self.original(mark.source)
        if found is None:
            return ("CP002",)
        elsewhere = () if found[2] else ("CP002",)
        difference = self._difference(mark, found[0], found[1])
        return (*elsewhere, difference) if difference else elsewhere

    def _difference(self, mark: Mark, original: File, block: Block) -> str:
        assert mark.copy is not None
        copy = self.file(mark.path)
        expected = original.block_text(block)
        for old, new in mark.replacements:
            expected = expected.replace(old, new)
        found = copy.block_text(mark.copy)
        # The same text under another name, which is never compared, has the same form.
        if _without_name(expected) == _without_name(found):
            return ""
        first, second = compared_forms(expected, found)
        if first == second:
            return ""
        if any(self._holds(copy, outer, mark) for outer in self.marks(mark.path) if outer is not mark):
            return "CP011"
        if "diffusers" not in self.packages or rest_of_header(expected) != rest_of_header(found):
            return "CP001"
        return "CP010" if first.body == second.body else "CP001"

    def _holds(self, file: File, outer: Mark, inner: Mark) -> bool:
        """Whether a marker's copy lies in what another one compares."""
        assert outer.copy is not None and inner.copy is not None
        if not outer.copy.header < inner.copy.header <= outer.copy.end:
            return False
        header = file.lines[inner.copy.header - 1]
        # Hidden under another name it is still compared, unless it is left out as a whole.
        hidden = header.replace(inner.copy.name.rpartition(".")[2], "renamed_in_the_copy")
        lines = [*file.lines[: inner.copy.header - 1], hidden, *file.lines[inner.copy.header :]]
        block = "\n".join(lines[outer.copy.header - 1 : outer.copy.end]) + "\n"
        return compared_form(block, ignored_names(block)) != compared_form(
            file.block_text(outer.copy), ignored_names(file.block_text(outer.copy))
        )

    def module(self, source: str) -> tuple[str, str] | None:
        """The file of the longest part of a dotted path that is a module, and what is left of the path."""
        if source not in self._modules:
            self._modules[source] = self._found_module(*source.split("."))
        return self._modules[source]

    def _found_module(self, top: str, *parts: str) -> tuple[str, str] | None:
        for count in range(len(parts) - 1, -1, -1):
            path = self.packages[top].joinpath(*parts[:count])
            for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
                if file.is_file():
                    return str(file), ".".join(parts[count:])
        return None


def parse(text: str) -> ast.Module:
    """The syntax tree of a text, without the warnings about its escapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def rest_of_header(block: str) -> list[str]:
    """The tokens of a header that stand on its lines behind the first."""
    depth, found = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(_dedented(block)).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT):
            continue
        depth += (token.string in tuple("([{")) - (token.string in tuple(")]}"))
        if token.start[0] > 1:
            if token.string == ")" and found[-1:] == [","]:
                found.pop()
            found.append(token.string)
        if token.string == ":" and depth == 0:
            break
    return found


def compared_forms(original: str, copy: str) -> tuple[Form, Form]:
    """The forms of both sides; what the copy ignores, or leaves behind its end, is out of both."""
    ignored = ignored_names(copy)
    if "" not in ignored and _is_function(copy) and "# Ignore copy" in _comments(copy):
        return Form((), ()), Form((), ())
    if _end_line(copy) is not None:
        original, copy = ("\n".join(side.split("\n")[: _end_line(side)]) + "\n" for side in (original, copy))
    return compared_form(original, ignored), compared_form(copy, ignored)


@lru_cache(maxsize=20_000)
def compared_form(block: str, ignored: frozenset[str]) -> Form:
    """The form of a block that starts at its header, without the members of these names."""
    block = _dedented(block)
    for name, first, last in reversed(_members(block) if ignored else []):
        if name in ignored:
            lines = block.split("\n")
            block = "\n".join(lines[: first - 1] + lines[last:])
    try:
        node = parse_block(block).body[0]
    except SyntaxError:
        return _form_without_header(block)
    assert isinstance(node, _DEFINITIONS)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant):
            inner.kind = None
        elif isinstance(inner, _DEFINITIONS) and ast.get_docstring(inner, clean=False) is not None:
            text = inner.body[0].value  # type: ignore[attr-defined]
            text.value = "\n".join(line.rstrip() for line in _clean(text.value) if line.strip())
    if isinstance(node, ast.ClassDef):
        header = [ast.dump(part) for part in (*node.bases, *node.keywords)]
    else:
        header = [ast.dump(part) for part in (node.args, node.returns) if part is not None]
    above, below = _split_comments(block)
    body = [ast.dump(statement) for statement in node.body]
    return Form((type(node).__name__, *header, *above), (*body, "", *below))


def _form_without_header(block: str) -> Form:
    """The form of a block whose header a replacement has broken: that is compared as text."""
    lines = block.split("\n")
    header, body = lines[: _first_below_header(block, 2) - 1], lines[_first_below_header(block, 2) - 1 :]
    return Form(tuple(header), compared_form("\n".join(["def _():", *body]), frozenset()).body)


def parse_block(block: str) -> ast.Module:
    """The syntax tree of a block, which may have lost its whole body."""
    try:
        return parse(block)
    except SyntaxError:
        return parse(f"{block.rstrip()}\n    ...\n")


@lru_cache(maxsize=20_000)
def ignored_names(block: str) -> frozenset[str]:
    """The members of a class in which, or directly above which, `# Ignore copy` stands."""
    if "# Ignore copy" not in block or _is_function(block):
        return frozenset()
    block = _dedented(block)
    lines = {token.start[0] for token in _tokens(block) if token.string.startswith("# Ignore copy")}
    return frozenset(name for name, first, last in _members(block) if any(first <= line <= last for line in lines))


def ignored_lines(file: File, block: Block) -> set[int]:
    """The lines of a copy, by their numbers in its file, that are its own affair."""
    text = "\n".join(file.lines[block.header - 1 : block.end]) + "\n"
    if _is_function(text):
        ignored = "# Ignore copy" in text
        found = set(range(block.header, block.end + 1)) if ignored else set()
    else:
        names = ignored_names(text)
        members = _members(_dedented(text)) if names else []
        found = {
            block.header - 1 + line
            for name, first, last in members
            if name in names
            for line in range(first, last + 1)
        }
    end = _end_line(text)
    return found | (set(range(block.header + end, block.end + 1)) if end is not None else set())


def _without_name(block: str) -> str:
    return _NAME.sub(r"\1", _dedented(block), count=1)


def _is_function(block: str) -> bool:
    return not block.lstrip().startswith("class")


def _dedented(block: str) -> str:
    indent = block[: len(block) - len(block.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in block.split("\n"))


def _members(block: str) -> list[tuple[str, int, int]]:
    """The members of a class at column 0: their names, told apart, and their lines with the comments above them."""
    (node,) = parse_block(block).body
    lines = block.split("\n")
    found: list[tuple[str, int, int]] = []
    inner = [part for part in _blocks(node, lines, "") if "." not in part.name]
    for part in inner:
        start = part.start
        while lines[start - 2].startswith(f"{' ' * part.column}#"):
            start -= 1
        same = sum(name.partition(" ")[0] == part.name for name, _, _ in found)
        found.append((f"{part.name} ({same})" if same else part.name, start, part.end))
    above = min((first for _, first, _ in found), default=len(lines)) - 1
    header_end = max(1, min((statement.lineno for statement in node.body), default=2) - 1)  # type: ignore[attr-defined]
    return [("", _first_below_header(block, header_end), above), *found]


def _first_below_header(block: str, default: int) -> int:
    return next((token.start[0] + 1 for token in _tokens(block, newlines=True)), default)


def _end_line(block: str) -> int | None:
    """How many lines stand above the `# End copy` of a block; `None` where it has none."""
    if "# End copy" not in block:
        return None
    node = parse_block(_dedented(block)).body[0]
    column = node.body[0].col_offset  # type: ignore[attr-defined]
    tokens = _tokens(_dedented(block))
    ends = (token.start[0] for token in tokens if token.string.startswith("# End copy") and token.start[1] == column)
    first = next(ends, None)
    return None if first is None else first - 1


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """The statements directly below a node, in their order, and what groups them: a handler, a case."""
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        yield from getattr(node, name, ())


def _bases(text: str, name: str) -> list[str]:
    """The names in the brackets behind a class at the top of a module."""
    found = (node for node in parse(text).body if isinstance(node, ast.ClassDef) and node.name == name)
    return [base.id for node in found for base in node.bases if isinstance(base, ast.Name)]


def _blocks(node: ast.AST, lines: list[str], inside: str) -> Iterator[Block]:
    for child in _statements(node):
        if isinstance(child, _DEFINITIONS):
            decorators = child.decorator_list
            name = f"{inside}{child.name}"
            yield Block(
                name,
                min([child.lineno, *(decorator.lineno for decorator in decorators)]),
                child.lineno,
                _last_line(lines, child),
                child.col_offset,
                any(ast.unparse(decorator).rpartition(".")[2] == "overload" for decorator in decorators),
            )
            yield from _blocks(child, lines, f"{name}.")
        else:
            yield from _blocks(child, lines, inside)


def _last_line(lines: list[str], node: ast.stmt) -> int:
    last = node.end_lineno or node.lineno
    for number in range(last, len(lines)):
        line = lines[number].strip()
        if line.startswith("#") and len(lines[number]) - len(lines[number].lstrip()) > node.col_offset:
            last = number + 1
        elif line:
            break
    return last


def _long_statements(node: ast.AST) -> Iterator[tuple[int, int]]:
    """The statements without statements in them that have several lines: no comment in one is a marker."""
    for child in _statements(node):
        if isinstance(child, ast.stmt) and not any(_statements(child)):
            if child.end_lineno != child.lineno:
                yield child.lineno, child.end_lineno or child.lineno
        else:
            yield from _long_statements(child)


def _replacements(rest: str) -> Iterator[tuple[str, str]]:
    for part in re.sub(r"\bwith\b", "", rest).split(","):
        match = _REPLACEMENT.match(part)
        if match is not None:
            old, new, option = match.groups()
            yield old, new
            if option.strip() == "all-casing":
                yield old.lower(), new.lower()
                yield old.upper(), new.upper()


def _clean(text: str) -> list[str]:
    first, *others = text.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in others if line.strip()), default=0)
    return [first.strip(), *(line[margin:] for line in others)]


def _comments(block: str) -> str:
    return "\n".join(token.string for token in _tokens(_dedented(block)))


def _split_comments(block: str) -> tuple[list[str], list[str]]:
    """The comments in the header of a block, and those below it."""
    first = _first_below_header(block, 1)
    found = [(token.start[0], token.string.lstrip("#").strip()) for token in _tokens(block)]
    return [text for line, text in found if line < first], [text for line, text in found if line >= first]


@lru_cache(maxsize=20_000)
def _tokens(block: str, newlines: bool = False) -> list[tokenize.TokenInfo]:
    """The comments of a text, or the ends of its logical lines."""
    kind = tokenize.NEWLINE if newlines else tokenize.COMMENT
    if not newlines and "#" not in block:
        return []
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(block).readline):
            if token.type == kind:
                found.append(token)
                if newlines:
                    break
    except (tokenize.TokenError, IndentationError):
        pass
    return found
