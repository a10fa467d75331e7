import ast

from add_model.scaffold.checkout.package_file import with_modules, without_modules

FIVE = """\
from typing import TYPE_CHECKING

from ...utils import _LazyModule


if TYPE_CHECKING:
    from .configuration_wren import *
    from .modeling_wren import *
    from .tokenization_wren import *
else:
    import sys
"""

FOUR = """\
from typing import TYPE_CHECKING

from ...utils import OptionalDependencyNotAvailable, _LazyModule, is_tokenizers_available, is_torch_available


_import_structure = {
    "configuration_wren": ["WrenConfig"],
    "tokenization_wren": ["WrenTokenizer"],
}

try:
    if not is_tokenizers_available():
        raise OptionalDependencyNotAvailable()
except OptionalDependencyNotAvailable:
    pass
else:
    _import_structure["tokenization_wren_fast"] = ["WrenTokenizerFast"]

if TYPE_CHECKING:
    from .configuration_wren import WrenConfig
    from .tokenization_wren import WrenTokenizer

    try:
        if not is_tokenizers_available():
            raise OptionalDependencyNotAvailable()
    except OptionalDependencyNotAvailable:
        pass
    else:
        from .tokenization_wren_fast import WrenTokenizerFast
else:
    import sys
"""
TOKENIZATION = {"tokenization_wren", "tokenization_wren_fast"}


def test_what_a_file_says_of_a_module_is_taken_out() -> None:
    assert without_modules(FIVE, TOKENIZATION) == FIVE.replace("    from .tokenization_wren import *\n", "")
    four = without_modules(FOUR, TOKENIZATION)
    assert "okenize" not in four.replace("is_tokenizers_available, ", "")
    assert '"configuration_wren": ["WrenConfig"]' in four and "from .configuration_wren import WrenConfig" in four
    ast.parse(four)


def test_nothing_else_changes() -> None:
    assert without_modules(FOUR, {"modeling_wren"}) == FOUR


def test_what_another_file_says_of_a_module_is_put_in() -> None:
    assert "from .tokenization_finch import *" in with_modules(FIVE, FIVE.replace("tokenization_wren", "tokenization_finch"), {"tokenization_finch"})  # fmt: skip
    bare = without_modules(FOUR, TOKENIZATION)
    four = with_modules(bare, FOUR.replace("is_tokenizers", "is_feathers"), TOKENIZATION)
    ast.parse(four)
    assert (
        four.count("WrenTokenizerFast") == 2 and '_import_structure["tokenization_wren"] = ["WrenTokenizer"]' in four
    )
    # Behind the literal that it adds to, and with the function that it asks.
    assert four.index("_import_structure = {") < four.index('_import_structure["tokenization_wren"]')
    assert "from ...utils import is_feathers_available" in four
