"""Hostile trees for `check-copies`, `like`, `references` and `remove`; `hostile.py` measures them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from hostile_case import Case

_CHECK, _FIX, _DIFF = ("check-copies", "--no-cache"), ("check-copies", "--fix"), ("check-copies", "--diff")
_MODEL = '''

# Copied from lib.base.Base{number}Layer with Base->{name}
class {name}{number}Layer(nn.Module):
    """One layer of {name}, with its attention and its feed-forward network."""

    def __init__(self, config):
        super().__init__()
        self.attention = {name}Attention(config)
        self.intermediate = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states, attention_mask=None):
        attention_output = self.attention(hidden_states, attention_mask=attention_mask)
        intermediate_output = gelu(self.intermediate(attention_output))
        # The residual connection, as in the paper.
        return self.output(intermediate_output) + hidden_states
'''
_LAYERS_A_FILE = 12

Files = Mapping[str, str | bytes]


def _write(folder: Path, files: Files) -> None:
    """Writes files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _library(folder: Path, files: Files) -> None:
    """A library with these modules in its package `lib`."""
    _write(folder, {f"src/lib/{name}": content for name, content in ({"__init__.py": ""} | dict(files)).items()})


def _tree(make: Callable[[], Files]) -> Callable[[Path], None]:
    return lambda folder: _library(folder, make())


def harmless(folder: Path, size: int) -> None:
    """Ordinary models of so many bytes; all of them are copies of the first, and one copy has drifted."""
    files, written, number = {}, 0, 0
    while written < size or number < 2:
        name = f"Model{number}" if number else "Base"
        text = "".join(_MODEL.format(name=name, number=layer) for layer in range(_LAYERS_A_FILE))
        text = f"from torch import nn\n{text}"
        if not number:
            text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# Copied"))
        if number == 1:
            text = text.replace("+ hidden_states", "- hidden_states", 1)
        if number >= 2 and written + len(text) > size:
            break
        files[f"{name.lower()}.py"] = text
        written, number = written + len(text), number + 1
    _library(folder, files)


def harmless_in_git(folder: Path, size: int) -> None:
    """The same, with a commit in which the copy had not drifted."""
    harmless(folder, size)
    drifted = folder / "src/lib/model1.py"
    text = drifted.read_text()
    drifted.write_text(text.replace("- hidden_states", "+ hidden_states"))
    commit(folder)
    drifted.write_text(text)


def commit(folder: Path) -> None:
    """Commits everything in a folder, in a repository of its own."""
    git = ["git", "-C", str(folder), "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A tree"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)


def _function(name: str, body: str) -> str:
    return f"def {name}():\n{body}"


def _statements(count: int, word: str = "value") -> str:
    return "".join(f"    {word}_{number} = {number}\n" for number in range(count))


# --- replacements and markers ---------------------------------------------------------------------------------------


def _doubling(count: int) -> Files:
    text = "def f():\n    return a\n"
    return {
        "one.py": f"{text}\n\n# Copied from lib.one.f with {','.join(['a->aa'] * count)}\ndef g():\n    return b\n"
    }


def _doubling_everywhere() -> Files:
    """Each of many markers doubles what it may a few times."""
    original = "def f():\n    return " + "a" * 2000 + "\n"
    copies = "".join(
        f"# Copied from lib.one.f with {','.join(['a->aa'] * 9)}\ndef g{number}():\n    return b\n\n"
        for number in range(1500)
    )
    return {"one.py": f"{original}\n\n{copies}"}


def _long_replacement() -> Files:
    original = "def f():\n    return " + "a" * 200_000 + "\n"
    return {"one.py": f"{original}\n\n# Copied from lib.one.f with a->{'b' * 100_000}\ndef g():\n    return b\n"}


def _many_replacements() -> Files:
    original = "def f():\n    return '" + "abcdefgh" * 30_000 + "'\n"
    rest = ",".join(f"x{number}->y" for number in range(30_000))
    return {"one.py": f"{original}\n\n# Copied from lib.one.f with {rest}\ndef g():\n    return b\n"}


def _many_without_effect_on_many() -> Files:
    original = "def f():\n" + _statements(2000)
    rest = ",".join(f"x{number}->y" for number in range(100))
    copies = "".join(f"# Copied from lib.one.f with {rest}\ndef g{number}(): ...\n" for number in range(500))
    return {"one.py": f"{original}\n\n{copies}"}


def _commas() -> Files:
    return {"one.py": f"def f(): ...\n\n\n# Copied from lib.one.f with {',' * 500_000}\ndef g(): ...\n"}


def _words_behind_commas() -> Files:
    return {"one.py": f"def f(): ...\n\n\n# Copied from lib.one.f with {'x,' * 200_000}\ndef g(): ...\n"}


def _arrows() -> Files:
    return {"one.py": f"def f(): ...\n\n\n# Copied from lib.one.f with {'->' * 200_000} \ndef g(): ...\n"}


def _arrows_and_space() -> Files:
    return {"one.py": f"def f(): ...\n\n\n# Copied from lib.one.f with a->b{' ' * 300_000}x\ndef g(): ...\n"}


def _with_and_space() -> Files:
    return {"one.py": f"def f(): ...\n\n\n# Copied from lib.one.f{' ' * 500_000}with a->b\ndef g(): ...\n"}


def _space_before_copied() -> Files:
    return {"one.py": f"#{' ' * 400_000}Copied{' ' * 100_000}from lib.one.f x\ndef g(): ...\n" * 2}


def _dotted() -> Files:
    return {"one.py": f"# Copied from lib{'.a' * 250_000}\ndef g(): ...\n"}


def _dotted_often() -> Files:
    return {
        "one.py": "".join(f"# Copied from lib{'.a' * 1000}.b{number}\ndef g{number}(): ...\n" for number in range(250))
    }


def _dotted_into_module() -> Files:
    return {"one.py": f"class a: ...\n\n\n# Copied from lib.one{'.a' * 250_000}\ndef g(): ...\n"}


def _dotted_into_module_often() -> Files:
    name = ".a" * 300
    return {
        "one.py": "class a: ...\n" * 5000
        + "".join(f"# Copied from lib.one{name}.b{number}\ndef g{number}(): ...\n" for number in range(500))
    }


def _long_names() -> Files:
    return {
        "one.py": "".join(f"class {'ab' * 500}{number}: ...\n" for number in range(300))
        + "".join(f"# Copied from lib.one.{'ba' * 500}{number}\ndef g{number}(): ...\n" for number in range(200))
    }


