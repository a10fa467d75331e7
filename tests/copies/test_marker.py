"""The grammar's examples are its tests."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.language.marker import (
    Marker,
    Mention,
    Replacement,
    find_comments,
    marker_lines,
    read_comment,
    replace,
    without_markers,
)

SOURCE = "transformers.models.bert.modeling_bert.BertLayer"


@pytest.mark.parametrize(
    ("rest", "replacements"),
    [
        ("", []),
        (" with Bert->ViT", [Replacement("Bert", "ViT")]),
        (" Bert->ViT", [Replacement("Bert", "ViT")]),
        (" with Bert->ViT,bert->vit", [Replacement("Bert", "ViT"), Replacement("bert", "vit")]),
        (" with Bert->ViT,  bert->vit ", [Replacement("Bert", "ViT"), Replacement("bert", "vit")]),
        (" with Bert->ViT, with bert->vit", [Replacement("Bert", "ViT"), Replacement("bert", "vit")]),
        (" with Bert->ViT all-casing", [Replacement("Bert", "ViT", all_casing=True)]),
        (" with a/b-base->c/d_e0.40", [Replacement("a/b-base", "c/d_e0.40")]),
        ("  with self.bert->self.vit", [Replacement("self.bert", "self.vit")]),
    ],
)
def test_markers(rest: str, replacements: list[Replacement]) -> None:
    assert read_comment(f"    # Copied from {SOURCE}{rest}") == Marker("    ", SOURCE, tuple(replacements))


@pytest.mark.parametrize(
    ("rest", "replacements", "problem"),
    [
        (" with Bert -> ViT", [], "`Bert -> ViT`"),
        (" -> ViTLayer", [], "`-> ViTLayer`"),
        (" with Bert->ViT, CLIPConfig", [Replacement("Bert", "ViT")], "`CLIPConfig`"),
        (" with A->B, Big Bird->Small Bird", [Replacement("A", "B")], "`Big Bird->Small Bird`"),
        (" with Bert->ViT and one change", [Replacement("Bert", "ViT")], "`and one change` behind `Bert->ViT`"),
        (" with", [], "missing"),
    ],
)
def test_markers_that_say_more_than_is_understood(rest: str, replacements: list[Replacement], problem: str) -> None:
    marker = read_comment(f"# Copied from {SOURCE}{rest}")
    assert isinstance(marker, Marker)
    assert marker.replacements == tuple(replacements)
    assert len(marker.problems) == 1 and problem in marker.problems[0]


def test_a_slash_stands_for_a_dot() -> None:
    marker = read_comment("# Copied from diffusers.pipelines.deprecated/pipeline_x.Pipeline.decode")
    assert isinstance(marker, Marker) and marker.source == "diffusers.pipelines.deprecated.pipeline_x.Pipeline.decode"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"# copied from {SOURCE}", "not written"),
        (f"# Copied {SOURCE} with Bert->ViT", "not written"),
        (f"# TODO: Copied from {SOURCE} with Bert->ViT", "`TODO:` stands before it"),
        (f"# # Copied from {SOURCE}", "`#` stands before it"),
        (f"@staticmethod  # Copied from {SOURCE}", "behind code"),
        (f"# Copied from: {SOURCE} with Bert->ViT", "a colon stands before"),
        (f"# Copied from : {SOURCE}", "a colon stands before"),
        (f"# Copied from `{SOURCE}` with Bert->ViT", "in quotes"),
        (f'# Copied from "{SOURCE}", Bert->ViT', "in quotes"),
        (f"# Copied from `{SOURCE}`", "in quotes"),
        (f"# Copied from {SOURCE.replace('.', '..', 1)} with Bert->ViT", "something else than one dot"),
        (f"# Copied from {SOURCE.replace('.BertLayer', ':BertLayer')}", "something else than one dot"),
    ],
)
def test_mentions(line: str, why: str) -> None:
    mention = read_comment(line)
    assert isinstance(mention, Mention)
    assert mention.source == SOURCE and why in mention.why


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("# Copied from bert.BertLayer with Bert->ViT", "bert.BertLayer"),
        ("# Copied from .bert.BertLayer with Bert->ViT", ".bert.BertLayer"),
        ("# Copied from ..models.bert.BertLayer", "..models.bert.BertLayer"),
        ("# copied from MyLibrary.bert.BertLayer", "MyLibrary.bert.BertLayer"),
    ],
)
def test_mentions_that_may_leave_their_package_out(line: str, source: str) -> None:
    mention = read_comment(line)
    assert isinstance(mention, Mention) and mention.source == source


@pytest.mark.parametrize("source", ["my_models.bert.ÜberLayer", "MyModels.bert.BertLayer", "modèles.bert.Bert"])
def test_names_are_those_of_the_language(source: str) -> None:
    line = f"# Copied from {source} with Über->ViT"
    assert read_comment(line) == Marker("", source, (Replacement("Über", "ViT"),))
    assert without_markers(f"{line}\n") == ""


@pytest.mark.parametrize(
    "line",
    [
        "# Copied from https://github.com/crowsonkb/k-diffusion/blob/master/sampling.py#L17",
        "# Copied from fairseq for no_repeat_ngram in beam_search",
        "# Copied from statements must be added just before the definition",
        "# Copied from `modeling_tf_t5.py` with -1e9 -> -10000",
        "# Copied from OnnxConfig.generate_dummy_inputs",
        "# copied from Siglip2ImageProcessor",
        "# copied from `transformers.onnx.config.OnnxConfig` and slightly altered/simplified",
        "# The following lines of code are copied from: transformers.onnx.config.OnnxConfig",
        "# The layers are copied from bert.BertLayer",
        "# Copied from: https://github.com/crowsonkb/k-diffusion/blob/master/sampling.py#L17",
        "# Copied from bert.py",
        "# Copied from ./bert.py",
        "# TODO @longjie no longer copied from Mistral after static cache",
        "x = 1",
        "",
    ],
)
def test_prose(line: str) -> None:
    assert read_comment(line) is None


def test_replacements_apply_from_left_to_right_to_each_others_results() -> None:
    replacements = (Replacement("Bert", "MobileBert", all_casing=True), Replacement("MobileBert", "Tiny"))
    assert replace("Bert bert BERT", replacements) == "Tiny mobilebert MOBILEBERT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('f("eng_Latn")', 'f("eng")'),
        ("f('eng_Latn')", "f('eng')"),
        # What is there as it is written is meant, and nothing else.
        ("""f("eng_Latn")  # not 'eng_Latn'""", """f("eng")  # not 'eng_Latn'"""),
    ],
)
def test_quotes_in_a_replacement_are_those_of_any_style(text: str, expected: str) -> None:
    assert replace(text, (Replacement('"eng_Latn"', '"eng"'),)) == expected


