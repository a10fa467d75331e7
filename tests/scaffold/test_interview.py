from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.family import family
from add_model.scaffold.answers import Answers
from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.target import CheckoutTarget
from add_model.scaffold.interview.conversation import answered, revised, started
from add_model.scaffold.interview.interview import Preview, interview
from add_model.scaffold.interview.questions import Check, Choose, Topic, Write, casings, question
from add_model.scaffold.interview.review import review, summary
from add_model.scaffold.interview.terminal.menu import menu_of
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.questionnaire import Request
from add_model.scaffold.standalone.target import Standalone
from tests.scaffold.checkout.trees import make_checkout
from tests.scaffold.libraries import bundled, make_library

PURPOSE, KIND, REFERENCE, NAME, CLASSES = "What is the model for", "What kind", "most like", "called", "classes start"
HEADS, NOVELTY, TOKENIZER, OTHER, REVIEW = "used for", "What is new", "Which tokenizer", "Which model's", "right?"
BERT_HEADS = (
    "masked-lm",
    "sequence-classification",
    "token-classification",
    "question-answering",
    "multiple-choice",
    "next-sentence-prediction",
)
# The questions in the order in which they come, each with an answer.
EVERYTHING = (
    (PURPOSE, "pytorch"),
    (KIND, "text / encoder"),
    (REFERENCE, "zoo:bert"),
    (NAME, "brand_new_bert"),
    (CLASSES, "BrandNewBert"),
    (HEADS, BERT_HEADS),
    (NOVELTY, "Nothing much"),
    (TOKENIZER, "same"),
)
ANSWERS = Answers("zoo:bert", "brand_new_bert", "my_models", BERT_HEADS, "same", "Nothing much")


class Script:
    """Answers what it is asked from a list, and notes what it was shown."""

    def __init__(self, *replies: tuple[str, str | tuple[str, ...] | None]) -> None:
        self.replies = list(replies)
        self.questions: list[Choose | Check | Write] = []
        self.could_go_back: list[bool] = []
        self.shown: list[str] = []

    def ask(self, question: Choose | Check | Write, can_go_back: bool) -> str | tuple[str, ...] | None:
        self.questions.append(question)
        self.could_go_back.append(can_go_back)
        expected, reply = self.replies.pop(0)
        assert expected in question.message
        return reply

    def show(self, text: str) -> None:
        self.shown.append(text)

    def show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        self.shown.append("\n".join(f"{label}: {value}" for label, value in facts))

    def show_tree(self, tree: Callable[[int], str]) -> None:
        self.shown.append(tree(80))

    def show_file(self, path: str, text: str) -> None:
        self.shown.append(f"{path}: {text}")


def previewed(answers: Answers, request: Request) -> Preview:
    return Preview(lambda columns: f"the tree of {answers.name}", {"a.py": "one", "b.py": "two"})


@pytest.fixture
def request_() -> Request:
    return Request(STANDALONE.new(Path("my_models"), "my_models"))


def run(request: Request, *replies: tuple[str, str | tuple[str, ...] | None]) -> tuple[Answers | None, Script]:
    script = Script(*replies)
    answers = interview(request, previewed, script)
    assert not script.replies, "not everything was asked"
    return answers, script


def test_every_question_is_asked_once_and_in_order(request_) -> None:
    assert run(request_, *EVERYTHING, (REVIEW, "write"))[0] == ANSWERS


def test_in_a_checkout_no_heads_are_asked_for_and_the_tokenizer_can_be_shared(tmp_path: Path) -> None:
    checkout = find_checkout(make_checkout(tmp_path))
    replies = ((KIND, "any"), (REFERENCE, "transformers:wren"), (NAME, "brand_new_wren"), (CLASSES, "BrandNewWren"), (NOVELTY, ""), (TOKENIZER, "shared"))  # fmt: skip
    answers, script = run(Request(CheckoutTarget(checkout)), *replies, (REVIEW, "write"))
    assert answers == Answers("transformers:wren", "brand_new_wren", "transformers", ("all",), "shared", "")
    assert any("the reference's own, shared" in text for text in script.shown)
    # What is asked again proposes what was answered.
    again = question(Topic.REFERENCE, replace(Request(CheckoutTarget(checkout)), reference="transformers:wren"), None)  # fmt: skip
    assert isinstance(again, Choose) and again.default == "transformers:wren"