def _missing_definitions() -> Files:
    return {
        "one.py": "".join(f"class Layer{number}: ...\n" for number in range(3000))
        + "".join(f"# Copied from lib.one.Leyar{number}x\ndef g{number}(): ...\n" for number in range(3000))
    }


def _missing_modules() -> Files:
    files = {f"modeling_layer_{number}.py": "" for number in range(500)}
    return files | {
        "one.py": "".join(
            f"# Copied from lib.modelling_leyar_{n}.Layer.forward\ndef g{n}(): ...\n" for n in range(2000)
        )
    }


def _without_module() -> Files:
    files = {f"m{number}.py": f"class C{number}: ...\n" for number in range(400)}
    return files | {"one.py": "".join(f"# Copied from lib.D{n}.forward\ndef g{n}(): ...\n" for n in range(4000))}


def _mentions() -> Files:
    return {"one.py": "".join(f"x = 1  # copied from lib.one.g{n}\n" for n in range(20_000))}


def _mention_words() -> Files:
    return {"one.py": "".join(f"# {'copied ' * 2000}from lib.one.f\n" for _ in range(40)) + "def f(): ...\n"}


def _mention_colons() -> Files:
    return {
        "one.py": f"# copied{' ' * 200_000}:{' ' * 200_000}!\n"
        + f'# copied from{" " * 100_000}"{chr(39) * 100_000}!\n'
    }


def _mention_dots() -> Files:
    return {"one.py": f"# copied from {'.' * 400_000}\n# copied from a{'..' * 200_000}\n"}


def _mention_hashes() -> Files:
    return {"one.py": "# " + "#copied from a:" * 50_000 + "\n"}


def _markers_above_one() -> Files:
    body = "def f():\n" + _statements(3000)
    markers = "".join(f"# Copied from lib.one.f with x{number}->y\n" for number in range(4000))
    return {"one.py": f"{body}\n\n{markers}{body.replace('def f', 'def g')}"}


def _markers_above_nothing() -> Files:
    return {"one.py": "def f(): ...\n\n\n" + "# Copied from lib.one.f\n" * 20_000}


def _markers_above_one_drifted() -> Files:
    body = "def f():\n" + _statements(3000)
    markers = "".join(f"# Copied from lib.one.f with value->y{number}\n" for number in range(2000))
    return {"one.py": f"{body}\n\n{markers}{body.replace('def f', 'def g')}"}


def _markers_inside_one() -> Files:
    inner = "".join(f"    # Copied from lib.one.f\n    def g{n}(self): ...\n" for n in range(6000))
    return {"one.py": f"def f(): ...\n\n\nclass A:\n{inner}\n\n# Copied from lib.one.A with A->B\nclass B:\n{inner}"}


def _markers_in_a_string() -> Files:
    return {"one.py": 'def f(): ...\n\n\nx = """\n' + "# Copied from lib.one.f\n" * 20_000 + '"""\n'}


def _markers_behind_odd_strings() -> Files:
    return {"one.py": "def f(): ...\n\n\n" + "x = '\\\n'\n# Copied from lib.one.f\ndef g(): ...\n" * 8000}


# --- what differs ----------------------------------------------------------------------------------------------------


def _drifted(count: int = 3000) -> Files:
    copies = "".join(
        f"# Copied from lib.one.f\ndef g{number}(x):\n    y = x + {number + 2}\n    return y\n\n\n"
        for number in range(count)
    )
    return {"one.py": "def f(x):\n    y = x + 1\n    return y\n", "two.py": copies}


def _drifted_methods() -> Files:
    copies = "".join(
        f"    # Copied from lib.one.A.f\n    def g{number}(self):\n        return {number + 2}\n\n"
        for number in range(3000)
    )
    return {"one.py": "class A:\n    def f(self):\n        return 1\n", "two.py": f"class B:\n{copies}"}


def _drifted_from_a_large_one() -> Files:
    body = "def f():\n" + _statements(6000)
    copies = "".join(
        f"# Copied from lib.one.f with value->y{number}\ndef g{number}(): ...\n" for number in range(1500)
    )
    return {"one.py": f"{body}\n\n{copies}"}


def _drifted_from_large_methods() -> Files:
    body = "class A:\n    def f(self):\n" + _statements(5000).replace("    ", "        ") + "        return '''\n'''\n"
    copies = "".join(
        f"# Copied from lib.one.A.f with value->y{number}\ndef g{number}(): ...\n" for number in range(1500)
    )
    return {"one.py": f"{body}\n\n{copies}"}


def _reordered() -> Files:
    lines = [f"    value_{number} = {number}\n" for number in range(20_000)]
    return {
        "one.py": "def f():\n" + "".join(lines),
        "two.py": "# Copied from lib.one.f\ndef f():\n" + "".join(reversed(lines)),
    }


def _alike() -> Files:
    return {
        "one.py": "def f():\n" + "    x = 1\n    y = 2\n" * 15_000,
        "two.py": "# Copied from lib.one.f\ndef f():\n" + "    y = 2\n    x = 1\n    x = 1\n" * 10_000,
    }


def _same_letters() -> Files:
    lines = [f"    x = {'(' * (n % 3)}{n}{')' * (n % 3)}\n" for n in range(20_000)]
    others = [f"    x = {n}\n" for n in range(20_000)]
    return {
        "one.py": "def f():\n" + "".join(lines),
        "two.py": "# Copied from lib.one.f\ndef f():\n" + "".join(others) + "    y = 1\n",
    }


def _same_letters_unparsable() -> Files:
    lines = [f"    x = {'(' * (n % 3)}{n}{')' * (n % 3)} $\n" for n in range(6000)]
    others = [f"    x = {n} $\n" for n in range(6000)]
    return {
        "one.py": "def f():\n" + "".join(lines),
        "two.py": "# Copied from lib.one.f\ndef f():\n" + "".join(others) + "    '' \n",
    }


def _many_layouts() -> Files:
    original = "def f():\n" + "".join(f"    x{n} = ({n})\n" for n in range(40))
    copies = "".join(
        f"# Copied from lib.one.f\ndef g{m}():\n" + "".join(f"    x{n} = {n}\n" for n in range(39)) + "    x39 = 3_9\n"
        for m in range(400)
    )
    return {"one.py": original, "two.py": copies}


def _ignored_members() -> Files:
    own = "".join(f"    # Ignore copy\n    def m{n}(self): ...\n" for n in range(6000))
    return {"one.py": f"class A:\n{own}\n\n# Copied from lib.one.A with A->B\nclass B:\n{own}    x = 1\n"}


