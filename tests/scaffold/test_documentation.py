from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.scaffold.surroundings.documentation import document, with_index_entry

ENTRY = "- [BrandNewBert](models/brand_new_bert.md): like BERT"
INDEX = """# My models

Introduction.

## Models

- [Albert](models/albert.md): like BERT
- [Zebra](models/zebra.md): like GPT-2

## More

- [Apple](apple.md)
"""


def classes(text: str, **modules: str) -> dict[str, str]:
    """Name -> signature of the classes of a module."""
    return {found.name: found.signature for found in document({Path("modeling_bert.py"): text})}


def test_every_class_is_described() -> None:
    modules = {
        Path("bert/__init__.py"): "from .configuration_bert import BertConfig\nfrom .modeling_bert import BertModel as Model\n",
        Path("bert/configuration_bert.py"): 'class BertConfig:\n    """The configuration.\n\n    More of it.\n    """\n\n    def __init__(self, size: int = 3) -> None: ...\n',
        Path("bert/modeling_bert.py"): "class BertLayer:\n    pass\n\n\nclass Model:\n    '''A model.'''\n\n    def forward(self, x): ...\n\n\ndef helper(): ...\n",
        Path("tests/test_modeling_bert.py"): "class TestBert:\n    pass\n",
    }  # fmt: skip
    found = document(modules)
    assert [(item.name, item.module, item.is_public) for item in found] == [
        ("BertConfig", "configuration_bert", True),
        ("BertLayer", "modeling_bert", False),
        ("Model", "modeling_bert", True),
    ]
    assert [item.signature for item in found] == ["BertConfig(size: int=3)", "BertLayer(...)", "Model.forward(x)"]
    assert found[0].docstring == "The configuration.\n\nMore of it."
    assert [item.summary for item in found] == ["The configuration.", "", "A model."]


@pytest.mark.parametrize(
    ("methods", "signature"),
    [
        ("def __init__(self, a): ...", "C(a)"),
        ("def __init__(self): ...\n    def forward(self, b: int) -> Tensor: ...", "C.forward(b: int) -> Tensor"),
        ("def __init__(self): ...\n    def __call__(self, text): ...", "C.__call__(text)"),
        ("def other(self): ...", "C(...)"),
        ("def forward(self): ...", "C.forward()"),
        ("def forward(self, *args, key: int = 1, **others): ...", "C.forward(*args, key: int=1, **others)"),
        ("def forward(self, *, key): ...", "C.forward(*, key)"),
        # As formatters write it, which look into pages, too.
        ("def __init__(self, a='<s>', b=''): ...", 'C(a="<s>", b="")'),
        ("""def __init__(self, a='"', b="'", c='\\\\'): ...""", """C(a='"', b="'", c='\\\\')"""),
    ],
)
def test_a_class_is_shown_as_it_is_called(methods: str, signature: str) -> None:
    assert classes(f"class C:\n    {methods}\n") == {"C": signature}


def test_a_long_signature_takes_a_line_a_parameter() -> None:
    text = "class C:\n    def forward(self, hidden_states: Tensor, mask: Tensor | None = None, *rest, use_the_cache: bool = False, some_more=(1, 2), **others) -> Tensor: ...\n"
    assert classes(text)["C"].splitlines() == [
        "C.forward(",
        "    hidden_states: Tensor,",
        "    mask: Tensor | None = None,",
        "    *rest,",
        "    use_the_cache: bool = False,",
        "    some_more=(1, 2),",
        "    **others,",
        ") -> Tensor",
    ]


def test_a_long_signature_with_keywords_alone_says_so() -> None:
    text = f"class C:\n    def forward(self, a, *, {'b' * 40}, {'c' * 40}=1): ...\n"
    assert classes(text)["C"].splitlines()[1:4] == ["    a,", "    *,", f"    {'b' * 40},"]


# The index


def test_an_entry_goes_to_its_place_by_the_alphabet() -> None:
    before, after = INDEX.split("- [Zebra]")
    assert with_index_entry(INDEX, ENTRY) == f"{before}{ENTRY}\n- [Zebra]{after}"


def test_an_entry_behind_all_others_ends_the_list() -> None:
    entry = "- [Zygote](models/zygote.md): like BERT"
    assert with_index_entry(INDEX, entry) == INDEX.replace("like GPT-2\n", f"like GPT-2\n{entry}\n")


def test_an_entry_of_several_lines_stays_together() -> None:
    entry = "- [Zygote](models/zygote.md): like BERT"
    index = INDEX.replace("like GPT-2\n", "like GPT-2\n  and much more\n")
    assert with_index_entry(index, entry) == index.replace("much more\n", f"much more\n{entry}\n")


@pytest.mark.parametrize("text", ["- [BrandNewBert](models/brand_new_bert.md)", f"{ENTRY}, edited by hand"])
def test_an_entry_that_stands_already_is_left_as_it_is(text: str) -> None:
    index = INDEX.replace("- [Zebra]", f"{text}\n- [Zebra]")
    assert with_index_entry(index, ENTRY) == index


def test_an_entry_elsewhere_is_no_entry() -> None:
    index = f"{ENTRY}\n\n{INDEX}"
    assert with_index_entry(index, ENTRY) != index


@pytest.mark.parametrize("text", ["", "# My models\n", "### Models\n", "## Models and more\n", "text ## Models\n"])
def test_without_the_heading_there_is_no_place(text: str) -> None:
    assert with_index_entry(text, ENTRY) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("## Models\n", f"## Models\n{ENTRY}\n"),
        ("## Models", f"## Models\n{ENTRY}\n"),
        ("## Models\n\n", f"## Models\n\n{ENTRY}\n"),
        ("## Models\n\n- [A](a.md)", f"## Models\n\n- [A](a.md)\n{ENTRY}\n"),
        ("## Models\n\nAll of them:\n", None),
        ("## Models\n\n## More\n", f"## Models\n\n{ENTRY}\n\n## More\n"),
    ],
)
def test_the_first_entry(before: str, after: str | None) -> None:
    found = with_index_entry(before, ENTRY)
    assert found is not None and f"{ENTRY}\n" in found
    assert after is None or found == after


@given(names=st.lists(st.from_regex(r"[A-Za-z][a-z]{0,4}", fullmatch=True), unique_by=str.casefold, max_size=6), newline=st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_whatever_order_entries_come_in_the_list_is_sorted(names: list[str], newline: str) -> None:
    text = f"# T{newline}{newline}## Models{newline}{newline}## More{newline}* x{newline}"
    entries = [f"- [{name}](models/{name}.md): like BERT" for name in names]
    for entry in entries:
        added = with_index_entry(text, entry)
        assert added is not None and added.replace(f"{entry}{newline}", "").split() == text.split()
        text = added
        assert with_index_entry(text, entry) == text
    assert [line for line in text.split(newline) if line.startswith("- ")] == sorted(entries, key=str.casefold)
    assert newline == "\n" or "\n" not in text.replace("\r\n", "")
