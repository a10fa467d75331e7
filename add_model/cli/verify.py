"""`add-model verify`: runs what a step of a port asks for, and keeps the result as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from add_model.cli.examples import with_examples
from add_model.cli.groups import StepsGroup
from add_model.cli.options import IntoOption, JsonOption, ModelArgument
from add_model.cli.output import say, say_json, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.porting.evidence import Evidence
    from add_model.porting.model.ported_model import PortedModel

app = typer.Typer(
    cls=StepsGroup,
    help="Run what a step of a port asks for, and keep the result as evidence for `add-model status`.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Force = Annotated[bool, typer.Option("--force", help="Replace a written file that was edited since.")]


@app.command("tests", short_help="Run the model's tests (step 8).")
@with_examples("""
Examples:
    add-model verify tests brand_new_bert
""")
def tests(name: ModelArgument, into: IntoOption = None, as_json: JsonOption = False) -> None:
    """Run the model's tests; every one must pass, and one at least must hold numbers of the original (step 8)."""
    from add_model.porting.evidence import load, store
    from add_model.porting.steps.integration_test import end_to_end_evidence
    from add_model.porting.steps.model_tests import run_tests, tests_evidence

    model = _find(name, into)
    outcomes = run_tests(model, [model.tests_folder], tell)
    evidence = tests_evidence(model, outcomes)
    store(model.root, name, evidence)
    before = load(model.root, name).get("end-to-end")
    own = [outcome for outcome in outcomes if model.integration_test.stem in outcome.name]
    if before is not None and own:
        # The same tests have just been run: what they say about step 10 holds as well.
        store(model.root, name, end_to_end_evidence(model, own, before.details))
    _finish(evidence, as_json)


