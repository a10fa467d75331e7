import ast
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.registry import Registry, parse_registry
from add_model.registry_edits import with_entries, without_entries, without_model

TEXT = '''"""The registry of my models.

Keys are sorted.
"""

from collections import OrderedDict  # kept for old pickles

# Configurations.
CONFIG_MAPPING_NAMES: dict[str, str] = {
    # text
    "bert": "BertConfig",  # the first
    "gpt2": "GPT2Config",
    # vision
    "vit": "ViTConfig",  # the last
}

MODEL_MAPPING_NAMES = {'bert': 'BertModel', "gpt2" : "GPT2Model"}
MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {}
MODEL_FOR_CAUSAL_LM_MAPPING_NAMES = {"gpt2": "GPT2LMHeadModel"}  # one line
DECLARED_MAPPING_NAMES: dict[str, str]
OTHER = {"bert": [1, 2]}


def untouched( a,b ):
    return {"bert" : a}
'''

TYPES = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
CLASSES = st.from_regex(r"[A-Z][A-Za-z]{0,6}", fullmatch=True)
MAPPINGS = st.sampled_from(["CONFIG_MAPPING_NAMES", "MODEL_MAPPING_NAMES", "MODEL_FOR_MASKED_LM_MAPPING_NAMES"])
TABLES = st.dictionaries(MAPPINGS, st.dictionaries(TYPES, CLASSES, max_size=5), max_size=3)


