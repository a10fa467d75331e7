"""The verdict does not depend on a formatter, nor on anything else that only changes the layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from add_model.copies.fixing.fix import fix
from add_model.copies.language.equality import is_copy

from .libraries import codes_of, write_library

ORIGINAL = '''class BertLayer(Base, metaclass=Meta):
    """A layer of Bert, with attention and an intermediate."""

    size: int = 3  # the width

    # What the attention makes of it.
    def forward(self, hidden_states, attention_mask=None, output_attentions: bool = False, *extra, **options) -> tuple:
        """Runs it."""
        outputs = self.attention(hidden_states, attention_mask, output_attentions=output_attentions, past="none")[0]
        if (hidden_states is None) or (attention_mask is not None and not output_attentions):
            raise ValueError("Bert wants hidden states, " "and got none of them", f"but {extra!r} and {options}")
        masks = {"one": [1, 2, 3], 'two': (4,), "three": {5, 6}, "a long key to wrap": lambda x: x[1:2, ::3]}
        with open("a") as first, open("b") as second:
            total = sum(first.value * second.value + mask ** 2 for mask in masks if mask not in (1, 2) or not mask)
        assert outputs, "nothing"
        return (outputs,) + (total, masks)
'''
COPY = "# Copied from my_models.bert.BertLayer with Bert->VeryLongNameOfAnotherModelViT\n" + ORIGINAL.replace(
    "Bert", "VeryLongNameOfAnotherModelViT"
)


@pytest.mark.parametrize("formatted", ["copy", "original"])
@pytest.mark.parametrize(
    "formatter",
    [
        *(["ruff", "format", "--isolated", "--quiet", "--line-length", str(width)] for width in (60, 88, 119, 320)),
        ["ruff", "format", "--isolated", "--quiet", "--config", "format.quote-style='single'"],
        *(["black", "--quiet", "--line-length", str(width)] for width in (60, 88, 119, 320)),
        ["black", "--quiet", "--preview", "--skip-magic-trailing-comma"],
    ],
    ids=lambda command: " ".join((command[0], *command[-2:])),
)
def test_formatters(formatter: list[str], formatted: str, tmp_path: Path) -> None:
    library = write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": COPY})
    path = tmp_path / "src/my_models" / {"copy": "vit.py", "original": "bert.py"}[formatted]
    before = path.read_bytes()
    subprocess.run([sys.executable, "-m", *formatter, str(path)], check=True)
    assert path.read_bytes() != before
    assert codes_of(library) == []


@pytest.mark.parametrize("formatted", ["copy.py", "original.py"])
@pytest.mark.parametrize("statement", ["except (ValueError, KeyError)", "except* (ValueError, KeyError)"])
def test_a_formatter_for_python_that_needs_no_brackets(statement: str, formatted: str, tmp_path: Path) -> None:
    original = f"def f(x):\n    try:\n        return x()\n    {statement}:  # either\n        raise\n"
    copy = f"# Copied from my_models.original.f\n{original}"
    library = write_library(tmp_path, {"my_models/original.py": original, "my_models/copy.py": copy})
    path = tmp_path / "src/my_models" / formatted
    command = ["ruff", "format", "--isolated", "--quiet", "--target-version", "py314", str(path)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    assert "ValueError, KeyError:  # either" in path.read_text()
    assert codes_of(library) == []
    path.write_text(path.read_text().replace("KeyError", "TypeError"))
    assert codes_of(library) == ["CP001"]
    fix(library).write()
    assert codes_of(library) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("return one(two, three)", "return one(\n        two,\n        three,\n    )"),
        ("return [1, 2]", "return [\n        1,\n        2,\n    ]"),
        ("return 'a'", 'return "a"'),
        ("return 'it\\'s'", 'return "it\'s"'),
        ("return (1 + 2)", "return 1 + 2"),
        ("return not (a)", "return not a"),
        ("return 'ab' + 'c'", "return ('a' 'b') + 'c'"),
        ("return 'ab'", "return (\n        'a'\n        'b'\n    )"),
        ("return a + b", "return a \\\n        + b"),
        ("return f(*a, **b)", "return f(*a, **b,)"),
        ("x = 1\n    return x", "x = 1\n\n\n    return x"),
        ("x = 1; return x", "x = 1\n    return x"),
        ("if a: return 1", "if a:\n        return 1"),
        ("for a in (b): pass", "for a in b:\n        pass"),
        ("return 0XFF + 1E5", "return 0xff + 1e5"),
    ],
)
def test_layout(first: str, second: str) -> None:
    one, two = (f"def f(a, b):\n    {body}\n" for body in (first, second))
    assert is_copy(one, two) and is_copy(two, one)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("return (1,)", "return (1)"),
        ("return 'a', 'b'", "return 'a' 'b'"),
        ("return 1  # why", "return 1  # what"),
        ("return 1  # why", "return 1"),
        ("return a - (b - c)", "return a - b - c"),
        ("return b'a'", "return 'a'"),
        ("return 'a b'", "return 'ab'"),
        ("return f(a)", "return f((a,))"),
        ("if a:\n        x = 1\n    y = 2", "if a:\n        x = 1\n        y = 2"),
    ],
)
def test_what_is_no_layout(first: str, second: str) -> None:
    one, two = (f"def f(a, b):\n    {body}\n" for body in (first, second))
    assert not is_copy(one, two) and not is_copy(two, one)