def test_what_the_command_line_said_is_not_asked(request_) -> None:
    given = replace(request_, reference="bert", name="brand_new_bert", heads=("all",), tokenizer_like="none")
    answers, _ = run(given, (NOVELTY, ""), (REVIEW, "write"))
    assert answers == replace(ANSWERS, tokenizer_like="none", novelty="")


@pytest.mark.parametrize(
    "wrong",
    [{"reference": "brt"}, {"name": "class"}, {"reference": "bert", "heads": ("juggling",)}, {"reference": "bert", "tokenizer_like": "brt"}],
)  # fmt: skip
def test_a_wrong_answer_on_the_command_line_is_an_error_before_any_question(request_, wrong) -> None:
    with pytest.raises(AddModelError):
        run(replace(request_, **wrong))


def test_heads_given_for_a_reference_that_lacks_them_are_asked_for_again(request_) -> None:
    given = replace(request_, name="my_gpt", heads=("masked-lm",), tokenizer_like="same", novelty="")
    replies = ((PURPOSE, "pytorch"), (KIND, "any"), (REFERENCE, "zoo:gpt2"), (HEADS, ("causal-lm",)))
    _, script = run(given, *replies, (REVIEW, "write"))
    assert any("no head 'masked-lm'" in text for text in script.shown)


def test_stopping_gives_no_answers(request_) -> None:
    assert run(request_, *EVERYTHING, (REVIEW, "stop"))[0] is None


def test_the_review_lists_every_answer(request_) -> None:
    _, script = run(request_, *EVERYTHING, (REVIEW, "stop"))
    listed = script.shown[-1]
    for part in ("zoo:bert", "brand_new_bert", "BrandNewBert", "BRAND_NEW_BERT", "brand-new-bert", *BERT_HEADS, "Nothing much", "the same", "my_models"):  # fmt: skip
        assert part in listed


def test_the_preview_is_proposed_first_and_writing_once_it_was_seen(request_) -> None:
    _, script = run(request_, *EVERYTHING, (REVIEW, "preview"), (REVIEW, "write"))
    assert "the tree of brand_new_bert" in script.shown
    assert [question.default for question in script.questions[-2:]] == ["preview", "write"]


def test_a_changed_answer_has_not_been_previewed(request_) -> None:
    _, script = run(
        request_, *EVERYTHING, (REVIEW, "preview"), (REVIEW, "name"), (NAME, "other_bert"), (REVIEW, "write")
    )
    assert script.questions[-1].default == "preview"


def test_a_preview_that_fails_leads_back_to_the_answers(request_) -> None:
    def preview(answers: Answers, request: Request) -> Preview:
        raise AddModelError("the disk is upside down; turn it")

    script = Script(*EVERYTHING, (REVIEW, "preview"), (REVIEW, "stop"))
    assert interview(request_, preview, script) is None
    assert any("the disk is upside down; turn it" in text for text in script.shown)
    assert script.questions[-1].default == "preview"


@pytest.mark.parametrize(
    ("topic", "replies", "expected"),
    [
        ("name", [(NAME, "other_bert")], {"name": "other_bert"}),
        ("heads", [(HEADS, ("masked-lm",))], {"heads": ("masked-lm",)}),
        ("heads", [(HEADS, ())], {"heads": ()}),
        ("what is new", [(NOVELTY, "  More  ")], {"novelty": "More"}),
        ("tokenizer", [(TOKENIZER, "none")], {"tokenizer_like": "none"}),
        ("tokenizer", [(TOKENIZER, "other"), (OTHER, "zoo:gpt2")], {"tokenizer_like": "zoo:gpt2"}),
        ("reference", [(KIND, "any"), (REFERENCE, "zoo:bert")], {}),
    ],
)
def test_every_answer_can_be_changed(request_, topic, replies, expected) -> None:
    answers, _ = run(request_, *EVERYTHING, (REVIEW, topic), *replies, (REVIEW, "write"))
    assert answers == replace(ANSWERS, **expected)


