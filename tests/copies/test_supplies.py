"""A fix leaves no name undefined: the imports that new text needs come with it, or the copy is left as it is."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.copies.finding import Finding
from add_model.copies.fixing.fix import fix

from .libraries import codes_of, write_library

COPY = """from ..layers import Layer


# Copied from my_models.bert.modeling_bert.BertBlock with Bert->ViT
class ViTBlock(Layer):
    def forward(self, x):
        return x
"""


def block(body: str, name: str = "Bert", base: str = "Layer") -> str:
    return f"class {name}Block({base}):\n    def forward(self, x):\n        return {body}\n"


def files(original: str, copy: str = COPY, **others: str) -> dict[str, str | bytes]:
    return {
        "my_models/layers.py": "class Layer:\n    pass\n\n\ndef scaled(x):\n    return x\n",
        "my_models/bert/modeling_bert.py": original,
        "my_models/vit/modeling_vit.py": copy,
        **{f"my_models/{name.replace('__', '/')}.py": text for name, text in others.items()},
    }


def fixed(root: Path, given_files: dict[str, str | bytes]) -> tuple[str, list[Finding]]:
    """The copy's text after a fix, and what is left to say; a second fix must change nothing."""
    library = write_library(root, given_files)
    first = fix(library)
    first.write()
    again = fix(library)
    assert again.after == {} and [each.message for each in again.findings] == [each.message for each in first.findings]
    return (root / "src/my_models/vit/modeling_vit.py").read_text(), first.findings


@pytest.mark.parametrize(
    ("header", "body", "brought"),
    [
        ("from ..layers import Layer, scaled\n", "scaled(x)", "from ..layers import Layer, scaled\n"),
        ("import math\nfrom ..layers import Layer\n", "math.exp(x)", "import math\n\nfrom ..layers import Layer\n"),
        ("import os.path as p\nfrom ..layers import Layer\n", "p.exists(x)", "import os.path as p\n\nfrom"),
        ("import os.path\nimport os.abc\nfrom ..layers import Layer\n", "os.abc(x)", "import os.abc\nimport os.path\n"),
        ("from ..layers import Layer, scaled as s\n", "s(x)", "from ..layers import Layer\nfrom ..layers import scaled as s\n"),
        ("from .helping import helped\nfrom ..layers import Layer\n", "helped(x)", "from ..bert.helping import helped\n"),
        ("from my_models.bert.helping import helped\nfrom ..layers import Layer\n", "helped(x)", "from my_models.bert.helping import helped\n"),
        ("from .helping import *\nfrom ..layers import Layer\n", "helped(x)", "from ..bert.helping import helped\n"),
        ("from ..layers import Layer\nSIZE = 3\n", "x * SIZE", "from ..bert.modeling_bert import SIZE\n"),
        ("from ..layers import Layer\ndef helping(x): return x\n", "helping(x)", "from ..bert.modeling_bert import helping\n"),
        ("from ..layers import Layer\nclass BertMore: pass\n", "BertMore(x)", "from ..bert.modeling_bert import BertMore as ViTMore\n"),
        ("from ..layers import Layer\nif has():\n    import torch\nfrom .helping import has\n", "torch.no(x)", "from ..bert.helping import has\nfrom ..layers import Layer\n\nif has():\n    import torch\n"),
        ("from ..layers import Layer\nif not has():\n    pass\nelse:\n    import torch\nfrom .helping import has\n", "torch.no(x)", "\nif not (not has()):\n    import torch\n"),
        ("from ..layers import Layer\ntry:\n    import torch\nexcept ImportError:\n    print()\n", "torch.no(x)", "try:\n    import torch\nexcept ImportError:\n    pass\n"),
        ("from ..layers import Layer\ntry:\n    import torch\nexcept ImportError:\n    torch = None\n", "torch(x)", "from ..bert.modeling_bert import torch\n"),
        ("from ..layers import Layer\nfrom .helping import open\n", "open(x)", "from ..bert.helping import open\n"),
        ("from typing import TYPE_CHECKING\nfrom ..layers import Layer\nif TYPE_CHECKING:\n    from .helping import Helped\n", "(lambda: x)", None),
    ],
)  # fmt: skip
def test_what_the_new_text_needs_comes_with_it(header: str, body: str, brought: str | None, tmp_path: Path) -> None:
    helping = (
        "def helped(x):\n    return x\n\n\ndef has():\n    return False\n\n\nclass Helped:\n    pass\n\n\nopen = has\n"
    )
    text, left = fixed(tmp_path, files(f"{header}\n\n{block(body)}", bert__helping=helping))
    assert left == []
    if brought is None:
        assert text.startswith("from ..layers import Layer\n\n\n#")
    else:
        assert brought in text
    ast.parse(text)


