import ast
from textwrap import dedent

import pytest

from add_model.references import find_reference
from add_model.scaffold.standalone.selection import without_names


def check(before: str, after: str, *dropped: str, keep: frozenset[str] = frozenset()) -> None:
    assert without_names(dedent(before).lstrip("\n"), set(dropped), keep)[0] == dedent(after).lstrip("\n")


def test_a_class_goes_with_everything_that_names_it() -> None:
    before = '''
    """A model."""

    from .modeling import BertForMaskedLM, BertModel

    __all__ = ["BertForMaskedLM", "BertModel"]
    CLASSES = {"base": BertModel, "masked-lm": BertForMaskedLM}


    class BertModel:
        pass


    # The head.
    @decorated
    class BertForMaskedLM(BertModel):
        def forward(self):
            return 1
    '''
    after = '''
    """A model."""

    from .modeling import BertModel

    __all__ = ["BertModel"]
    CLASSES = {"base": BertModel}


    class BertModel:
        pass
    '''
    check(before, after, "BertForMaskedLM")


def test_helpers_and_imports_that_only_it_needed_go_too() -> None:
    before = """
    import math
    import torch
    from torch.nn import CrossEntropyLoss, Linear


    def scaled(x):
        return x / math.sqrt(2)


    def helper(x):
        return scaled(x)


    class Transform:
        def forward(self, x):
            return helper(x)


    class Head:
        def __init__(self):
            self.transform = Transform()
            self.loss = CrossEntropyLoss()


    class Model:
        layer = Linear(torch.int, 2)
    """
    after = """
    import torch
    from torch.nn import Linear


    class Model:
        layer = Linear(torch.int, 2)
    """
    check(before, after, "Head")


def test_a_helper_that_something_else_needs_stays() -> None:
    before = """
    def helper(x):
        return x


    class Head:
        value = helper(1)


    class Other:
        value = helper(2)
    """
    after = """
    def helper(x):
        return x


    class Other:
        value = helper(2)
    """
    check(before, after, "Head")


def test_what_nothing_referred_to_before_stays() -> None:
    before = "import os\n\n\ndef unused():\n    pass\n\n\nclass Head:\n    pass\n"
    check(before, "import os\n\n\ndef unused():\n    pass\n", "Head")


def test_what_is_to_be_kept_is_kept() -> None:
    before = "class Model:\n    pass\n\n\nclass Head:\n    base = Model\n"
    check(before, "class Model:\n    pass\n", "Head", keep=frozenset({"Model"}))
    assert without_names(before, {"Head"})[0].strip() == ""


def test_what_went_is_named() -> None:
    text = "def helper():\n    pass\n\n\nclass Head:\n    base = helper()\n"
    assert without_names(text, {"Head", "NotHere"})[1] == {"Head", "helper"}


@pytest.mark.parametrize("text", ["", "x = 1\n", "class HeadAndMore:\n    '''Head, the word.'''\n"])
def test_a_text_without_the_name_is_untouched(text: str) -> None:
    assert without_names(text, {"Elsewhere"}) == (text, frozenset())


def test_a_longer_name_and_prose_are_no_mention() -> None:
    text = 'class HeadAndMore:\n    """Unlike Head, it does more."""\n\n    # See Head.\n    value = Heads\n'
    assert without_names(text, {"Head"}) == (text, frozenset())


def test_the_smallest_thing_goes() -> None:
    before = """
    class TestModel:
        heads = (Base, Head, Other)
        only = [Head]
        mapping = {"head": Head, "other": Other}
        head = Head

        def test_base(self):
            check(Base)

        def test_head(self):
            model = Head()
            check(model)
    """
    after = """
    class TestModel:
        heads = (Base, Other)
        only = []
        mapping = {"other": Other}

        def test_base(self):
            check(Base)
    """
    check(before, after, "Head")


@pytest.mark.parametrize("before", ["classes = (Head,)\n", "classes = [\n    Head,  # one\n]\n", 'classes = {"head": Head}\n'])  # fmt: skip
def test_a_collection_of_nothing_else_is_left_empty(before: str) -> None:
    after, _ = without_names(before, {"Head"})
    assert len(ast.literal_eval(after.removeprefix("classes = "))) == 0


def test_an_import_of_nothing_else_goes_whole() -> None:
    before = (
        "from .a import (\n    Head,\n)\nfrom .b import Base\nfrom .c import Base as Head, Other\nfrom .d import *\n"
    )
    check(before, "from .b import Base\nfrom .c import Other\nfrom .d import *\n", "Head")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["zoo:bert", "zoo:gpt2", "zoo:bart"])
def test_what_remains_of_a_model_holds_no_mention_of_what_went(model: str) -> None:
    reference = find_reference(model, None)
    for chosen in (set(), {list(reference.heads.values())[-1]}):
        dropped = set(reference.heads.values()) - chosen
        for path, text in reference.files.items():
            after, gone = without_names(text, dropped, frozenset(reference.classes.values()) - dropped)
            module = ast.parse(after)
            assert not {node.id for node in ast.walk(module) if isinstance(node, ast.Name)} & (dropped | gone), path
            if path.name.startswith("modeling_"):
                defined = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
                assert {reference.classes["MODEL_MAPPING_NAMES"], *chosen} <= defined and not defined & dropped