def _members_of_one_name() -> Files:
    own = "    def m(self): ...\n" * 8000
    return {
        "one.py": f"class A:\n{own}    # Ignore copy\n    def n(self): ...\n\n\n# Copied from lib.one.A with A->B\nclass B:\n{own}    # Ignore copy\n    def n(self): return 1\n"
    }


def _nested_classes() -> Files:
    depth = 90
    nested = (
        "".join(f"{'    ' * d}class C{d}:\n" for d in range(1, depth))
        + f"{'    ' * depth}# Ignore copy\n{'    ' * depth}def f(self): ...\n"
    )
    return {
        "one.py": f"class A:\n{nested}\n\n# Copied from lib.one.A with A->B\nclass B:\n{nested}{'    ' * depth}x = 1\n"
    }


def _nested_functions() -> Files:
    depth = 90
    nested = "".join(f"{'    ' * d}def f{d}():\n" for d in range(depth)) + f"{'    ' * depth}return 1\n"
    copies = "".join(
        f"# Copied from lib.one.f0\n{nested.replace('return 1', f'return {n}').replace('f0', f'g{n}')}\n"
        for n in range(20)
    )
    return {"one.py": nested, "two.py": copies}


def _end_copies() -> Files:
    return {
        "one.py": "def f():\n    x = 1\n" + "    # End copy\n" * 20_000,
        "two.py": "# Copied from lib.one.f\ndef f():\n    x = 2\n" + "    # End copy\n" * 20_000,
    }


# --- definitions -----------------------------------------------------------------------------------------------------


def _definitions() -> Files:
    return {"one.py": "def f(): ...\n" * 100_000 + "# Copied from lib.one.h\ndef g(): ...\n"}


def _definitions_nested() -> Files:
    deep = "".join(f"{' ' * d}class C{d}:\n" for d in range(90))
    leaves = "".join(f"{' ' * 90}def f{n}(): ...\n" for n in range(5000))
    return {"one.py": f"{deep}{leaves}# Copied from lib.one.C0.C1.g\ndef g(): ...\n"}


def _methods_behind() -> Files:
    classes = "".join(f"class A{n}:\n    def f(self): ...\n" for n in range(10_000))
    copies = "".join(f"# Copied from lib.one.A{n}.g\ndef g{n}(): ...\n" for n in range(0, 4000))
    return {"one.py": f"{classes}class Z:\n    def h(self): ...\n\n\n{copies}"}


def _methods_behind_odd() -> Files:
    classes = "".join(f"class A{n}:\n    def f(self): ...\nif 1:\n    def g(self): ...\n" for n in range(3000))
    copies = "".join(f"# Copied from lib.one.A{n}.g\ndef g{n}(): ...\n" for n in range(0, 2000))
    return {"one.py": f"{classes}\n\n{copies}"}


def _overloads() -> Files:
    return {"one.py": "@overload\ndef f(): ...\n" * 30_000 + "# Copied from lib.one.f\ndef g(): ...\n" * 100}


def _decorators() -> Files:
    return {
        "one.py": "@a\n" * 100_000
        + "def f(): ...\n\n\n"
        + "".join(f"# Copied from lib.one.f\ndef g{n}(): return {n}\n" for n in range(500))
    }


def _comments_above() -> Files:
    return {
        "one.py": "# a\n" * 100_000
        + "def f(): ...\n\n\n"
        + "".join(f"# Copied from lib.one.f\ndef g{n}(): return {n}\n" for n in range(500))
    }


def _lower_comments() -> Files:
    block = "def f():\n    x = 1\n" + "# lower\n" * 20_000
    return {
        "one.py": block
        + "".join(f"# Copied from lib.one.f\ndef g{n}():\n    x = {n}\n# '\n" for n in range(2000))
        + "# lower\n" * 20_000
    }


def _tabs() -> Files:
    copies = "".join(f"\t# Copied from lib.one.A.f\n\tdef g{n}(self):\n\t\treturn {n}\n" for n in range(3000))
    return {"one.py": "class A:\n\tdef f(self):\n\t\treturn 1\n", "two.py": f"class B:\n{copies}"}


def _unsure_ends() -> Files:
    copies = "".join(f"# Copied from lib.one.f\ndef g{n}():\n    return {n}\n(0)\n" for n in range(3000))
    return {"one.py": "def f():\n    return 1\n", "two.py": copies}


def _unsure_brackets() -> Files:
    copies = "".join(f"# Copied from lib.one.f\ndef g{n}():\n    return ')'\nx = 1\n" for n in range(3000))
    return {"one.py": "def f():\n    return 1\n", "two.py": copies + "x = [\n" * 10}


def _names_between() -> Files:
    return {
        "one.py": "x = ' f'\n" * 20_000
        + "".join(f"# Copied from lib.one.f\ndef g{n}(): ...\n" for n in range(2000))
        + "y = 1\n"
    }


def _indented(depth: int = 1000) -> Files:
    return {
        "one.py": "".join(f"{' ' * d}class C:\n" for d in range(depth))
        + " " * depth
        + "pass\n# Copied from lib.one.C.D\ndef f(): ...\n"
    }


def _long_chains_of_classes() -> Files:
    deep = "".join(f"{' ' * d}class C{d}:\n" for d in range(95)) + " " * 95 + "def f(): ...\n"
    path = ".".join(f"C{d}" for d in range(95))
    return {"one.py": deep + "".join(f"# Copied from lib.one.{path}.f\ndef g{n}(): return {n}\n" for n in range(500))}


# --- text ----------------------------------------------------------------------------------------------------------


def _brackets(mark: str = "(") -> Files:
    return {"one.py": f"# Copied from lib.one.f\ndef g(): ...\n\n\nx = {mark * 100_000}\n"}


def _brackets_in_lines() -> Files:
    return {"one.py": "def f(): ...\n" + "# Copied from lib.one.f\ndef g(): ...\nx = (\n" * 6000}


def _operators() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "-" * 500_000 + "1\n"}


def _sums() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = 1" + " + 1" * 120_000 + "\n"}


def _attributes() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = a" + ".a" * 200_000 + "\n"}


def _names() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = [" + "a," * 490_000 + "]\n"}


def _numbers() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "9" * 900_000 + "\n"}


def _hexadecimal_numbers() -> Files:
    return {"one.py": "def f(): return 0x1\n\n\n# Copied from lib.one.f\ndef g(): return (0x" + "9" * 900_000 + ")\n"}


def _strings_joined() -> Files:
    return {"one.py": "def f(): return ''\n\n\n# Copied from lib.one.f\ndef g(): return (" + "''" * 240_000 + ")\n"}


def _formatted_strings() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "f'{a}'" * 80_000 + "\n"}