def test_names_that_only_type_checkers_read(tmp_path: Path) -> None:
    header = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nfrom ..layers import Layer\nif TYPE_CHECKING:\n    from .helping import Helped\n"
    original = f"{header}\n\n{block('x').replace('(self, x)', '(self, x: Helped)')}"
    text, left = fixed(tmp_path / "one", files(original, f"from __future__ import annotations\n\n{COPY}"))
    assert left == []
    assert "from typing import TYPE_CHECKING\n" in text and "if TYPE_CHECKING:\n    from ..bert.helping import Helped\n" in text  # fmt: skip
    # Without that import an annotation is looked up at once.
    text, left = fixed(tmp_path / "two", files(original))
    assert text == COPY and "`Helped`" in left[0].message and "type checkers only" in left[0].message


@pytest.mark.parametrize(
    ("original", "why"),
    [
        ("from ..vit.modeling_vit import Layer\nSIZE = 3\n\n\n" + block("x * SIZE"), "`SIZE`, which is not defined here: importing it from `my_models.bert.modeling_bert` would go in a circle"),
        ("from ..layers import Layer\nfrom unknown import *\n\n\n" + block("size(x)"), "`size`, which is not defined here: its original may have it from a `*` import"),
        ("from ..layers import Layer\nif a():\n    import size\nif b():\n    import size\n\n\n" + block("size(x)"), "several places, each on a condition"),
        ("from ..layers import Layer\nfor each in ():\n    import size\n\n\n" + block("size(x)"), "in the middle of other statements"),
        ("from ..layers import Layer\ndef f():\n    global size\n    size = 1\n\n\n" + block("size(x)"), "only a function of the original's module gives it a value"),
        ("from .helping import Helped\nfrom ..layers import Layer\n\n\n" + block("x", base="Behind") + "\n\n", None),
    ],
)  # fmt: skip
def test_a_copy_is_left_whose_names_no_import_brings(original: str, why: str | None, tmp_path: Path) -> None:
    text, left = fixed(tmp_path, files(original))
    if why is None:  # The original itself does not know the name.
        assert left == [] and "class ViTBlock(Behind):" in text
        return
    assert text == COPY
    (finding,) = left
    assert why in finding.message and "left as it is" in finding.message
    assert not finding.fixable and finding.severity.value == "error"


def test_the_others_of_a_file_are_rewritten_nevertheless(tmp_path: Path) -> None:
    other = "# Copied from my_models.bert.modeling_bert.more\ndef more(x):\n    return x\n"
    original = "from ..layers import Layer, scaled\nfrom unknown import *\n\n\n" + block("size(x)") + "\n\ndef more(x):\n    return scaled(x)\n"  # fmt: skip
    text, left = fixed(tmp_path, files(original, f"{COPY}\n\n{other}"))
    assert "return scaled(x)" in text and "from ..layers import Layer, scaled\n" in text and "size" not in text
    assert [finding.object for finding in left] == ["ViTBlock"]


def test_a_chain_of_copies_gets_its_imports_in_one_run(tmp_path: Path) -> None:
    original = "from ..layers import Layer\nfrom .helping import helped\n\n\n" + block("helped(x)")
    last = COPY.replace("bert.modeling_bert.BertBlock with Bert->ViT", "vit.modeling_vit.ViTBlock with ViT->Deit")
    given_files = files(original, bert__helping="def helped(x):\n    return x\n") | {
        "my_models/deit/modeling_deit.py": last.replace("class ViT", "class Deit")
    }
    text, left = fixed(tmp_path, given_files)
    assert left == []
    for name in ("vit", "deit"):
        text = (tmp_path / f"src/my_models/{name}/modeling_{name}.py").read_text()
        assert text.startswith("from ..bert.helping import helped\nfrom ..layers import Layer\n")


