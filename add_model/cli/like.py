"""`add-model like`: a new model package that starts as a faithful copy of a reference."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.examples import with_examples
from add_model.cli.interrupted import take_back
from add_model.cli.output import say_json, stopped, tell
from add_model.cli.shown import shown_after
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.scaffold.answers import Answers
    from add_model.scaffold.questionnaire import Request
    from add_model.scaffold.rendering import Rendering
    from add_model.scaffold.tree import Outcome

_EXAMPLES = """
Examples:
    add-model like                                  asks what it needs to know
    add-model like bert --name brand_new_bert --into my_models --yes
    add-model like zoo:gpt2 --name tiny_gpt --heads causal-lm
    add-model like bart --name my_bart --tokenizer-like bert
    add-model like brand_new_bert --name newer_bert   from a model made before
    add-model like llama --name my_llama --into path/to/transformers
    add-model like flux --what transformer --name my_flux --into path/to/diffusers
    add-model like --answers answers.toml           makes it again
"""


@with_examples(_EXAMPLES)
def like(
    reference: Annotated[
        str | None,
        typer.Argument(
            help="The model to start from: a type (bert) or origin:type (zoo:bert). See: add-model references",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="SNAKE", help="The new model's name, such as brand_new_bert.", show_default=False
        ),
    ] = None,  # fmt: skip
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="The library's folder; a new library is laid down where there is none. Default: the library around here, or this folder if it is empty.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    heads: Annotated[
        str | None,
        typer.Option(
            "--heads",
            "--what",
            metavar="A,B|all",
            help="The tasks to write classes for, such as masked-lm,token-classification; or all, or none. In a Diffusers checkout what to write: transformer, unet, autoencoder, controlnet, scheduler, pipeline.",
            show_default="all",
        ),
    ] = None,  # fmt: skip
    tokenizer_like: Annotated[
        str | None,
        typer.Option(
            "--tokenizer-like",
            metavar="REF|same|none",
            help="Where the tokenizer, or image processor, comes from; in a Transformers checkout also: shared.",
            show_default="same",
        ),
    ] = None,  # fmt: skip
    novelty: Annotated[
        str | None,
        typer.Option(
            "--novelty",
            metavar="TEXT",
            help="What is new compared with the reference; for its docs.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="single|modular",
            help="In a checkout with modular files: write one, and what follows from it.",
            show_default="single",
        ),
    ] = None,  # fmt: skip
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class-name",
            metavar="CAMEL",
            help="What its classes start with, such as MyGPT; the name in another casing.",
            show_default="as the name's words: MyGpt",
        ),
    ] = None,  # fmt: skip
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers", metavar="FILE", help="Replay stored answers; other options win over them.", show_default=False
        ),
    ] = None,  # fmt: skip
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the defaults and write.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written; touch nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model, and files, that exist already.")] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Finish a half-written model: keep what is there of it, write the rest.")
    ] = False,  # fmt: skip
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Add a model that starts as a faithful, tested copy of a reference.

    Without a terminal, or with --yes, nothing is asked.
    """
    from add_model.cli import summary
    from add_model.cli.remove import remove
    from add_model.scaffold.destination import find_root
    from add_model.scaffold.questionnaire import Earlier, complete
    from add_model.scaffold.writing import make_and_write, prepare

    root = find_root(into, Path.cwd())
    take_back(root, dry_run)
    if finish and force:
        raise AddModelError("--finish keeps the files that --force replaces; pass one of them")
    request = _request(reference, name, into, heads, tokenizer_like, novelty, style, class_name, answers, force)
    if finish:
        request = dataclasses.replace(request, earlier=Earlier.FINISH)
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not (yes or as_json or answers)
    made: tuple[Rendering, Outcome] | None

    def write(answers: Answers, request: Request) -> tuple[Rendering, Outcome]:
        if dry_run:
            return prepare(answers, request)
        _tell_uncommitted(request)
        return make_and_write(answers, request)

    try:
        if interactive:
            made, request = _interviewed(request, write)
        else:
            made = write(complete(request), request)
        if request.earlier is Earlier.REMOVE:
            assert request.name is not None
            remove(request.name, root, dry_run)
            return
        if made is None:
            tell("stopped; nothing was written")
            raise typer.Exit(1)
    except KeyboardInterrupt:
        stopped()
        raise typer.Exit(130) from None
    rendering, outcome = made
    with shown_after(None if dry_run else f"{rendering.name.snake} was written"):
        if as_json:
            say_json(summary.document(rendering, outcome, dry_run))
        else:
            summary.show(rendering, outcome, dry_run)


def _request(
    reference: str | None,
    name: str | None,
    into: Path | None,
    heads: str | None,
    tokenizer_like: str | None,
    novelty: str | None,
    style: str | None,
    class_name: str | None,
    answers: Path | None,
    force: bool,
) -> Request:
    from add_model.scaffold.answers import load_answers
    from add_model.scaffold.destination import check_stored_package, find_destination
    from add_model.scaffold.questionnaire import Request

    stored = load_answers(answers) if answers is not None else None
    started_from = reference or (None if stored is None else stored.reference)
    target = find_destination(into, Path.cwd(), started_from, None if stored is None else stored.package)
    if target.is_new and answers is not None:
        check_stored_package(target.package, answers)
    if heads is not None and not heads.strip(" ,"):
        raise AddModelError("--heads is empty; name heads, or pass all or none")
    given = Request(
        target=target,
        reference=reference,
        name=name,
        heads=None if heads is None else tuple(head.strip() for head in heads.split(",") if head.strip()),
        tokenizer_like=tokenizer_like,
        novelty=novelty,
        style=style,
        class_name=class_name,
        replace=force,
    )
    return given if stored is None else given.with_defaults(stored)


def _tell_uncommitted(request: Request) -> None:
    """Says that somebody's own changes will stand beside ours in `git diff`; they are no reason to stop."""
    from add_model.copies.remembering.history import uncommitted

    if not request.target.is_reviewed:
        return
    files = uncommitted(request.root)
    if files:
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        tell(f"note: {files[0]}{others} had uncommitted changes before; git diff shows them beside the new ones")


def _interviewed(
    request: Request, write: Callable[[Answers, Request], tuple[Rendering, Outcome]]
) -> tuple[tuple[Rendering, Outcome] | None, Request]:
    from add_model.cli.drawing import as_text
    from add_model.cli.summary import files_tree
    from add_model.scaffold.interview.interview import Preview, decided
    from add_model.scaffold.writing import in_what_is_there_now, prepare

    def preview(answers: Answers, request: Request) -> Preview:
        rendering, outcome = prepare(answers, request)
        files = {file.path.relative_to(rendering.root).as_posix(): file.text for file in rendering.files}
        return Preview(lambda columns: as_text(files_tree(rendering, outcome), columns), files)

    return decided(request, preview, write, now=in_what_is_there_now)