@st.composite
def registries(draw: st.DrawFn) -> str:
    """A registry in the layouts that people write: on one line or several, with comments, sorted or not."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = '"""My models."""' + newline
    for mapping, types in draw(TABLES).items():
        text += draw(st.sampled_from(["", f"{newline}# about it  {newline}", newline * 2]))
        text += f"{mapping}{draw(st.sampled_from(['', ': dict[str, str]', ' : dict']))} = "
        quote = draw(st.sampled_from(["'", '"']))
        entries = [f"{quote}{model_type}{quote}: {quote}{name}{quote}" for model_type, name in types.items()]
        if draw(st.booleans()):
            text += "{" + ", ".join(entries) + "}" + newline
            continue
        text += "{" + newline
        for number, entry in enumerate(entries):
            text += draw(st.sampled_from(["", f"    # a group{newline}", newline]))
            comma = "," if number + 1 < len(entries) else draw(st.sampled_from([",", ""]))
            text += f"    {entry}{comma}{draw(st.sampled_from(['', '  # why']))}{newline}"
        text += draw(st.sampled_from(["", f"    # the end{newline}"])) + "}" + newline
    return text + draw(st.sampled_from(["", f"OTHER = {{'a' : 1}}  # other{newline}", "x=1"]))


def merged(
    before: Mapping[str, Mapping[str, str]], entries: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    return {name: {**before.get(name, {}), **entries.get(name, {})} for name in {*before, *entries}}


def lines_of(text: str) -> list[str]:
    """The lines, but for the comma that an entry asks for when another comes behind it."""
    return [line.replace(",", "") for line in text.splitlines()]


def is_part_of(lines: list[str], others: list[str]) -> bool:
    """Whether every line stands among the others, in this order."""
    rest = iter(others)
    return all(line in rest for line in lines)


def is_in_lines(text: str, mapping: str) -> bool:
    """Whether a mapping is laid out on several lines, so that an entry more is a line more."""
    return "\n" in text.partition(mapping)[2].partition("}")[0]


def test_a_registry_is_read() -> None:
    registry = parse_registry(TEXT, "registry.py")
    assert registry.model_types == ["bert", "gpt2", "vit"]
    assert registry.classes("gpt2") == {
        "CONFIG_MAPPING_NAMES": "GPT2Config",
        "MODEL_MAPPING_NAMES": "GPT2Model",
        "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES": "GPT2LMHeadModel",
    }
    assert registry.heads("gpt2") == {"causal-lm": "GPT2LMHeadModel"}
    assert registry.heads("bert") == {} and registry.classes("t5") == {}


def test_heads_come_in_the_order_of_the_registry() -> None:
    text = 'MODEL_FOR_B_MAPPING_NAMES = {"x": "XForB"}\nMODEL_FOR_A_TASK_MAPPING_NAMES = {"x": "XForATask"}\n'
    assert list(parse_registry(text, "registry.py").heads("x").items()) == [("b", "XForB"), ("a-task", "XForATask")]


def test_an_empty_registry_is_read() -> None:
    assert parse_registry("", "registry.py") == Registry({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A = {\n\n  1:: 2}", r"registry\.py:3:\d+: does not parse: .*; mend it and run again"),
        ("A_MAPPING_NAMES = {'a': '\0'}", r"registry\.py.*does not parse: .*null bytes.*; mend it"),
        ("x = 1\nA_MAPPING_NAMES = {'a': 1}", r"registry\.py:2: A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = {1: 'a'}", "A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = dict(a='A')", "A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = OrderedDict([('a', 'A')])", "A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = {**B}", "A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = {[]: 'a'}", "A_MAPPING_NAMES must be a dict of strings"),
        ("A_MAPPING_NAMES = ['a']", "A_MAPPING_NAMES must be a dict of strings"),
    ],
)
def test_a_registry_that_cannot_be_read_is_named_with_the_line(text: str, said: str) -> None:
    with pytest.raises(AddModelError, match=said) as error:
        parse_registry(text, "registry.py")
    assert "\n" not in str(error.value)


def test_an_entry_is_added_at_its_place_and_nothing_else_changes() -> None:
    entries = {"CONFIG_MAPPING_NAMES": {"brand_new": "BrandNewConfig"}, "MODEL_MAPPING_NAMES": {"brand_new": "BrandNewModel"}}  # fmt: skip
    expected = TEXT.replace(
        '    "gpt2": "GPT2Config",\n', '    "brand_new": "BrandNewConfig",\n    "gpt2": "GPT2Config",\n'
    ).replace("'BertModel', ", '\'BertModel\', "brand_new": "BrandNewModel", ')
    assert with_entries(TEXT, entries) == expected


@pytest.mark.parametrize(
    ("model_type", "line_before"),
    [("albert", "    # text\n"), ("zebra", '    "vit": "ViTConfig",  # the last\n'), ("swin", "    # vision\n")],
)
def test_the_alphabet_decides_on_the_line(model_type: str, line_before: str) -> None:
    line = f'    "{model_type}": "X",\n'
    expected = TEXT.replace(line_before, line_before + line)
    assert with_entries(TEXT, {"CONFIG_MAPPING_NAMES": {model_type: "X"}}) == expected


def test_the_first_entry_of_a_mapping() -> None:
    expected = TEXT.replace("_LM_MAPPING_NAMES: dict[str, str] = {}", '_LM_MAPPING_NAMES: dict[str, str] = {\n    "bert": "X",\n}')  # fmt: skip
    assert with_entries(TEXT, {"MODEL_FOR_MASKED_LM_MAPPING_NAMES": {"bert": "X"}}) == expected


def test_an_entry_that_stands_is_replaced_in_its_place() -> None:
    expected = TEXT.replace('"BertConfig"', '"NewConfig"')
    assert with_entries(TEXT, {"CONFIG_MAPPING_NAMES": {"bert": "NewConfig"}}) == expected


def test_a_mapping_that_is_missing_is_added_at_the_end() -> None:
    entries = {"MODEL_FOR_NEW_TASK_MAPPING_NAMES": {"b": "BForNewTask", "a": "AForNewTask"}}
    added = (
        '\nMODEL_FOR_NEW_TASK_MAPPING_NAMES: dict[str, str] = {\n    "a": "AForNewTask",\n    "b": "BForNewTask",\n}\n'
    )
    assert with_entries(TEXT, entries) == TEXT + added


def test_nothing_to_add_changes_nothing() -> None:
    assert with_entries(TEXT, {}) == TEXT


def test_a_comment_stays_with_the_last_entry() -> None:
    text = 'A_MAPPING_NAMES = {\n    "a": "A"  # why\n}\n'
    assert with_entries(text, {"A_MAPPING_NAMES": {"b": "B"}}) == 'A_MAPPING_NAMES = {\n    "a": "A",  # why\n    "b": "B"\n}\n'  # fmt: skip


def test_a_comment_in_an_empty_mapping_is_kept() -> None:
    text = "A_MAPPING_NAMES = {\n    # none yet\n}\n"
    assert with_entries(text, {"A_MAPPING_NAMES": {"b": "B"}}) == 'A_MAPPING_NAMES = {\n    # none yet\n    "b": "B",\n}\n'  # fmt: skip


@settings(max_examples=50)
@given(text=registries(), entries=TABLES)
def test_entries_come_in_and_every_line_stays(text: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    before = parse_registry(text, "registry.py").mappings
    after = with_entries(text, entries)
    assert parse_registry(after, "registry.py").mappings == merged(before, entries)
    is_added_in_lines = all(is_in_lines(text, name) for name in entries if name in before)
    is_replaced = any(model_type in before.get(name, {}) for name, types in entries.items() for model_type in types)
    if is_added_in_lines and not is_replaced:
        assert is_part_of(lines_of(text), lines_of(after))


@settings(max_examples=50)
@given(text=registries(), entries=TABLES)
def test_line_endings_and_comments_survive(text: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    after = with_entries(text, entries)
    if "\r\n" in text:
        assert "\n" not in after.replace("\r\n", "")
    else:
        assert "\r" not in after
    for comment in ("# about it  ", "# a group", "# why", "# the end", "# other"):
        assert after.count(comment) == text.count(comment)


@settings(max_examples=50)
@given(text=registries(), entries=TABLES)
def test_adding_twice_is_adding_once(text: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    once = with_entries(text, entries)
    assert with_entries(once, entries) == once


@settings(max_examples=50)
@given(text=registries())
def test_without_entries_the_mappings_are_there_and_empty(text: str) -> None:
    before, after = (
        parse_registry(text, "registry.py").mappings,
        parse_registry(without_entries(text), "r.py").mappings,
    )
    assert list(after) == list(before)
    assert not any(after.values())
    ast.parse(without_entries(text))


@settings(max_examples=50)
@given(text=registries(), model_type=TYPES, mapping=MAPPINGS)
def test_what_was_added_comes_off_again(text: str, model_type: str, mapping: str) -> None:
    before = parse_registry(text, "registry.py").mappings
    assume(before.get(mapping) and model_type not in before[mapping])
    added = with_entries(text, {mapping: {model_type: "X"}})
    assert without_model(added, model_type, {mapping}) == text


@pytest.mark.parametrize(
    ("model_type", "gone"),
    [
        ("bert", '    "bert": "BertConfig",  # the first\n'),
        ("gpt2", '    "gpt2": "GPT2Config",\n'),
        ("vit", '    "vit": "ViTConfig",  # the last\n'),
    ],
)
def test_an_entry_goes_with_its_line_and_the_comments_of_others_stay(model_type: str, gone: str) -> None:
    assert without_model(TEXT, model_type, {"CONFIG_MAPPING_NAMES"}) == TEXT.replace(gone, "")


def test_a_mapping_may_become_empty_and_stays() -> None:
    expected = TEXT.replace('{"gpt2": "GPT2LMHeadModel"}', "{}")
    assert without_model(TEXT, "gpt2", {"MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"}) == expected


def test_a_model_that_is_not_there_comes_off_without_a_trace() -> None:
    assert without_model(TEXT, "t5", {"CONFIG_MAPPING_NAMES", "MODEL_FOR_NEW_TASK_MAPPING_NAMES"}) == TEXT