def test_a_name_that_the_marker_makes_is_looked_for_beside_the_copy(tmp_path: Path) -> None:
    original = "from ..layers import Layer\nfrom .configuration_bert import BertConfig\n\n\n" + block("BertConfig(x)")
    text, left = fixed(
        tmp_path,
        files(
            original,
            bert__configuration_bert="class BertConfig: ...\n",
            vit__configuration_vit="class ViTConfig: ...\n",
        ),
    )
    assert left == [] and "from .configuration_vit import ViTConfig\n" in text


def test_what_is_needed_at_once_is_not_defined_below(tmp_path: Path) -> None:
    copy = f"{COPY}\n\nclass ViTBase(Layer):\n    pass\n"
    original = "from ..layers import Layer\n\n\nclass BertBase(Layer):\n    pass\n\n\n" + block("x", base="BertBase")
    text, left = fixed(tmp_path, files(original, copy))
    assert text == copy and "`ViTBase`, which is defined only below it" in left[0].message


def test_an_import_in_a_function_that_leads_nowhere(tmp_path: Path) -> None:
    body = block("x").replace("        return x", "        from .helping import helped\n\n        return helped(x)")
    text, left = fixed(tmp_path, files(f"from ..layers import Layer\n\n\n{body}", bert__helping="helped = 1\n"))
    assert text == COPY and "`from .helping import` leads nowhere from this file" in left[0].message


def test_a_name_that_is_defined_no_more_keeps_the_copy_as_it_is(tmp_path: Path) -> None:
    copy = COPY.replace("        return x", "        global seen\n        seen = x\n        return x") + "\n\ndef show():\n    return seen\n"  # fmt: skip
    text, left = fixed(tmp_path, files(f"from ..layers import Layer\n\n\n{block('x')}", copy))
    assert text == copy and "`seen` would not be defined any more" in left[0].message


def test_imports_are_written_as_the_file_has_them(tmp_path: Path) -> None:
    header = '#!/usr/bin/env python\n# Terms.\n\n"""Doc."""\r\n'.replace("\r\n", "\n")
    copy = header + COPY.replace(
        "from ..layers import Layer\n", "from ..layers import (  # these\n    Layer,  # base\n)\n"
    )
    original = "import math\nfrom ..layers import Layer, scaled\n\n\n" + block("scaled(math.exp(x))")
    library = write_library(tmp_path, files(original, copy.replace("\n", "\r\n")))
    fix(library).write()
    expected = header + COPY.replace(
        "from ..layers import Layer\n",
        "import math\n\nfrom ..layers import (  # these\n    Layer,  # base\n    scaled,\n)\n",
    ).replace("return x", "return scaled(math.exp(x))")
    assert (tmp_path / "src/my_models/vit/modeling_vit.py").read_bytes().decode() == expected.replace("\n", "\r\n")
    assert codes_of(library) == []


# Property: whatever names the new text uses, no module ever has fewer of them than its original.
NAMES = ("alpha", "beta", "gamma", "print", "Bert", "BertMore", "size")
SOURCES = st.sampled_from(
    [
        "from .helping import {0}",
        "from ..layers import scaled as {0}",
        "import {0}",
        "import {0}.parts",
        "import os as {0}",
        "{0} = 1",
        "def {0}(): pass",
        "class {0}: pass",
        "if True:\n    import {0}",
        "if alpha:\n    from .helping import {0}\nelse:\n    {0} = 2",
        "try:\n    import {0}\nexcept ImportError:\n    pass",
        "try:\n    import {0}\nexcept ImportError:\n    {0} = None",
        "for {0} in (): pass",
        "from .helping import *",
        "from unknown import *",
        "({0} := 1)",
        "def f():\n    global {0}\n    {0} = 1",
    ]
)
USES = st.sampled_from(
    [
        "x = {0}",
        "x = lambda {0}: {0}",
        "x = [{0} for {0} in ()]",
        "x = [{0} for y in {0}]",
        "{0} = 1; x = {0}",
        "global {0}; x = {0}",
        "def g(y: {0} = 1): pass",
        "def g(y=1) -> '{0}': pass",
        "class A({0}):\n            {0} = {0}",
        "import {0}",
        "x = f'{{{0}}}'",
        "x: {0} = 1",
        "try: pass\n        except {0} as {1}: x = {1}",
        "match x:\n            case {{'a': {0}}}: pass\n            case {1}.A: pass",
        "x = x.{0}(alpha=1)",
    ]
)
NAME = st.sampled_from(NAMES)