def _statements_in_a_line() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\n" + "a;" * 240_000 + "\n"}


def _elifs() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nif a: b\n" + "elif a: b\n" * 40_000}


def _match_patterns() -> Files:
    return {
        "one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nmatch x:\n case " + "[" * 150 + "]" * 150 + ": ...\n"
    }


def _parser_backtracking() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "{" * 90 + "a:" + "(" * 40 + "\n"}


def _lambdas() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "lambda:" * 80_000 + "1\n"}


def _newer_syntax() -> Files:
    return {f"m{n}.py": f"# Copied from lib.m0.f\ndef f(: {n}\n" for n in range(100)}


def _newer_syntax_deep() -> Files:
    return {"one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = " + "-" * 100_000 + "1\ndef f(:\n"}


def _newer_syntax_slow() -> Files:
    return {
        "one.py": "# Copied from lib.one.f\ndef g(): ...\n\n\nx = "
        + "a+" * 100_000
        + "1\n"
        + "y = 1\n" * 40_000
        + "def f(:\n"
    }


def _quotes() -> Files:
    return {"one.py": "def f(): ...\n\n\n# Copied from lib.one.f\ndef g(): ...\nx = " + "'" * 500_000 + "\n"}


def _quotes_in_comments() -> Files:
    return {"one.py": "def f(): ...\n" + '# """\n# Copied from lib.one.f\ndef g(): ...\n' * 10_000}


def _mixed_quotes() -> Files:
    return {"one.py": "def f(): ...\n" + "x = \"'''\" '\"\"\"'\n# Copied from lib.one.f\ndef g(): ...\n" * 6000}


def _backslashes() -> Files:
    return {"one.py": "def f(): ...\n\n\n# Copied from lib.one.f\ndef g(): ...\nx = 1" + " \\\n" * 150_000 + "\n"}


def _backslashes_and_marks() -> Files:
    return {
        "one.py": "def f(): ...\n\n\n# Copied from lib.one.f\ndef g(): ...\n"
        + ("x = 1" + " \\\n" * 200 + ' "" """ "" """\n') * 300
    }


def _spaces() -> Files:
    return {
        "one.py": "def f():\n"
        + (" " * 1000 + "\n") * 500
        + "    return 1\n\n\n# Copied from lib.one.f\ndef g():\n"
        + (" " * 1000 + "\n") * 400
        + "    return 2\n"
    }


def _spaces_in_a_line() -> Files:
    return {
        "one.py": "def f(): return 1\n\n\n# Copied from lib.one.f\ndef g(): return"
        + " " * 500_000
        + "2"
        + " " * 300_000
        + "\n"
    }


def _form_feeds() -> Files:
    return {
        "one.py": "def f(): return 1\n\n\n# Copied from lib.one.f\ndef g():\n"
        + ("\f \t" * 300 + "\n") * 500
        + "    return 2\n"
    }


def _blank_lines() -> Files:
    return {
        "one.py": "def f(): return 1\n"
        + "\n" * 300_000
        + "".join(f"# Copied from lib.one.f\ndef g{n}(): return 1\n" + "\n" * 300 for n in range(1000))
        + "\n" * 300_000
    }


def _docstring() -> Files:
    return {
        "one.py": 'def f():\n    """' + "word\n    " * 60_000 + '"""\n',
        "two.py": '# Copied from lib.one.f\ndef f():\n    """' + "word\n      " * 60_000 + '"""\n    return 1\n',
    }


def _tabs_in_docstring() -> Files:
    return {
        "one.py": 'def f():\n    """' + "\t" * 100_000 + "a" + '"""\n',
        "two.py": '# Copied from lib.one.f\ndef f():\n    """' + "\t" * 100_000 + "a " + '"""\n',
    }


def _carriage_returns() -> Files:
    return {"one.py": "def f(): return 1\r\n# Copied from lib.one.f\r\ndef g(): return 2\r\n" + "\r" * 500_000}


def _long_coding() -> Files:
    return {"one.py": "#" + "coding" * 100_000 + "\n# Copied from lib.one.f\n"}


def _punycode() -> Files:
    return {"one.py": b"# coding: punycode\n# Copied from lib.one.f\n" + b"a" * 200_000 + b"\n"}


def _idna() -> Files:
    return {"one.py": b"# coding: idna\n# Copied from lib.one.f\n" + b"xn--a." * 50_000 + b"\n"}


def _unicode_escape() -> Files:
    return {
        "one.py": b"# coding: unicode_escape\n# Copied from lib.one.f\n"
        + b"\\N{LATIN SMALL LETTER A}" * 10_000
        + b"\n"
    }


def _utf_7() -> Files:
    return {"one.py": b"# coding: utf-7\n# Copied from lib.one.f\n" + b"+AGE-" * 50_000 + b"\n"}


def _wide_characters() -> Files:
    return {
        "one.py": "def f(): ...\n\n\n# Copied from lib.one.f\ndef g(): ...\nx = '" + "\U0001f600" * 1_000_000 + "'\n"
    }


def _a_huge_file(folder: Path) -> None:
    _library(folder, {"one.py": "# Copied from lib.one.f\n"})
    os.truncate(folder / "src/lib/one.py", 1 << 40)


def _harmless_small(folder: Path, size: int) -> None:
    harmless(folder, min(size, 10_000))


# --- chains and circles ----------------------------------------------------------------------------------------------


def _chain(count: int = 400) -> Files:
    first = "def f0(x):\n    y = x + 1\n    return y\n"
    links = "".join(
        f"\n\n# Copied from lib.one.f{n}\ndef f{n + 1}(x):\n    y = x + 2\n    return y\n" for n in range(count)
    )
    return {"one.py": first + links}


def _chain_backwards(count: int = 400) -> Files:
    links = "".join(
        f"# Copied from lib.one.f{n + 1}\ndef f{n}(x):\n    y = x + 2\n    return y\n\n\n" for n in range(count)
    )
    return {"one.py": f"{links}def f{count}(x):\n    y = x + 1\n    return y\n"}


def _chain_over_files(count: int = 400) -> Files:
    files = {"m0.py": "def f(x):\n    y = x + 1\n    return y\n"}
    return files | {
        f"m{n + 1}.py": f"# Copied from lib.m{n}.f\ndef f(x):\n    y = x + 2\n    return y\n" for n in range(count)
    }


def _circle(count: int = 4000) -> Files:
    return {"one.py": "".join(f"# Copied from lib.one.f{(n + 1) % count}\ndef f{n}(): ...\n" for n in range(count))}


