"""Draws who may know whom, from the imports of the code, into docs/pictures/architecture.svg:

    python scripts/architecture.py [--check]    with --check nothing is written; ends with 1 where the picture is stale

Every box is a package, with the first sentence of what stands at its door. What stands higher imports from what stands
lower, never the other way round: the rows are found from the imports, and a circle is an error.
"""

from __future__ import annotations

import ast
import itertools
import sys
import textwrap
from collections.abc import Mapping, Sequence, Set
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
TOOL = "add_model"
# The parts, with the modules at the top of the tool as one of them: what all others stand on.
PARTS = ("cli", "scaffold", "porting", "editor", "copies")
FOUNDATION = "foundation"
FOUNDATION_SAYS = "a library's layout, names, references and registries; reading, writing and starting programs safely"
WIDTH, PAD, LINE, TITLE = 1120, 12, 15, 22
_STYLE = (
    "text{font-family:ui-sans-serif,system-ui,sans-serif;fill:#1c1c1c}.t{font-weight:600;font-size:14px}.s{font-size:12px}"
    ".p{fill:#eef2f7;stroke:#8093ad}.w{fill:#fff;stroke:#b4c0d0}"
)


def rows(names: Sequence[str], arrows: Set[tuple[str, str]]) -> list[list[str]]:
    """The names in rows, such that each imports only from rows below its own; the highest first.

    Raises:
        SystemExit: there is a circle.
    """
    depth: dict[str, int] = {}

    def deep(name: str, on_the_way: tuple[str, ...]) -> int:
        if name in on_the_way:
            raise SystemExit(f"a circle: {' -> '.join((*on_the_way, name))}")
        if name not in depth:
            below = [other for first, other in arrows if first == name]
            depth[name] = 1 + max((deep(other, (*on_the_way, name)) for other in below), default=-1)
        return depth[name]

    for name in names:
        deep(name, ())
    return [[name for name in names if depth[name] == level] for level in sorted(set(depth.values()), reverse=True)]


def arrows_between(graph: grimp.ImportGraph, names: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which of these packages imports which, by itself or through what stands beside them: name -> module."""
    pairs = itertools.permutations(names, 2)
    return {pair for pair in pairs if graph.chain_exists(names[pair[0]], names[pair[1]], as_packages=True)}


def door(package: str) -> str:
    """The first sentence of a package's docstring."""
    path = ROOT.joinpath(*package.split(".")) / "__init__.py"
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(said.partition("\n\n")[0].split())


def picture() -> str:
    """The picture as SVG."""
    graph = grimp.build_graph(TOOL, cache_dir=None)
    parts = {name: f"{TOOL}.{name}" for name in PARTS}
    drawn: list[str] = []
    top = PAD
    for row in rows(PARTS, arrows_between(graph, parts)):
        width = (WIDTH - PAD * (len(row) + 1)) / len(row)
        heights = [_part(graph, parts[name], name, PAD + at * (width + PAD), top, width, []) for at, name in enumerate(row)]  # fmt: skip
        for at, name in enumerate(row):
            _part(graph, parts[name], name, PAD + at * (width + PAD), top, width, drawn, max(heights))
        top += max(heights) + PAD
    top += _box(FOUNDATION, FOUNDATION_SAYS, PAD, top, WIDTH - 2 * PAD, "p", drawn) + PAD
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" role="img">\n'
        f"<title>Who may know whom: what stands higher imports from what stands lower</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _part(
    graph: grimp.ImportGraph, module: str, name: str, left: float, top: float, width: float, drawn: list[str], height: float = 0
) -> float:  # fmt: skip
    """Draws a part with its packages in rows, and returns its height."""
    inside = sorted(child for child in graph.find_children(module) if graph.find_children(child))
    names = {child.rpartition(".")[2]: child for child in inside}
    content: list[str] = []
    used = _text(name, door(module), left, top, width, content)
    for row in rows(tuple(names), arrows_between(graph, names)) if names else []:
        narrow = (width - PAD * (len(row) + 1)) / len(row)
        places = [(left + PAD + at * (narrow + PAD), each) for at, each in enumerate(row)]
        tallest = max(_box(each, door(names[each]), place, top + used, narrow, "w", []) for place, each in places)
        for place, each in places:
            _box(each, door(names[each]), place, top + used, narrow, "w", content, tallest)
        used += tallest + PAD
    height = max(height, used)
    drawn.append(f'<rect class="p" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6"/>')
    drawn.extend(content)
    return height


def _box(name: str, said: str, left: float, top: float, width: float, kind: str, drawn: list[str], height: float = 0) -> float:  # fmt: skip
    content: list[str] = []
    height = max(height, _text(name, said, left, top, width, content))
    drawn.append(
        f'<rect class="{kind}" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6"/>'
    )
    drawn.extend(content)
    return height


def _text(name: str, said: str, left: float, top: float, width: float, drawn: list[str]) -> float:
    drawn.append(f'<text class="t" x="{left + PAD:.0f}" y="{top + TITLE:.0f}">{escape(name)}</text>')
    lines = textwrap.wrap(said, max(12, int((width - 2 * PAD) / 6.4)))
    for number, line in enumerate(lines, 1):
        drawn.append(
            f'<text class="s" x="{left + PAD:.0f}" y="{top + TITLE + number * LINE:.0f}">{escape(line)}</text>'
        )
    return TITLE + len(lines) * LINE + PAD


def main() -> int:
    """Writes the picture, or says whether it is stale."""
    made = picture()
    if "--check" in sys.argv[1:]:
        if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == made:
            return 0
        print(f"{PICTURE.relative_to(ROOT)} is stale; make it anew: python scripts/architecture.py", file=sys.stderr)
        return 1
    PICTURE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