def test_comments_are_found_with_their_lines() -> None:
    text = f"import x\n\n\n# Copied from {SOURCE}\ndef f(): ...\n# copied from {SOURCE}"
    found = [(offset, type(comment)) for offset, comment in find_comments(text)]
    assert found == [(text.index("# C"), Marker), (text.index("# c"), Mention)]


def test_marker_lines_can_be_taken_out() -> None:
    text = f"class A:\n    # Copied from {SOURCE} with A->B\n    # Copied from fairseq\n    def f(self): ...\n"
    assert without_markers(text) == "class A:\n    # Copied from fairseq\n    def f(self): ...\n"
    assert marker_lines(text) == f"    # Copied from {SOURCE} with A->B\n"


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
sides = st.from_regex(r"[A-Za-z0-9_./-]{1,12}", fullmatch=True).filter(
    lambda side: "->" not in side and side[-1] != "-" and side != "with"
)
markers = st.builds(
    Marker,
    indent=st.sampled_from(["", "    ", "\t"]),
    source=st.lists(names, min_size=2, max_size=5).map(lambda parts: ".".join(["package", *parts])),
    replacements=st.lists(st.builds(Replacement, sides, sides, st.booleans()), max_size=4).map(tuple),
    problems=st.just(()),
)


@given(markers)
def test_what_is_written_is_read_back(marker: Marker) -> None:
    assert read_comment(str(marker)) == marker


@pytest.mark.parametrize(
    "line",
    [
        "x = '" + ("# " + "a" * 97) * 3_000 + " Copied!'",
        "#" * 60_000 + " copied ",
        "# copied" * 20_000,
        "# copied from " + "a." * 30_000 + "!",
        "# copied" + " " * 60_000,
        "# copied from" + ":" * 60_000,
        "# copied `" + "." * 60_000,
    ],
    ids=lambda line: line[:14],
)
def test_long_lines_are_read_in_time(line: str) -> None:
    # Looking from every place in the line on, each of them takes a minute.
    guard = threading.Thread(target=read_comment, args=(line,), daemon=True)
    guard.start()
    guard.join(30)
    assert not guard.is_alive()


@given(st.text())
def test_no_line_crashes_it(text: str) -> None:
    read_comment(f"# Copied from {text}")
    list(find_comments(text))