@app.command("tokenizer", short_help="Compare the tokenizer with the original's (step 9).")
@with_examples("""
Examples:
    add-model verify tokenizer brand_new_bert recorded_ids.jsonl --checkpoint converted
    add-model verify tokenizer brand_new_bert original/tokenizer.json --text texts.txt --checkpoint converted
    add-model verify tokenizer brand_new_bert original_folder --checkpoint converted
""")
def tokenizer(
    name: ModelArgument,
    original: Annotated[
        str,
        typer.Argument(
            metavar="ORIGINAL",
            help='Recorded ids (.jsonl, a {"text": ..., "input_ids": [...]} on each line), a tokenizer.json, a folder that Transformers reads, or transformers:ID.',
            show_default=False,
        ),
    ],
    checkpoint: Annotated[
        Path,
        typer.Option("--checkpoint", metavar="DIR", help="The folder of the new tokenizer's files.", show_default=False),
    ],
    text: Annotated[
        Path | None,
        typer.Option("--text", metavar="FILE", help="The texts, one a line. Default: a built-in sample.", show_default=False),
    ] = None,  # fmt: skip
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Compare the ids that the new tokenizer gives with the original's, text by text (step 9)."""
    from add_model.porting.evidence import store
    from add_model.porting.steps.tokenizer_equality import new_tokenizer, samples_of, tokenizer_evidence

    model = _find(name, into)
    if not model.has_tokenizer:
        raise AddModelError(f"{name} has no tokenizer to compare; step 9 does not apply to it")
    samples, files = samples_of(original, text)
    loaded = new_tokenizer(model, checkpoint)
    own = [
        path for path in sorted(checkpoint.glob("*")) if path.is_file() and path.suffix in (".json", ".txt", ".model")
    ]
    details = {"original": original, "checkpoint": _kept(model, checkpoint.absolute())}
    evidence = tokenizer_evidence(model, samples, loaded, [*files, *own], details)
    store(model.root, name, evidence)
    _finish(evidence, as_json)


@app.command("end-to-end", short_help="Write and run the integration test (step 10).")
@with_examples("""
Examples:
    add-model verify end-to-end brand_new_bert --from original.safetensors --checkpoint converted --text "Hello, world!"
    add-model verify end-to-end brand_new_bert        runs the test that stands
""")
def end_to_end(
    name: ModelArgument,
    recording: Annotated[
        Path | None,
        typer.Option("--from", metavar="RECORDING", help="Write the test from this recording of the original.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="The converted checkpoint, with --from.", show_default=False),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT", help="The text that the recorded ids stand for; once for each row.", show_default=False),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="OLD=NEW", help="What the new model calls an input of the original.", show_default=False),
    ] = None,
    tolerance: Annotated[float, typer.Option("--atol", min=0.0, help="The greatest difference that is still equal.")] = 1e-3,
    force: Force = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write an integration test that holds the original's numbers, and run it: from text to numbers (step 10)."""
    from add_model.porting.evidence import load, store
    from add_model.porting.steps.integration_test import Wanted, end_to_end_evidence, integration_files
    from add_model.porting.steps.model_tests import run_tests

    model = _find(name, into)
    before = load(model.root, name).get("end-to-end")
    details: dict[str, Any] = dict(before.details) if before is not None else {}
    if recording is None and (checkpoint or text or rename):
        raise AddModelError("--checkpoint, --text and --rename belong to --from RECORDING; pass it as well")
    if recording is not None:
        if checkpoint is None:
            raise AddModelError("--from RECORDING needs the converted checkpoint as well: --checkpoint DIR")
        wanted = Wanted(recording, checkpoint.absolute(), tuple(text or ()), _pairs(rename or []), tolerance)
        written = _write(model, integration_files(model, wanted), details.get("written", {}), force)
        details = {"written": written, "checkpoint": _kept(model, checkpoint.absolute())}
    elif not model.integration_test.is_file():
        raise AddModelError(f"{model.shown(model.integration_test)}: is not written yet; write it: --from RECORDING --checkpoint DIR")  # fmt: skip
    outcomes = run_tests(model, [model.integration_test], tell)
    evidence = end_to_end_evidence(model, outcomes, details)
    store(model.root, name, evidence)
    # A test without a text can pass; the step stays open until there is one.
    _finish(evidence, as_json, is_good=evidence.details["failed"] == 0 and evidence.details["passed"] > 0)


@app.command("docs", short_help="List what is left to do in the docs (step 11).")
@with_examples("""
Examples:
    add-model verify docs brand_new_bert
""")
def docs(name: ModelArgument, into: IntoOption = None, as_json: JsonOption = False) -> None:
    """List every placeholder, and every public class and argument that is not described (step 11). Runs nothing."""
    from add_model.porting.steps.docs_page import docs_findings

    model = _find(name, into)
    findings = docs_findings(model)
    if as_json:
        document = [
            {"path": model.shown(found.path), "line": found.line, "message": found.message} for found in findings
        ]
        say_json(document)
    else:
        for found in findings:
            say(f"{model.shown(found.path)}:{found.line} {found.message}")
        tell(f"{len(findings)} left to do" if findings else "the documentation is finished")
    raise typer.Exit(1 if findings else 0)


@app.command("notebook", short_help="Write and run a demonstration (step 14).")
@with_examples("""
Examples:
    add-model verify notebook brand_new_bert --checkpoint converted --text "A text it knows."
    add-model verify notebook brand_new_bert          runs the notebook that stands
""")
def notebook(
    name: ModelArgument,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="The converted checkpoint that it shows. Default: the one that was converted last.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="TEXT", help="What the model is shown.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it anew, whatever stands there.")] = False,
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Run the model's notebook from top to bottom; where there is none, write one first (step 14)."""
    from add_model.porting.evidence import load, store
    from add_model.porting.steps.facts import default_checkpoint
    from add_model.porting.steps.notebook import check_installed, notebook_text, run_notebook

    model = _find(name, into)
    # Before anything is written that could then not be run.
    check_installed()
    folder: Path | None
    if force or not model.notebook.is_file():
        folder = default_checkpoint(model) if checkpoint is None else checkpoint.absolute()
        _write(model, {model.notebook: notebook_text(model, folder, text)}, {}, force=True)
        tell(f"written: {model.shown(model.notebook)}")
    elif checkpoint or text:
        raise AddModelError(f"{model.shown(model.notebook)}: is there already; run it without --checkpoint and --text, or --force writes it anew")  # fmt: skip
    else:
        before = load(model.root, name).get("notebook")
        known = before.details.get("checkpoint") if before is not None else None
        folder = model.root / str(known) if known else None
    evidence = run_notebook(model, folder)
    store(model.root, name, evidence)
    _finish(evidence, as_json)


def _find(name: str, into: Path | None) -> PortedModel:
    from add_model.porting.model.ported_model import find_ported_model
    from add_model.scaffold.destination import find_holder

    return find_ported_model(find_holder(into or Path.cwd()), name)


def _pairs(renames: list[str]) -> dict[str, str]:
    pairs = [rename.partition("=") for rename in renames]
    for old, equals, new in pairs:
        if not (old and equals and new):
            raise AddModelError(f"--rename {old}{equals}{new} is not OLD=NEW; write --rename idx=input_ids")
    return {old: new for old, _, new in pairs}


def _write(model: PortedModel, texts: Mapping[Path, str], known: Mapping[str, str], force: bool) -> dict[str, str]:
    """Writes files, all or none, and returns their fingerprints; one that was edited since is only replaced by force."""
    from add_model.porting.evidence import fingerprint
    from add_model.scaffold.formatting import format_files
    from add_model.transaction import Change, write_files

    changes = []
    formatted, problem = format_files(model.root, texts)
    if problem is not None:
        tell(f"note: not formatted as the settings say: {problem}")
    for path, content in formatted.items():
        edited = path.is_file() and fingerprint(path) != known.get(model.shown(path))
        if edited and not force and path.read_bytes() != content.encode():
            raise AddModelError(f"{model.shown(path)}: is yours, or was edited since it was written; --force replaces it")  # fmt: skip
        changes.append(Change(path, content.encode(), path.read_bytes() if path.is_file() else None))
    write_files(model.root, changes)
    return {model.shown(change.path): fingerprint(change.path) for change in changes}


def _kept(model: PortedModel, path: Path) -> str:
    return model.shown(path)


def _finish(evidence: Evidence, as_json: bool, is_good: bool | None = None) -> NoReturn:
    """Shows a result, and ends with 0 if it is good: without saying otherwise, if it is all that its step asks for."""
    if as_json:
        from dataclasses import asdict

        say_json(asdict(evidence))
    else:
        say(evidence.figure, colour="green" if evidence.passed else "yellow")
    raise typer.Exit(0 if (evidence.passed if is_good is None else is_good) else 1)