@st.composite
def modules(draw: st.DrawFn) -> tuple[str, str, str]:
    """The header of an original, the body of its block, the header of its copy."""
    headers = []
    for most in (5, 3):
        lines = draw(st.lists(st.tuples(SOURCES, NAME), max_size=most))
        headers.append("".join(f"{source.format(name)}\n" for source, name in lines))
    uses = draw(st.lists(st.tuples(USES, NAME, NAME), min_size=1, max_size=4))
    body = "".join(f"        {use.format(name, other)}\n" for use, name, other in uses)
    return headers[0], body, headers[1].replace("Bert", "ViT")


def looked_up(text: str) -> set[str]:
    """The names that the functions of a module look up in it, as Python's own compiler tells."""
    found: set[str] = set()
    pending = [symtable.symtable(text, "module", "exec")]
    while pending:
        table = pending.pop()
        pending += table.get_children()
        found |= {name.get_name() for name in table.get_symbols() if name.is_referenced() and (name.is_global() or table.get_type() == "module")}  # fmt: skip
    return found


def unbound(text: str) -> set[str]:
    table = symtable.symtable(text, "module", "exec")
    pending, bound = [table], {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported() or name.is_namespace()}  # fmt: skip
    while pending:
        table = pending.pop()
        pending += table.get_children()
        bound |= {name.get_name() for name in table.get_symbols() if name.is_declared_global() and name.is_assigned()}
    return looked_up(text) - bound - set(dir(builtins))


@given(modules())
@settings(max_examples=150, deadline=None)
def test_no_name_is_ever_lost(tmp_path_factory: pytest.TempPathFactory, parts: tuple[str, str, str]) -> None:
    header, body, own_header = parts
    definition = "class {}Block:\n    def forward(self, x):\n"
    original = f"{header}\n\n{definition.format('Bert')}{body}"
    copy = f"{own_header}\n\n# Copied from my_models.bert.modeling_bert.BertBlock with Bert->ViT\n{definition.format('ViT')}        return x\n"  # fmt: skip
    try:
        compile(original, "original", "exec")
        compile(copy, "copy", "exec")
    except SyntaxError:
        return
    helping = "alpha = beta = gamma = size = 1\n\n\nclass Bert: ...\n\n\nclass BertMore: ...\n\n\ndef print(): ...\n"
    text, left = fixed(tmp_path_factory.mktemp("library"), files(original, copy, bert__helping=helping))
    if left:
        assert text == copy
        return
    if "*" in original or "*" in copy:
        return
    strange = {name.replace("Bert", "ViT") for name in unbound(original)} | unbound(original)
    assert unbound(text) <= unbound(copy) | strange, text


ZOO_COPY = """import torch
from torch import nn


# Copied from add_model.zoo.models.bert.modeling_bert.BertIntermediate with Bert->ViT
class ViTIntermediate(nn.Module):
    pass
"""


def test_a_copy_of_the_bundled_library_imports_from_its_own(tmp_path: Path) -> None:
    own = {"my_models/activations.py": "def get_activation(name): ...\n"}
    config = {"my_models/models/vit/configuration_vit.py": "class ViTConfig: ...\n"}
    copy: dict[str, str | bytes] = {"my_models/models/vit/modeling_vit.py": ZOO_COPY}
    library = write_library(tmp_path / "one", copy | own | config)
    done = fix(library)
    done.write()
    assert done.findings == []
    text = (tmp_path / "one/src/my_models/models/vit/modeling_vit.py").read_text()
    assert (
        "from ...activations import get_activation\n" in text and "from .configuration_vit import ViTConfig\n" in text
    )
    assert "add_model" not in text.replace("# Copied from add_model", "")
    (finding,) = fix(write_library(tmp_path / "two", copy | config)).findings
    assert "the library that comes with add-model has it in `add_model.zoo.activations`" in finding.message


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads it")
def test_where_this_python_cannot_read_the_file_no_new_word_comes_in(tmp_path: Path) -> None:
    newer = "\n\nx = t'{y}'\n"
    text, left = fixed(tmp_path / "one", files("import math\n\n\n" + block("math.exp(x)"), COPY + newer))
    assert text == COPY + newer and "this Python cannot read the file" in left[0].message
    text, left = fixed(tmp_path / "two", files("import math\n\n\n" + block("x(x)"), COPY + newer))
    assert left == [] and "return x(x)" in text
