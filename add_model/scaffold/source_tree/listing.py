"""A list of names as a formatter leaves it: on one line, or each on a line of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

LINE_LENGTH = 119
_INDENT = "    "
_CLOSING = {"(": ")", "[": "]"}


def listed(
    head: str, brackets: str, items: Sequence[str], is_broken_up: bool, is_bare: bool = False
) -> Callable[[bytes], bytes]:
    """A list of items on one line, or each on a line of its own where it is to be so or does not fit.

    Args:
        head: what stands before the brackets.
        brackets: those that open, outermost first.
        items: the items.
        is_broken_up: whether it takes several lines in any case.
        is_bare: whether one line needs no brackets.
    """

    def text(indent: bytes) -> bytes:
        closing = "".join(_CLOSING[bracket] for bracket in reversed(brackets))
        line = head + ", ".join(items) if is_bare else f"{head}{brackets}{', '.join(items)}{closing}"
        # Behind an entry of a dict stands a comma.
        if not is_broken_up and len(indent) + len(line) + head.endswith(": ") <= LINE_LENGTH:
            return line.encode()
        lines, depth = [head], indent.decode()
        for bracket in brackets:
            lines[-1] += bracket
            depth += _INDENT
            lines.append(depth)
        lines[-1:] = [f"{depth}{item}," for item in items]
        for bracket in closing:
            depth = depth.removesuffix(_INDENT)
            lines.append(depth + bracket)
        return "\n".join(lines).encode()

    return text


def called(function: str, argument: str, indent: str) -> str:
    """A call with one argument, which stands on a line of its own where both do not fit on one."""
    line = f"{function}({argument})"
    return line if len(indent) + len(line) <= LINE_LENGTH else f"{function}(\n{indent}{_INDENT}{argument}\n{indent})"
