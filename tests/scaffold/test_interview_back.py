"""The way back: from every question to the one before, with nothing lost, neither by that nor by an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.answers import Answers
from add_model.scaffold.interview.conversation import Conversation, answered, revised, started, went_back
from add_model.scaffold.interview.interview import decided
from add_model.scaffold.interview.purposes import purposes
from add_model.scaffold.interview.questions import Topic, question
from add_model.scaffold.interview.review import review, summary
from add_model.scaffold.interview.wording import in_words
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.out_of_tree.target import OutOfTree, OutOfTreeKind
from add_model.scaffold.questionnaire import Request
from add_model.scaffold.standalone.target import Standalone
from add_model.scaffold.writing import in_what_is_there_now
from tests.scaffold.libraries import make_library

from .test_interview import (
    ANSWERS,
    BERT_HEADS,
    CLASSES,
    EVERYTHING,
    HEADS,
    KIND,
    NAME,
    NOVELTY,
    OTHER,
    PURPOSE,
    REFERENCE,
    REVIEW,
    TOKENIZER,
    Script,
    previewed,
    run,
)

REQUEST = Request(STANDALONE.new(Path("my_models"), "my_models"))
# Every question there is, with the one that only an answer leads to.
ALL = (*EVERYTHING[:-1], (TOKENIZER, "other"), (OTHER, "zoo:gpt2"))


@pytest.mark.parametrize("steps", range(1, len(ALL) + 1))
def test_from_every_question_there_is_a_way_back_to_the_first(steps: int) -> None:
    there = ALL[:steps]
    # Back from the question behind them, one after the other; the first answers again, and on to the end.
    upcoming = (*(text for text, _ in ALL), REVIEW)[1 : steps + 1]
    back = tuple((text, None) for text in reversed(upcoming))
    answers, script = run(REQUEST, *there, *back, *ALL, (REVIEW, "write"))
    assert answers == replace(ANSWERS, tokenizer_like="zoo:gpt2")
    assert script.could_go_back[0] is False and all(script.could_go_back[1 : 2 * steps])


def test_what_was_answered_is_proposed_on_the_way_back() -> None:
    answers, script = run(
        REQUEST, *ALL, (REVIEW, None), (OTHER, None), (TOKENIZER, None), (NOVELTY, None), (HEADS, None), (CLASSES, None), (NAME, None), (REFERENCE, None), *ALL[1:], (REVIEW, "write")
    )  # fmt: skip
    assert answers is not None
    proposed = {asked.message: getattr(asked, "default", None) for asked in script.questions[len(ALL) + 1 :]}
    assert proposed["Which model's tokenizer?"] == "zoo:gpt2" and proposed["Which tokenizer does it have?"] == "other"
    assert "Nothing much" in proposed.values() and "brand_new_bert" in proposed.values()


def test_back_from_which_tokenizer_proposes_to_take_another_models() -> None:
    asked = (
        *EVERYTHING[:-1],
        (TOKENIZER, "other"),
        (OTHER, None),
        (TOKENIZER, None),
        (NOVELTY, ""),
        (TOKENIZER, "same"),
    )
    answers, script = run(REQUEST, *asked, (REVIEW, "tokenizer"), (TOKENIZER, "same"), (REVIEW, "write"))
    proposed = [asked.default for asked in script.questions if TOKENIZER in asked.message]  # type: ignore[union-attr]
    # What was answered in the end is what is proposed from then on.
    assert proposed == [None, "other", "other", "same"] and answers == replace(ANSWERS, novelty="")


def test_what_was_taken_back_in_a_change_is_not_proposed_in_the_next() -> None:
    taken_back = ((REVIEW, "tokenizer"), (TOKENIZER, "other"), (OTHER, None), (TOKENIZER, None))
    answers, script = run(REQUEST, *EVERYTHING, *taken_back, (REVIEW, "tokenizer"), (TOKENIZER, "none"), (REVIEW, "write"))  # fmt: skip
    proposed = [asked.default for asked in script.questions if TOKENIZER in asked.message]  # type: ignore[union-attr]
    assert proposed == [None, "same", "other", "same"] and answers == replace(ANSWERS, tokenizer_like="none")


def test_back_from_a_change_leads_to_the_review() -> None:
    answers, script = run(REQUEST, *EVERYTHING, (REVIEW, "name"), (NAME, None), (REVIEW, "write"))
    assert answers == ANSWERS
    answers, _ = run(REQUEST, *EVERYTHING, (REVIEW, "reference"), (KIND, "any"), (REFERENCE, None), (KIND, None), (REVIEW, "write"))  # fmt: skip
    assert answers == ANSWERS


def test_back_at_the_very_first_question_stays_there() -> None:
    conversation = started(REQUEST)
    assert went_back(conversation) == conversation


def test_heads_that_another_reference_lacks_are_asked_for_without_a_complaint() -> None:
    purpose, kind, _, name, called, *_ = EVERYTHING
    there = (purpose, kind, (REFERENCE, "zoo:bert"), name, called, (HEADS, ("next-sentence-prediction",)))
    back = ((NOVELTY, None), (HEADS, None), (CLASSES, None), (NAME, None))
    again = ((REFERENCE, "zoo:gpt2"), name, called, (HEADS, ("causal-lm",)), (NOVELTY, ""), (TOKENIZER, "same"))
    answers, script = run(REQUEST, *there, *back, *again, (REVIEW, "write"))
    assert answers is not None and answers.heads == ("causal-lm",)
    assert not any("no head" in text for text in script.shown)


# What the model is for


def test_a_package_on_transformers_is_offered_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(purposes(REQUEST)) == 2
    monkeypatch.setattr("add_model.scaffold.out_of_tree.target.installed_package", lambda name: None)
    assert len(purposes(REQUEST)) == 1
    assert started(REQUEST).pending[0] is Topic.GROUP
    kinds = question(Topic.GROUP, REQUEST, None)
    assert any("pip install transformers" in (option.hindrance or "") for option in kinds.options)  # type: ignore[union-attr]


def test_in_a_library_there_is_nothing_to_choose(tmp_path: Path) -> None:
    library = make_library(tmp_path, {"bert": "Bert"})
    assert started(Request(Standalone(library))).pending[0] is Topic.GROUP


def test_every_model_of_transformers_can_be_started_from_in_a_package_on_it() -> None:
    conversation = answered(started(REQUEST), Topic.PURPOSE, "transformers")
    assert isinstance(conversation.request.target, OutOfTree) and conversation.request.target.is_new
    options = question(Topic.REFERENCE, conversation.request, "any").options  # type: ignore[union-attr]
    ready = {option.value for option in options if option.hindrance is None}
    assert {"transformers:clip", "transformers:llama", "transformers:bert"} <= ready and len(ready) > 300
    assert "zoo:bert" not in ready


def test_a_project_that_depends_on_transformers_is_proposed_a_package_on_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\ndependencies = ["transformers"]\n')
    asked = question(Topic.PURPOSE, replace(REQUEST, target=STANDALONE.new(tmp_path, "mine")), None)
    assert asked.default == "transformers"


def test_another_purpose_asks_for_another_reference_and_keeps_the_rest() -> None:
    # The answers to the other questions are kept, as far as they fit.
    answers, script = run(
        REQUEST,
        *EVERYTHING,
        (REVIEW, Topic.PURPOSE.value),
        (PURPOSE, "transformers"),
        (KIND, "any"),
        (REFERENCE, "transformers:clip"),
        (REVIEW, "write"),
    )
    assert answers is not None and answers.reference == "transformers:clip"
    assert (answers.name, answers.novelty, answers.heads) == ("brand_new_bert", "Nothing much", ("all",))
    assert "a new package on the installed transformers" in script.shown[-1]


def test_the_same_purpose_again_changes_nothing() -> None:
    answers, _ = run(REQUEST, *EVERYTHING, (REVIEW, Topic.PURPOSE.value), (PURPOSE, "pytorch"), (REVIEW, "write"))
    assert answers == ANSWERS


# The summary and the preview


def test_the_summary_says_the_kind_of_library_and_its_whole_path(tmp_path: Path) -> None:
    root = tmp_path / "my_models"
    plain = Request(STANDALONE.new(root, "my_models"), "zoo:bert", "my_bert")
    said = dict(summary(plain))
    assert said["library"] == "my_models, a new library in plain PyTorch" and said["folder"] == str(root)
    package = replace(plain, target=OutOfTreeKind().new(root, "my_models"), reference="transformers:clip")
    assert "a new package on the installed transformers" in dict(summary(package))["library"]
    library = make_library(tmp_path, {"bert": "Bert"})
    assert "a library in plain PyTorch" in dict(summary(replace(plain, target=Standalone(library))))["library"]
    # A style that nobody can choose is not spoken of.
    assert "style" not in said and "heads" in said


def test_the_summary_and_the_review_speak_of_what_there_is_only() -> None:
    request = replace(REQUEST, target=OutOfTreeKind().new(Path("my_models"), "my_models"), reference="transformers:clip", name="a_b")  # fmt: skip
    values = [option.value for option in review(request, False).options]
    assert Topic.HEADS.value not in values and Topic.STYLE.value not in values and Topic.PURPOSE.value in values
    assert "AB" in dict(summary(request))["classes"]


def test_the_preview_shows_what_a_file_would_hold() -> None:
    which = "Which file"
    looked = ((REVIEW, "look"), (which, "a.py"), (which, "b.py"), (which, None))
    answers, script = run(REQUEST, *EVERYTHING, *looked, (REVIEW, "write"))
    assert answers == ANSWERS and "a.py: one" in script.shown and "b.py: two" in script.shown
    assert script.questions[-1].default == "write"


# Names of classes


def test_the_casing_of_classes_is_asked_for_and_can_be_changed() -> None:
    *before, called, heads, novelty, tokenizer = EVERYTHING
    rest = ((CLASSES, "BrandNEWBert"), heads, novelty, tokenizer)
    answers, script = run(REQUEST, *before, *rest, (REVIEW, "class names"), (CLASSES, "BrandNewBERT"), (REVIEW, "write"))  # fmt: skip
    assert answers == replace(ANSWERS, class_name="BrandNewBERT")
    assert any("BrandNewBERTForMaskedLM" in text for text in script.shown)


def test_the_casing_follows_the_name_unless_it_was_chosen() -> None:
    answers, _ = run(REQUEST, *EVERYTHING, (REVIEW, "name"), (NAME, "other_bert"), (REVIEW, "write"))
    assert answers == replace(ANSWERS, name="other_bert")
    chosen = (*EVERYTHING, (REVIEW, "class names"), (CLASSES, "BrandNewBERT"))
    answers, _ = run(REQUEST, *chosen, (REVIEW, "name"), (NAME, "other_bert"), (CLASSES, "OtherBERT"), (REVIEW, "write"))  # fmt: skip
    assert answers == replace(ANSWERS, name="other_bert", class_name="OtherBERT")


def test_the_casing_is_checked_and_shown_as_it_is_typed() -> None:
    asked = question(Topic.CLASS_NAME, replace(REQUEST, reference="zoo:gpt2", name="my_gpt"), None)
    assert asked.default == "MyGpt"
    assert asked.refuse("MyGPT") is None and "does not spell my_gpt" in asked.refuse("Your")  # type: ignore[union-attr]
    assert asked.preview("MyGPT") == "MyGPTConfig, MyGPTModel, MyGPTLMHeadModel"  # type: ignore[union-attr]


# Errors


def every_refusal(conversation: Conversation, tmp_path: Path) -> list[str]:
    library = make_library(tmp_path, {"brand_new_bert": "BrandNewBert"})
    request = Request(Standalone(library), reference="zoo:bert", name="mine", replace=False)
    refused = []
    name, called = question(Topic.NAME, request, None), question(Topic.CLASS_NAME, request, None)
    for text in (
        "",
        "New-Bert",
        "class",
        "list",
        "brandnewbert",
        "my_models",
        "a" * 101,
        "con",
        "pre_trained",
        "config",
    ):
        refused.append(name.refuse(text))  # type: ignore[union-attr]
    refused += [called.refuse("Yours"), question(Topic.NOVELTY, request, None).refuse("\udcff")]  # type: ignore[union-attr]
    own = replace(request, reference="library:brand_new_bert")
    refused.append(question(Topic.NAME, own, None).refuse("brand_new_bert"))  # type: ignore[union-attr]
    for topic, reply in ((Topic.HEADS, ("juggling",)), (Topic.TOKENIZER, "shared"), (Topic.TOKENIZER, "library:brand_new_bert"), (Topic.STYLE, "modular"), (Topic.REFERENCE, "zoo:nothing")):  # fmt: skip
        with pytest.raises(AddModelError) as error:
            answered(started(request), topic, reply)
        refused.append(in_words(error.value))
    return refused


def test_no_refusal_names_an_option_of_the_command_line(tmp_path: Path) -> None:
    for text in every_refusal(started(REQUEST), tmp_path):
        assert text and "--" not in text, text


def test_an_error_in_writing_keeps_every_answer() -> None:
    failures = [AddModelError("no space left; pass another folder with --into")]

    def write(answers: Answers, request: Request) -> Answers:
        if failures:
            raise failures.pop()
        return answers

    script = Script(*EVERYTHING, (REVIEW, "write"), (REVIEW, "write"))
    assert decided(REQUEST, previewed, write, script)[0] == ANSWERS
    assert "error: no space left; pass another folder" in script.shown


def test_a_library_that_is_laid_down_while_writing_fails_is_the_one_that_is_summed_up(tmp_path: Path) -> None:
    request = replace(REQUEST, target=STANDALONE.new(tmp_path, "my_models"))
    failures = [AddModelError("another run was faster")]

    def write(answers: Answers, request: Request) -> Request:
        if failures:
            make_library(tmp_path, {"other": "Other"})
            raise failures.pop()
        return request

    script = Script(*EVERYTHING, (REVIEW, "write"), (REVIEW, "write"))
    written, _ = decided(request, previewed, write, script, in_what_is_there_now)
    summaries = [text for text in script.shown if "library: " in text]
    assert "a new library in plain PyTorch" in summaries[0] and "my_models, a library in plain PyTorch" in summaries[1]
    assert written is not None and written.target is not None


def test_a_reference_that_is_gone_keeps_the_other_answers(tmp_path: Path) -> None:
    library = make_library(tmp_path, {"mine": "Mine"})
    request = Request(Standalone(library), heads=(), tokenizer_like="none", novelty="Much")

    class Losing(Script):
        def ask(self, question, can_go_back):  # type: ignore[no-untyped-def]
            if CLASSES in question.message:
                registry = library.registry
                registry.write_text(registry.read_text().replace("'mine'", "'yours'"))
            return super().ask(question, can_go_back)

    to_the_loss = ((KIND, "any"), (REFERENCE, "library:mine"), (NAME, "new_one"), (CLASSES, "NewOne"))
    back = (("How to go on", "again"), ("How to go on", None), (NAME, None))
    again = ((REFERENCE, "zoo:bert"), (NAME, "new_one"), (CLASSES, "NewOne"), (REVIEW, "write"))
    script = Losing(*to_the_loss, *back, *again)
    answers, _ = decided(request, previewed, lambda answers, _: answers, script)
    assert answers is not None and (answers.name, answers.novelty, answers.reference) == (
        "new_one",
        "Much",
        "zoo:bert",
    )
    assert any(text.startswith("error: unknown reference") for text in script.shown)


def test_revising_leads_to_the_topic_and_back(tmp_path: Path) -> None:
    conversation = started(replace(REQUEST, reference="bert", name="mine", heads=BERT_HEADS[:1], tokenizer_like="same", novelty=""))  # fmt: skip
    assert conversation.pending == ()
    assert went_back(revised(conversation, Topic.NOVELTY)).pending == ()