def _circles() -> Files:
    text = ""
    for n in range(2000):
        text += f"# Copied from lib.one.f{(n + 1) % 2000}\n# Copied from lib.one.f0\ndef f{n}(): ...\n"
    return {"one.py": text}


def _circles_of_all() -> Files:
    members = 60
    return {
        "one.py": "".join(
            "".join(f"# Copied from lib.one.f{m}\n" for m in range(members) if m != n) + f"def f{n}(): ...\n"
            for n in range(members)
        )
    }


def _drifted_in_one_another() -> Files:
    inner = "".join(f"    # Copied from lib.one.f\n    def g{n}(self): return {n}\n" for n in range(800))
    return {
        "one.py": f"def f(self): return 'f'\n\n\nclass A:\n    x = 1\n{inner}\n\n# Copied from lib.one.A with A->B\nclass B:\n    x = 2\n{inner}"
    }


# --- configuration ---------------------------------------------------------------------------------------------------


def _configured(text: str, files: Files) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        _library(folder, files)
        _write(folder, {"pyproject.toml": f"[tool.add-model]\n{text}"})

    return make


def _few() -> Files:
    return {f"m{n}.py": "" for n in range(300)}


def _long_few() -> Files:
    return {f"{'a' * 200}{n}.py": "" for n in range(100)}


