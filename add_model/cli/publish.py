"""`add-model publish`: a checkpoint with its model card on the Hub, in one repository."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from add_model.cli.examples import with_examples
from add_model.cli.options import IntoOption, JsonOption, ModelArgument
from add_model.cli.output import say, say_json, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.porting.evidence import Evidence
    from add_model.porting.model.ported_model import PortedModel
    from add_model.porting.steps.publishing import Publication

_EXAMPLES = """
Examples:
    add-model publish brand_new_bert                                        what would be uploaded, and what is left to do
    add-model publish brand_new_bert --repository user/brand-new-bert --out published
    add-model publish brand_new_bert --repository user/brand-new-bert --upload
"""


@with_examples(_EXAMPLES)
def publish(
    name: ModelArgument,
    repository: Annotated[
        str | None,
        typer.Option("--repository", metavar="USER/NAME", help="The repository on the Hub, made if need be.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="The converted checkpoint. Default: the one that was converted last.", show_default=False),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", metavar="FILE", help="Its model card. Default: docs/model_cards/NAME.md", show_default=False),
    ] = None,
    upload: Annotated[bool, typer.Option("--upload", help="Upload it; without this nothing leaves the machine.")] = False,
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="Who may see a repository that is made.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be uploaded, which is also what happens without --upload.")
    ] = False,
    run_code: Annotated[bool, typer.Option("--run-code", help="Run the card's code, as --upload always does.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write what would be uploaded into this new folder.", show_default=False),
    ] = None,
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Publish a converted checkpoint with its model card; without --upload only show what would be published.

    The token is that of `hf auth login`, or HF_TOKEN. Exits with 1 while something is left to do.
    """
    from add_model.porting.evidence import store
    from add_model.porting.model.ported_model import find_ported_model
    from add_model.porting.steps.facts import default_checkpoint
    from add_model.porting.steps.publishing import plan_publication, write_folder
    from add_model.porting.steps.publishing import upload as upload_to_hub
    from add_model.scaffold.destination import find_holder

    model = find_ported_model(find_holder(into or Path.cwd()), name)
    if upload and dry_run:
        raise AddModelError("--upload and --dry-run exclude each other; pass one of them")
    if upload and repository is None:
        raise AddModelError("--upload needs to know where to: --repository USER/NAME")
    folder = default_checkpoint(model) if checkpoint is None else checkpoint
    planned = plan_publication(model, folder, repository, card or model.model_card)
    if (upload or run_code) and not planned.findings:
        planned = _with_code_run(model, planned, folder)
    if out is not None:
        write_folder(planned, out)
    evidence = None
    if upload and not planned.findings:
        evidence = upload_to_hub(model, planned, private)
        store(model.root, name, evidence)
    if as_json:
        say_json(_document(model, planned, evidence))
    else:
        command = _upload_command(model, repository, checkpoint, card, into)
        _show(model, planned, evidence, wanted=upload, command=command)
    raise typer.Exit(1 if planned.findings else 0)


def _with_code_run(model: PortedModel, planned: Publication, folder: Path) -> Publication:
    """The plan, with what is wrong with the card's code; the checkpoint's folder stands for its repository."""
    from dataclasses import replace

    from add_model.porting.steps.model_card import CHECKPOINT_PLACEHOLDER, code_problem

    names = {name: str(folder.resolve()) for name in (planned.repository, CHECKPOINT_PLACEHOLDER) if name}
    problem = code_problem(model, planned.card_path, planned.card, names)
    return planned if problem is None else replace(planned, findings=(problem,))


def _document(model: PortedModel, planned: Publication, evidence: Evidence | None) -> dict[str, Any]:
    return {
        "name": model.name,
        "repository": planned.repository,
        "uploaded": evidence is not None,
        "commit": evidence.details["commit"] if evidence is not None else None,
        "files": [{"name": name, "size": size} for name, size in _files(planned)],
        "left_out": [{"name": name, "why": why} for name, why in planned.left_out],
        "findings": [
            {"path": model.shown(found.path), "line": found.line, "message": found.message}
            for found in planned.findings
        ],
    }


def _upload_command(
    model: PortedModel, repository: str | None, checkpoint: Path | None, card: Path | None, into: Path | None
) -> str:
    """What uploads the same as was looked at."""
    given = {"--checkpoint": checkpoint, "--card": card, "--into": into}
    options = [word for option, path in given.items() if path is not None for word in (option, str(path))]
    where = ["--repository", repository or "USER/NAME"]
    return shlex.join(["add-model", "publish", model.name, *where, "--upload", *options])


def _show(model: PortedModel, planned: Publication, evidence: Evidence | None, wanted: bool, command: str) -> None:
    for name, size in _files(planned):
        say(f"{size:>15,}  {name}")
    for name, why in planned.left_out:
        say(f"{'left out':>15}  {name} ({why})", dim=True)
    for found in planned.findings:
        say(f"{model.shown(found.path)}:{found.line} {found.message}", colour="yellow")
    number = len(planned.findings)
    if evidence is not None:
        say(f"uploaded: {evidence.figure}", colour="green")
    elif number:
        dry = "" if wanted else " (a dry run, as always without --upload)"
        tell(f"nothing was uploaded{dry}: {number} left to do before it can be published")
    else:
        tell(f"nothing was uploaded (a dry run, as always without --upload); ready for: {command}")


def _files(planned: Publication) -> list[tuple[str, int]]:
    from add_model.porting.steps.publishing import CARD

    own = [(name, len(content)) for name, content in planned.made.items()]
    own += [(path.name, path.stat().st_size) for path in planned.files]
    return [(CARD, len(planned.card.encode("utf-8"))), *sorted(own)]
