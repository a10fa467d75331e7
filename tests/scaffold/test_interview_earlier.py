"""An earlier attempt at a model is offered to be finished, replaced or removed, before anything else is asked of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from add_model.scaffold.answers import Answers
from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.target import CheckoutTarget
from add_model.scaffold.interview.interview import Preview, decided
from add_model.scaffold.interview.questions import Choose
from add_model.scaffold.questionnaire import Earlier, Request

from .checkout.trees import make_checkout
from .test_interview import CLASSES, NAME, REVIEW, TOKENIZER, Script

EARLIER = "There is a model jay already"


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    """A checkout in which somebody has begun with a model `jay`."""
    root = make_checkout(tmp_path / "checkout", changed={"src/transformers/models/jay/modeling_jay.py": "# begun\n"})
    checkout = find_checkout(root)
    assert checkout is not None
    return Request(CheckoutTarget(checkout), reference="wren", novelty="", tokenizer_like="same")


def decide(request: Request, *replies: tuple[str, str]) -> tuple[Answers | None, Request, Script]:
    script = Script(*replies)

    def preview(answers: Answers, decision: Request) -> Preview:
        return Preview(lambda columns: f"preview: {decision.earlier}", {})

    answers, decision = decided(request, preview, lambda answers, decision: answers, script)
    assert not script.replies, "not everything was asked"
    return answers, decision, script


@pytest.mark.parametrize("choice", [Earlier.FINISH, Earlier.REPLACE])
@pytest.mark.parametrize("is_given", [True, False])
def test_it_is_finished_or_replaced(request_: Request, choice: Earlier, is_given: bool) -> None:
    given = replace(request_, name="jay") if is_given else request_
    asked = () if is_given else ((NAME, "jay"),)
    # What is finished has its classes; what is replaced, or new, may call them anew.
    called = () if is_given or choice is Earlier.FINISH else ((CLASSES, "Jay"),)
    replies = (*asked, (EARLIER, choice.value), *called, (REVIEW, "preview"), (REVIEW, "write"))
    answers, decision, script = decide(given, *replies)
    assert answers is not None and answers.name == "jay"
    assert decision.earlier is choice and decision.overwrites is (choice is Earlier.REPLACE)
    assert f"preview: {choice}" in script.shown


def test_it_is_left_for_another_name(request_: Request) -> None:
    answers, decision, _ = decide(
        request_, (NAME, "jay"), (EARLIER, "other"), (NAME, "kite"), (CLASSES, "Kite"), (REVIEW, "write")
    )
    assert answers is not None and answers.name == "kite" and not decision.may_exist


def test_it_is_removed_without_another_question(request_: Request) -> None:
    answers, decision, _ = decide(replace(request_, name="jay", novelty=None), (EARLIER, "remove"))
    assert answers is None and decision.earlier is Earlier.REMOVE and decision.name == "jay"


def test_only_what_was_written_here_can_be_removed(request_: Request) -> None:
    _, _, script = decide(request_, (NAME, "jay"), (EARLIER, "finish"), (REVIEW, "stop"))
    question = script.questions[1]
    assert isinstance(question, Choose)
    hindrances = {option.value: option.hindrance for option in question.options}
    assert [value for value, hindrance in hindrances.items() if hindrance is None] == ["finish", "replace", "other"]
    assert "add-model does not remember writing it" in (hindrances["remove"] or "")
    record = request_.root / ".add-model/models/jay/written.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    _, _, script = decide(request_, (NAME, "jay"), (EARLIER, "finish"), (REVIEW, "stop"))
    assert all(option.hindrance is None for option in script.questions[1].options)  # type: ignore[union-attr]


def test_another_name_at_the_end_is_another_model(request_: Request) -> None:
    replies = (
        (NAME, "jay"),
        (EARLIER, "replace"),
        (CLASSES, "Jay"),
        (REVIEW, "name"),
        (NAME, "kite"),
        (REVIEW, "write"),
    )
    answers, decision, _ = decide(request_, *replies)
    assert answers is not None and answers.name == "kite" and not decision.overwrites


def test_stopping_decides_nothing(request_: Request) -> None:
    answers, decision, _ = decide(replace(request_, tokenizer_like=None), (NAME, "jay"), (EARLIER, "replace"), (CLASSES, "Jay"), (TOKENIZER, "same"), (REVIEW, "stop"))  # fmt: skip
    assert answers is None and decision.earlier is None