def test_another_reference_asks_again_for_heads_that_it_lacks(request_) -> None:
    answers, script = run(
        request_,
        *EVERYTHING,
        (REVIEW, "reference"),
        (KIND, "text / decoder"),
        (REFERENCE, "zoo:gpt2"),
        (HEADS, ("causal-lm",)),
        (REVIEW, "write"),
    )
    assert answers == replace(ANSWERS, reference="zoo:gpt2", heads=("causal-lm",))
    assert any("gpt2 has no head" in text for text in script.shown)


def test_another_reference_keeps_heads_that_it_has(request_) -> None:
    conversation = started(replace(request_, reference="bert", heads=("sequence-classification",), novelty=""))
    conversation = answered(revised(conversation, Topic.REFERENCE), Topic.REFERENCE, "zoo:bart")
    assert conversation.request.heads == ("sequence-classification",)
    assert Topic.HEADS not in conversation.pending


def test_the_tokenizer_of_what_becomes_the_reference_is_the_same(request_) -> None:
    conversation = started(replace(request_, reference="bert", tokenizer_like="gpt2"))
    assert conversation.request.tokenizer_like == "zoo:gpt2"
    assert answered(conversation, Topic.REFERENCE, "zoo:gpt2").request.tokenizer_like == "same"


def test_a_reference_that_is_elsewhere_is_explained_and_asked_for_again(request_) -> None:
    purpose, kind, *rest = EVERYTHING
    elsewhere = next(member.model_type for member in family() if member.model_type not in bundled())
    answers, script = run(request_, purpose, kind, (REFERENCE, elsewhere), *rest, (REVIEW, "write"))
    assert answers == ANSWERS
    assert any(f"{elsewhere} is not bundled" in text for text in script.shown)


def test_what_was_answered_is_proposed_when_it_is_asked_again(request_) -> None:
    given = replace(request_, reference="zoo:bert", name="mine", heads=("masked-lm",), tokenizer_like="zoo:gpt2", novelty="New")  # fmt: skip
    reference = question(Topic.REFERENCE, given, "any")
    heads = question(Topic.HEADS, given, None)
    assert isinstance(reference, Choose) and reference.default == "zoo:bert"
    assert isinstance(heads, Check) and [option.value for option in heads.options if option.checked] == ["masked-lm"]
    for topic, default in ((Topic.NAME, "mine"), (Topic.NOVELTY, "New"), (Topic.TOKENIZER, "other"), (Topic.TOKENIZER_REFERENCE, "zoo:gpt2")):  # fmt: skip
        assert question(topic, given, None).default == default


def test_every_head_is_preselected(request_) -> None:
    heads = question(Topic.HEADS, replace(request_, reference="gpt2"), None)
    assert isinstance(heads, Check) and heads.options and all(option.checked for option in heads.options)


def test_only_kinds_with_something_to_start_from_can_be_chosen(request_) -> None:
    kinds = question(Topic.GROUP, request_, None)
    assert isinstance(kinds, Choose)
    ready = [option.value for option in kinds.options if option.hindrance is None]
    of_images = ["vision / convolutional", "vision / encoder", "vision / decoder", "vision / encoder-decoder"]
    of_texts = ["text / encoder", "text / decoder", "text / encoder-decoder"]
    assert ready == ["any", *of_images, *of_texts, "reinforcement learning / decoder"]
    assert len(kinds.options) == 13