def _pipe(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def _with_pipe(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        _library(folder, _drifted(2))
        _pipe(folder, name)

    return make


def _full_copies(count: int) -> Callable[[Path], None]:
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/one.py"\n' for n in range(count))
    files = {"one.py": "x = 1\n" + "y = 2\n" * 5000} | {f"c{n}.py": "x = 2\n" for n in range(count)}
    return _configured(f"[tool.add-model.full-copies]\n{table}", files)


def _full_copies_chain(count: int) -> Callable[[Path], None]:
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/c{n + 1}.py"\n' for n in range(count))
    files = {f"c{n}.py": f"x = {n == count}\n" for n in range(count + 1)}
    return _configured(f"[tool.add-model.full-copies]\n{table}", files)


def _full_copies_circle(count: int) -> Callable[[Path], None]:
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/c{(n + 1) % count}.py"\n' for n in range(count))
    return _configured(f"[tool.add-model.full-copies]\n{table}", {})


def _full_copies_of_missing(count: int) -> Callable[[Path], None]:
    table = "".join(f'"src/lib/c{n}.py" = "src/lib/gone.py"\n' for n in range(count))
    return _configured(f"[tool.add-model.full-copies]\n{table}", {})


def _full_copies_of_odd() -> Callable[[Path], None]:
    large = "".join(f"x{n} = ({n})\n" for n in range(15_000))
    other = "".join(f"x{n} = {n}\n" for n in range(15_000))
    return _configured(
        '[tool.add-model.full-copies]\n"src/lib/b.py" = "src/lib/a.py"\n',
        {"a.py": f"{large}y = 1\n", "b.py": f"{other}y = '1'\n"},
    )


def _deep_folders(folder: Path) -> None:
    _library(folder, _drifted(2))
    deep = folder / "src/lib"
    here = os.getcwd()
    os.chdir(deep)
    try:
        for _ in range(1500):
            os.mkdir("a")
            os.chdir("a")
    finally:
        os.chdir(here)


def _links(folder: Path) -> None:
    _library(folder, _drifted(2))
    for number in range(3000):
        (folder / f"src/lib/l{number}").symlink_to(f"l{(number + 1) % 3000}")
        (folder / f"src/lib/m{number}.py").symlink_to(f"m{number + 1}.py")


def _many_files(folder: Path) -> None:
    _library(folder, {f"p{n // 100}/m{n}.py": "" for n in range(20_000)})


def _many_folders(folder: Path) -> None:
    for number in range(10_000):
        (folder / f"src/lib/p{number}").mkdir(parents=True)
    _library(folder, _drifted(2))


def _many_packages(folder: Path) -> None:
    _write(folder, {f"src/p{n}/__init__.py": "" for n in range(3000)})
    _write(folder, {"src/p0/one.py": "".join(f"# Copied from q{n}.one.f\ndef g{n}(): ...\n" for n in range(1000))})


# --- git -----------------------------------------------------------------------------------------------------------


def _in_git(before: Callable[[], Files], now: Callable[[], Files]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        _library(folder, before())
        commit(folder)
        _library(folder, now())

    return make


def _edited_lines(step: int) -> Files:
    lines = [f"    value_{(number * 7919) % 4000} = {number * step}\n" for number in range(4000)]
    other = lines if step == 1 else lines[::-1]
    return {
        "one.py": "def f():\n" + "".join(lines if step == 1 else lines[:3999]),
        "two.py": "# Copied from lib.one.f\ndef f():\n" + "".join(other),
    }


def _alike_lines(first: str, second: str) -> Files:
    return {
        "one.py": "def f():\n" + f"    {first}\n    {second}\n" * 4000,
        "two.py": "# Copied from lib.one.f\ndef f():\n" + f"    {second}\n    {first}\n    {first}\n" * 3000,
    }


def _nested_repositories(folder: Path) -> None:
    for number in range(40):
        _library(
            folder,
            {f"p{number}/one.py": f"def f(): return 1\n\n\n# Copied from lib.p{number}.one.f\ndef g(): return 2\n"},
        )
        _write(folder, {f"src/lib/p{number}/__init__.py": ""})
        commit(folder / f"src/lib/p{number}")
    commit(folder)


# --- like, references and remove -------------------------------------------------------------------------------------

_ADD_MODEL = Path(sys.executable).with_name("add-model")
_LIKE = ("like", "bert", "--name", "new_bert", "--yes")
_LIKE_OWN = ("like", "library:first_bert", "--name", "new_bert", "--yes")
_REMOVE = ("remove", "first_bert")


@functools.cache
def _laid_down() -> Path:
    """A library with one model, made once."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-library-"))
    atexit.register(shutil.rmtree, folder)
    command = [_ADD_MODEL, "like", "bert", "--name", "first_bert", "--into", folder / "lib", "--yes"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "lib"


def harmless_library(folder: Path, size: int) -> None:
    """A library with one model, and pages for the rest."""
    shutil.copytree(_laid_down(), folder, dirs_exist_ok=True)
    _write(folder, {"docs/more.md": "Words.\n" * (size // 7)})


def harmless_templates(folder: Path, size: int) -> None:
    """The same, with a template of its own."""
    harmless_library(folder, size)
    _with_template(folder, "# {{ name.title }}\n{% for head in heads %}* {{ head }}\n{% endfor %}\n")


def _with_template(folder: Path, template: str) -> None:
    project = folder / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.add-model]\n", '[tool.add-model]\ntemplates = "own"\n', 1))
    _write(folder, {"own/model/docs/NAME_page.md.jinja": template})


def _template(text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        harmless_library(folder, 0)
        _with_template(folder, text)

    return make


def _with_files(files: Files) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        harmless_library(folder, 0)
        _write(folder, files)

    return make


def _with_pipe_in_library(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        harmless_library(folder, 0)
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return make


def _appended(name: str, text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        harmless_library(folder, 0)
        with open(folder / name, "a") as file:
            file.write(text)

    return make


_LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% set x = a %}{% endfor %}{% endfor %}{% endfor %}"
_TWICE = "{% set ns = namespace(x='a') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"
_MACROS = (
    "".join(
        f"{{% macro m{n}() %}}{f'{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}' if n else 'a'}{{% endmacro %}}"
        for n in range(40)
    )
    + "{{ m39() }}"
)
_MODULE = "src/lib/models/first_bert/modeling_first_bert.py"
_REGISTRY = "src/lib/registry.py"
_STATE = ".add-model/models/first_bert"

LIKE_CASES = [
    Case("a template with loops in loops", _template(_LOOPS), harmless_templates, _LIKE),
    Case("a template that doubles a text", _template(_TWICE), harmless_templates, _LIKE),
    Case("a template with macros that call each other twice", _template(_MACROS), harmless_templates, _LIKE),
    Case("a template that multiplies a text", _template("{{ 'a' * 10 ** 9 }}"), harmless_templates, _LIKE),
    Case("a template that formats a text", _template("{{ '%0999999999d' % 1 }}"), harmless_templates, _LIKE),
    Case("a template with a power", _template("{{ 9 ** (9 ** (9 ** 9)) }}"), harmless_templates, _LIKE),
    Case("a template that is nested", _template("{% if 1 %}" * 50_000), harmless_templates, _LIKE),
    Case("a template of brackets", _template("{{ " + "(" * 100_000 + " }}"), harmless_templates, _LIKE),
    Case("a deep registry", _appended(_REGISTRY, f"x = {'(' * 100_000}\n"), harmless_library, _LIKE),
    Case("a deep sum in a registry", _appended(_REGISTRY, f"X_MAPPING_NAMES = {'1 + ' * 100_000}1\n"), harmless_library, _LIKE),
    Case("a long registry", _appended(_REGISTRY, f"x = [{'a,' * 400_000}]\n"), harmless_library, _LIKE),
    Case("a long registry, references", _appended(_REGISTRY, f"x = [{'a,' * 400_000}]\n"), harmless_library, ("references",)),
    Case("a pipe as a registry, references", _with_pipe_in_library(_REGISTRY), harmless_library, ("references",)),
    Case("a pipe as a module of the reference", _with_pipe_in_library(_MODULE), harmless_library, _LIKE_OWN),
    Case("a deep module of the reference", _appended(_MODULE, f"x = {'(' * 90}1{')' * 90}{'.a' * 3000}\n"), harmless_library, _LIKE_OWN),
    Case("a deep sum in the reference", _appended(_MODULE, f"x = {'1 + ' * 700}1\n"), harmless_library, _LIKE_OWN),
    Case("a long module of the reference", _appended(_MODULE, "def f(): ...\n" * 20_000), harmless_library, _LIKE_OWN),
    Case("long names in the reference", _appended(_MODULE, f"{'FirstBert' * 20_000} = 1\n"), harmless_library, _LIKE_OWN),
    Case("deep answers", _with_files({"a.toml": f"x = {'[' * 50_000}\n"}), harmless_library, ("like", "--answers", "a.toml", "--yes")),
    Case("a pipe as pyproject.toml, like", _with_pipe_in_library("pyproject.toml"), harmless_library, _LIKE),
    Case("a deep record, remove", _with_files({f"{_STATE}/written.json": "[" * 100_000}), harmless_library, _REMOVE),
    Case("a pipe as a record, remove", _with_pipe_in_library(f"{_STATE}/written.json"), harmless_library, _REMOVE),
    Case("a pipe as a written file, remove", _with_pipe_in_library(_MODULE), harmless_library, _REMOVE),
]  # fmt: skip


CASES = [
    Case("replaced text that doubles 24 times", _tree(lambda: _doubling(24)), harmless, _CHECK),
    Case("replaced text that doubles 40 times", _tree(lambda: _doubling(40)), harmless, _CHECK),
    Case("replaced text that doubles, --fix", _tree(lambda: _doubling(24)), harmless, _FIX),
    Case("replaced text that doubles 9 times, 1,500 markers", _tree(_doubling_everywhere), harmless, _CHECK),
    Case("every letter replaced by 100,000", _tree(_long_replacement), harmless, _CHECK),
    Case("30,000 replacements in one marker", _tree(_many_replacements), harmless, _CHECK),
    Case("100 replacements in each of 500 markers", _tree(_many_without_effect_on_many), harmless, _CHECK),
    Case("half a million commas in a marker", _tree(_commas), harmless, _CHECK),
    Case("200,000 words behind commas in a marker", _tree(_words_behind_commas), harmless, _CHECK),
    Case("arrows in a marker", _tree(_arrows), harmless, _CHECK),
    Case("white space behind a replacement", _tree(_arrows_and_space), harmless, _CHECK),
    Case("white space before the replacements", _tree(_with_and_space), harmless, _CHECK),
    Case("white space before and behind `Copied`", _tree(_space_before_copied), harmless, _CHECK),
    Case("a path of 250,000 parts", _tree(_dotted), harmless, _CHECK),
    Case("250 paths of 1,000 parts", _tree(_dotted_often), harmless, _CHECK),
    Case("a path of 250,000 parts into a module", _tree(_dotted_into_module), harmless, _CHECK),
    Case("500 paths of 300 parts into a module", _tree(_dotted_into_module_often), harmless, _CHECK),
    Case("names of 1,000 letters that nearly exist", _tree(_long_names), harmless, _CHECK),
    Case("3,000 definitions that nearly exist", _tree(_missing_definitions), harmless, _CHECK),
    Case("2,000 modules that nearly exist", _tree(_missing_modules), harmless, _CHECK),
    Case("4,000 paths that leave their module out", _tree(_without_module), harmless, _CHECK),
    Case("20,000 mentions", _tree(_mentions), harmless, _CHECK),
    Case("`copied` thousands of times in a line", _tree(_mention_words), harmless, _CHECK),
    Case("white space and quotes in mentions", _tree(_mention_colons), harmless, _CHECK),
    Case("dots in mentions", _tree(_mention_dots), harmless, _CHECK),
    Case("comments in comments", _tree(_mention_hashes), harmless, _CHECK),
    Case("4,000 markers above one copy", _tree(_markers_above_one), harmless, _CHECK),
    Case("2,000 markers above one copy that differs", _tree(_markers_above_one_drifted), harmless, _CHECK),
    Case("20,000 markers above nothing", _tree(_markers_above_nothing), harmless, _CHECK),
    Case("6,000 markers in a copied class", _tree(_markers_inside_one), harmless, _CHECK),
    Case("20,000 markers in a string", _tree(_markers_in_a_string), harmless, _CHECK),
    Case("8,000 markers behind strings over lines", _tree(_markers_behind_odd_strings), harmless, _CHECK),
    Case("3,000 drifted copies of one original", _tree(_drifted), harmless, _CHECK),
    Case("3,000 drifted copies of one original, --diff", _tree(_drifted), harmless, _DIFF),
    Case("3,000 drifted copies of one original, --fix", _tree(_drifted), harmless, _FIX),
    Case("3,000 drifted copies, in git", _in_git(lambda: _drifted(1), _drifted), harmless_in_git, _CHECK),
    Case("3,000 drifted copies, in git, --fix", _in_git(lambda: _drifted(1), _drifted), harmless_in_git, _FIX),
    Case("3,000 drifted copies, all committed", _in_git(_drifted, lambda: {}), harmless_in_git, _CHECK),
    Case("3,000 drifted methods of one class", _tree(_drifted_methods), harmless, _CHECK),
    Case("3,000 drifted methods of one class, --fix", _tree(_drifted_methods), harmless, _FIX),
    Case("1,500 short copies of a long original", _tree(_drifted_from_a_large_one), harmless, _CHECK),
    Case("1,500 short copies of a long method", _tree(_drifted_from_large_methods), harmless, _CHECK),
    Case("1,500 short copies of a long original, --diff", _tree(_drifted_from_a_large_one), harmless, _DIFF),
    Case("20,000 lines in another order", _tree(_reordered), harmless, _CHECK),
    Case("20,000 lines in another order, --diff", _tree(_reordered), harmless, _DIFF),
    Case("20,000 lines in another order, --fix", _tree(_reordered), harmless, _FIX),
    Case("30,000 lines that are alike", _tree(_alike), harmless, _CHECK),
    Case("30,000 lines that are alike, --diff", _tree(_alike), harmless, _DIFF),
    Case("30,000 lines that are alike, --fix", _tree(_alike), harmless, _FIX),
    Case("20,000 lines in another layout", _tree(_same_letters), harmless, _CHECK),
    Case("6,000 lines in another layout that do not parse", _tree(_same_letters_unparsable), harmless, _CHECK),
    Case("400 copies in another layout", _tree(_many_layouts), harmless, _CHECK),
    Case("6,000 members that are ignored", _tree(_ignored_members), harmless, _CHECK),
    Case("6,000 members that are ignored, --fix", _tree(_ignored_members), harmless, _FIX),
    Case("8,000 members of one name", _tree(_members_of_one_name), harmless, _CHECK),
    Case("8,000 members of one name, --fix", _tree(_members_of_one_name), harmless, _FIX),
    Case("classes in classes, one ignored", _tree(_nested_classes), harmless, _CHECK),
    Case("functions in functions", _tree(_nested_functions), harmless, _CHECK),
    Case("functions in functions, --fix", _tree(_nested_functions), harmless, _FIX),
    Case("20,000 ends of a copy", _tree(_end_copies), harmless, _CHECK),
    Case("100,000 definitions", _tree(_definitions), harmless, _CHECK),
    Case("5,000 definitions 90 deep", _tree(_definitions_nested), harmless, _CHECK),
    Case("4,000 methods that no class below has", _tree(_methods_behind), harmless, _CHECK),
    Case("2,000 methods that other classes have", _tree(_methods_behind_odd), harmless, _CHECK),
    Case("30,000 overloads", _tree(_overloads), harmless, _CHECK),
    Case("100,000 decorators above an original", _tree(_decorators), harmless, _CHECK),
    Case("100,000 comments above an original", _tree(_comments_above), harmless, _CHECK),
    Case("20,000 comments at the left", _tree(_lower_comments), harmless, _CHECK),
    Case("3,000 methods with tabs", _tree(_tabs), harmless, _CHECK),
    Case("3,000 copies with an unsure end", _tree(_unsure_ends), harmless, _CHECK),
    Case("3,000 copies with odd brackets", _tree(_unsure_brackets), harmless, _CHECK),
    Case("20,000 names that are no definitions", _tree(_names_between), harmless, _CHECK),
    Case("1,000 classes in each other", _tree(_indented), harmless, _CHECK),
    Case("500 copies of a method 95 classes deep", _tree(_long_chains_of_classes), harmless, _CHECK),
    Case("100,000 open brackets", _tree(_brackets), harmless, _CHECK),
    Case("100,000 open braces", _tree(lambda: _brackets("{")), harmless, _CHECK),
    Case("6,000 open brackets between markers", _tree(_brackets_in_lines), harmless, _CHECK),
    Case("500,000 signs", _tree(_operators), harmless, _CHECK),
    Case("a sum of 120,000", _tree(_sums), harmless, _CHECK),
    Case("200,000 attributes of each other", _tree(_attributes), harmless, _CHECK),
    Case("490,000 names in a list", _tree(_names), harmless, _CHECK),
    Case("a number of 900,000 digits", _tree(_numbers), harmless, _CHECK),
    Case("a hexadecimal number of 900,000 digits", _tree(_hexadecimal_numbers), harmless, _CHECK),
    Case("240,000 strings behind each other", _tree(_strings_joined), harmless, _CHECK),
    Case("80,000 formatted strings", _tree(_formatted_strings), harmless, _CHECK),
    Case("240,000 statements in a line", _tree(_statements_in_a_line), harmless, _CHECK),
    Case("40,000 elif", _tree(_elifs), harmless, _CHECK),
    Case("nested patterns", _tree(_match_patterns), harmless, _CHECK),
    Case("nested braces and brackets", _tree(_parser_backtracking), harmless, _CHECK),
    Case("80,000 lambdas in each other", _tree(_lambdas), harmless, _CHECK),
    Case("100 files that no Python reads", _tree(_newer_syntax), harmless, _CHECK),
    Case("100,000 signs that no Python reads", _tree(_newer_syntax_deep), harmless, _CHECK),
    Case("40,000 lines that no Python reads", _tree(_newer_syntax_slow), harmless, _CHECK),
    Case("500,000 quotes", _tree(_quotes), harmless, _CHECK),
    Case("quotes in 10,000 comments", _tree(_quotes_in_comments), harmless, _CHECK),
    Case("quotes of several kinds", _tree(_mixed_quotes), harmless, _CHECK),
    Case("150,000 backslashes", _tree(_backslashes), harmless, _CHECK),
    Case("backslashes before quotes", _tree(_backslashes_and_marks), harmless, _CHECK),
    Case("lines of white space", _tree(_spaces), harmless, _CHECK),
    Case("white space in a line", _tree(_spaces_in_a_line), harmless, _CHECK),
    Case("form feeds", _tree(_form_feeds), harmless, _CHECK),
    Case("blank lines", _tree(_blank_lines), harmless, _CHECK),
    Case("docstrings of 60,000 lines", _tree(_docstring), harmless, _CHECK),
    Case("tabs in docstrings", _tree(_tabs_in_docstring), harmless, _CHECK),
    Case("carriage returns", _tree(_carriage_returns), harmless, _CHECK),
    Case("`coding` 100,000 times", _tree(_long_coding), harmless, _CHECK),
    Case("punycode", _tree(_punycode), harmless, _CHECK),
    Case("idna", _tree(_idna), harmless, _CHECK),
    Case("unicode_escape", _tree(_unicode_escape), harmless, _CHECK),
    Case("utf-7", _tree(_utf_7), harmless, _CHECK),
    Case("wide characters", _tree(_wide_characters), harmless, _CHECK),
    Case("a file of a terabyte, all holes", _a_huge_file, _harmless_small, _CHECK),
    Case("a chain of 400 copies, --fix", _tree(_chain), harmless, _FIX),
    Case("a chain of 400 copies upwards, --fix", _tree(_chain_backwards), harmless, _FIX),
    Case("a chain of 400 copies over files, --fix", _tree(_chain_over_files), harmless, _FIX),
    Case("a chain of 400 copies over files, --diff", _tree(_chain_over_files), harmless, _DIFF),
    Case("a chain of 3,000 copies, --fix", _tree(lambda: _chain(3000)), harmless, _FIX),
    Case("a circle of 4,000 copies", _tree(_circle), harmless, _CHECK),
    Case("a circle of 4,000 copies, --fix", _tree(_circle), harmless, _FIX),
    Case("2,000 circles", _tree(_circles), harmless, _CHECK),
    Case("circles of all with all", _tree(_circles_of_all), harmless, _CHECK),
    Case("copies in copies, --fix", _tree(_drifted_in_one_another), harmless, _FIX),
    Case("20,000 patterns in exclude", _configured(f"exclude = {[f'x{n}/**' for n in range(20_000)]}\n", _few()), harmless, _CHECK),
    Case("stars in exclude", _configured(f"exclude = ['{'*a' * 100}b']\n", _long_few()), harmless, _CHECK),
    Case("a star in exclude 100,000 times", _configured(f"exclude = ['{'*' * 100_000}b', '{'?*' * 10_000}b']\n", _long_few()), harmless, _CHECK),
    Case("brackets in exclude", _configured(f"exclude = ['{'[' * 100_000}b', '{'[!a]*' * 10_000}b']\n", _long_few()), harmless, _CHECK),
    Case("20,000 per-file-ignores", _configured("[tool.add-model.per-file-ignores]\n" + "".join(f"'x{n}*' = ['CP001']\n" for n in range(20_000)), _drifted(200)), harmless, _CHECK),
    Case("a million codes in per-file-ignores", _configured(f"per-file-ignores = {{'x' = ['{'CP001,' * 150_000}']}}\n", _drifted(2)), harmless, _CHECK),
    Case("a wrong code in per-file-ignores", _configured(f"per-file-ignores = {{'x' = ['{'CP' * 250_000}']}}\n", _drifted(2)), harmless, _CHECK),
    Case("an unknown key", _configured(f"{'exclud' * 50_000} = 1\n", _drifted(2)), harmless, _CHECK),
    Case("deep TOML", _configured(f"x = {'[' * 50_000}\n", _drifted(2)), harmless, _CHECK),
    Case("deep TOML keys", _configured(f"{'.'.join(['x'] * 20_000)} = 1\n", _drifted(2)), harmless, _CHECK),
    Case("many TOML tables", _configured("".join(f"[{'.'.join(['x'] * 50)}.y{n}]\n" for n in range(2000)), _drifted(2)), harmless, _CHECK),
    Case("a long number in TOML", _configured(f"x = {'9' * 500_000}\n", _drifted(2)), harmless, _CHECK),
    Case("500 full copies of one file", _full_copies(500), harmless, _CHECK),
    Case("500 full copies of one file, --fix", _full_copies(500), harmless, _FIX),
    Case("a chain of 400 full copies, --fix", _full_copies_chain(400), harmless, _FIX),
    Case("a circle of 3,000 full copies", _full_copies_circle(3000), harmless, _CHECK),
    Case("10,000 full copies of nothing", _full_copies_of_missing(10_000), harmless, _CHECK),
    Case("full copies of another layout", _full_copies_of_odd(), harmless, _CHECK),
    Case("20,000 folders in follows", _configured(f"follows = {[f'x{n}' for n in range(20_000)]}\n", _drifted(50)), harmless, _CHECK),
    Case("a pipe as pyproject.toml", _with_pipe("pyproject.toml"), harmless, _CHECK),
    Case("a pipe as a module", _with_pipe("src/lib/three.py"), harmless, _CHECK),
    Case("a pipe as __init__.py", _with_pipe("src/lib/a/__init__.py"), harmless, _CHECK),
    Case("1,500 folders in each other", _deep_folders, harmless, _CHECK),
    Case("3,000 links to each other", _links, harmless, _CHECK),
    Case("20,000 files", _many_files, harmless, _CHECK),
    Case("10,000 folders", _many_folders, harmless, _CHECK),
    Case("3,000 packages", _many_packages, harmless, _CHECK),
    Case("edits of both sides, in git", _in_git(lambda: _edited_lines(1), lambda: _edited_lines(2)), harmless_in_git, _CHECK),
    Case("edits of both sides, in git, --diff", _in_git(lambda: _edited_lines(1), lambda: _edited_lines(2)), harmless_in_git, _DIFF),
    Case("edits of alike lines, in git, --diff", _in_git(lambda: _alike_lines("x = 1", "y = 2"), lambda: _alike_lines("y = 2", "x = 1")), harmless_in_git, _DIFF),
    Case("40 repositories", _nested_repositories, harmless_in_git, _CHECK),
    *LIKE_CASES,
]  # fmt: skip