def test_references_that_can_be_chosen_come_first_and_each_has_its_line(request_) -> None:
    references = question(Topic.REFERENCE, request_, "any")
    assert isinstance(references, Choose) and references.searchable
    ready = [option.hindrance is None for option in menu_of(references).shown]
    assert ready == sorted(ready, reverse=True) and sum(ready) == len(bundled()) and len(ready) == 34
    references = replace(references, options=menu_of(references).shown)
    first = references.options[0]
    assert first.label == "convnext" and "ConvNeXt: A CNN brought up to date" in first.details[-1]
    assert all("go back" in (option.hindrance or "") for option in references.options if option.hindrance)


def test_references_are_browsed_by_kind(request_) -> None:
    references = question(Topic.REFERENCE, request_, "text / decoder")
    assert isinstance(references, Choose)
    decoders = ["zoo:gpt2", "zoo:xlnet", "zoo:gptj", "zoo:opt", "zoo:bloom"]
    assert [option.value for option in menu_of(references).shown] == decoders


def test_the_librarys_own_models_can_be_chosen(tmp_path) -> None:
    library = make_library(tmp_path, {"bert": "Bert", "by_hand": "ByHand"})
    references = question(Topic.REFERENCE, Request(Standalone(library)), "any")
    assert isinstance(references, Choose)
    ready = [option.value for option in references.options if option.hindrance is None]
    of_zoo = [f"zoo:{model_type}" for model_type in bundled()]
    place = of_zoo.index("zoo:bert")
    assert ready == [*of_zoo[:place], "library:bert", *of_zoo[place:], "library:by_hand"]


def test_a_reference_without_a_tokenizer_has_none_to_share(tmp_path) -> None:
    library = make_library(tmp_path, {"by_hand": "ByHand"})
    tokenizer = question(Topic.TOKENIZER, Request(Standalone(library), reference="by_hand"), None)
    assert isinstance(tokenizer, Choose)
    assert {option.value: option.hindrance is None for option in tokenizer.options} == {
        "same": False,
        "other": True,
        "none": True,
    }


def test_a_model_of_images_is_asked_for_its_image_processor(request_) -> None:
    of_images = replace(request_, reference="vit", name="jay")
    processor = question(Topic.TOKENIZER, of_images, None)
    assert isinstance(processor, Choose) and processor.message == "Which image processor does it have?"
    assert processor.options[0].details == ("ViTImageProcessor",)
    donors = question(Topic.TOKENIZER_REFERENCE, of_images, None)
    assert isinstance(donors, Choose) and donors.message == "Which model's image processor?"
    assert donors.options and not any("Tokenizer" in detail for option in donors.options for detail in option.details)
    assert dict(summary(of_images))["image processor"] == "the same as the reference's"
    changes = [option.label for option in review(of_images, seen=False).options]
    assert "change the image processor" in changes and "change the tokenizer" not in changes


def test_a_name_is_checked_as_it_is_typed(tmp_path) -> None:
    library = make_library(tmp_path, {"brand_new_bert": "BrandNewBert"})
    name = question(Topic.NAME, Request(Standalone(library)), None)
    assert isinstance(name, Write) and name.refuse is not None
    assert name.refuse("newer_bert") is None
    # What becomes of a model that there is already is the next question.
    assert name.refuse("brand_new_bert") is None
    for wrong, why in (("", "snake_case"), ("New-Bert", "try new_bert"), ("class", "keyword"), ("list", "builtin"), ("brandnewbert", "casing")):  # fmt: skip
        assert why in (name.refuse(wrong) or "")


def test_a_name_is_shown_in_all_its_casings() -> None:
    for casing in ("brand_new_bert", "BrandNewBert", "BRAND_NEW_BERT", "brand-new-bert"):
        assert casing in casings("brand_new_bert")
    assert "snake_case" in casings("Brand New")


def test_the_summary_of_a_bare_model_says_so() -> None:
    said = dict(summary(Request(STANDALONE.new(Path("my_models"), "my_models"), "zoo:bert", "mine", (), "none")))
    assert said["heads"] == said["tokenizer"] == "none" and "nothing yet" in said["what is new"]
