"""`add-model convert`: fill a model with the weights of the original's checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from add_model.cli.examples import with_examples
from add_model.cli.options import IntoOption, JsonOption
from add_model.cli.output import say, say_json, say_text, stopped, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.porting.conversion.report import Conversion
    from add_model.porting.conversion.request import Opened

_EXAMPLES = """
Examples:
    add-model convert brand_new_bert original/ --suggest     writes brand_new_bert.rules.toml, to be checked
    add-model convert brand_new_bert original/ --suggest --recording original.safetensors
    add-model convert brand_new_bert original/               converts by these rules, into converted/brand_new_bert
    add-model convert brand_new_bert model.npz --config config.json --class BrandNewBertForMaskedLM
    add-model convert zoo:gpt2 pytorch_model.bin --rules gpt2.toml --out gpt2 --json
"""


@with_examples(_EXAMPLES)
def convert(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model to fill, such as brand_new_bert.")],
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            help="The original's weights: a safetensors, PyTorch, .npz, GGUF, Flax or Keras file, or a folder that holds them.",
        ),
    ],  # fmt: skip
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules",
            metavar="FILE",
            help="How weights are renamed and changed. Default: NAME.rules.toml in this folder, if it is there.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Write the rules file instead of converting, and mark what is unsure.")
    ] = False,  # fmt: skip
    recording: Annotated[
        Path | None,
        typer.Option(
            "--recording",
            metavar="FILE",
            help="With --suggest: a recorded forward pass of the original, whose values decide what names leave open.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder to write. Default: converted/NAME.", show_default=False),
    ] = None,  # fmt: skip
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The configuration, the original's or the new model's. Default: config.json beside the checkpoint.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="The class to fill. Default: the one that the configuration names, else the base model.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    read: Annotated[
        list[str] | None,
        typer.Option(
            "--read",
            metavar="PART",
            help="The part of a PyTorch file that is read, such as model or ema; once for each. Default: what the rules name, else the usual one.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    into: IntoOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace weights or rules that exist already.")] = False,
    accept_unsure: Annotated[
        bool, typer.Option("--accept-unsure", help="Convert although rules are marked as unsure.")
    ] = False,  # fmt: skip
    accept_not_finite: Annotated[
        bool, typer.Option("--accept-not-finite", help="Convert although weights hold NaN or infinity.")
    ] = False,  # fmt: skip
    shard_size: Annotated[
        str, typer.Option("--shard-size", metavar="SIZE", help="The size from which weights are split into files.")
    ] = "5GB",  # fmt: skip
    as_json: JsonOption = False,
) -> None:
    """Fill a model with the weights of the original's checkpoint.

    Every weight of the model is filled exactly once, by name and shape; whatever is open is an error that names it.
    The result can be loaded by from_pretrained. The memory this takes depends on the largest weight alone.
    """
    from add_model.porting.checkpoints.staged import remove_leftovers
    from add_model.porting.conversion.request import (
        default_rules_path,
        make_conversion,
        opened,
        parse_size,
        read_rules,
    )
    from add_model.porting.model.subject import find_subject
    from add_model.porting.rules.rule import Rules
    from add_model.scaffold.destination import find_holder

    if recording is not None and not suggest:
        raise AddModelError("--recording belongs to --suggest; pass both, or leave it out")
    shard_bytes = parse_size(shard_size)
    subject = find_subject(find_holder(into or Path.cwd()), name)
    folder = out or Path("converted") / subject.name
    # Whatever comes of this run, nothing of an earlier one stays out of sight.
    restored = remove_leftovers(folder)
    if restored is not None:
        tell(f"note: {restored}")
    given = Rules() if suggest else read_rules(subject, rules)
    with opened(subject, checkpoint, config, class_name, read or given.read) as found:
        for note in (*found.checkpoint.notes, *found.choice.notes):
            tell(f"note: {note}")
        if suggest:
            _suggest(found, rules, recording, force, as_json)
            return
        conversion = make_conversion(found, given, accept_unsure=accept_unsure)
        where = None if given.rules else rules or default_rules_path(subject)
        _refuse_open(conversion, where, as_json)
        options = {"replace": force, "accept_not_finite": accept_not_finite, "shard_bytes": shard_bytes}
        _convert(conversion, folder, options, as_json)


def _suggest(found: Opened, path: Path | None, recording: Path | None, force: bool, as_json: bool) -> None:
    from add_model.porting.conversion.request import default_rules_path
    from add_model.porting.suggestion.rules_file import class_note, suggest_rules, suggestion_text, write_rules

    said = class_note(found)
    if said is not None:
        tell(f"note: {said}")
    suggestion = suggest_rules(found, recording)
    path = path or default_rules_path(found.subject)
    text = suggestion_text(found, suggestion)
    write_rules(path, text, replace=force)
    rules = suggestion.rules
    if as_json:
        document = {"rules": str(path), "number": len(rules.rules), "unsure": len(rules.unsure), "open": list(suggestion.open)}  # fmt: skip
        say_json(document)
    else:
        say_text(text)
    unsure = f", {len(rules.unsure)} of them unsure" if rules.unsure else ""
    left = f"; nothing was found for {len(suggestion.open)} weights" if suggestion.open else ""
    tell(f"{len(rules.rules)} rules{unsure}{left}; written to {path}")


def _refuse_open(conversion: Conversion, missing_rules: Path | None, as_json: bool) -> None:
    """Shows everything that keeps a conversion from being done.

    Args:
        conversion: what is to be done.
        missing_rules: where rules would be, for a conversion without any: weights are then filled by their names.
        as_json: whether all of it is one document.

    Raises:
        AddModelError: there is something.
    """
    from add_model.porting.conversion.report import report

    problems = conversion.plan.problems
    if not problems:
        return
    if as_json:
        say_json(report(conversion))
    else:
        for problem in problems:
            say(problem)
    more = f" (and {len(problems) - 1} more, listed on stdout)" if len(problems) > 1 else ""
    origin = conversion.choice.origin
    hint = f"; there are no rules in {missing_rules}: --suggest writes them" if missing_rules is not None else ""
    raise AddModelError(f"{problems[0]}{more}; nothing was written, the configuration is from {origin}{hint}")


def _convert(conversion: Conversion, out: Path, options: dict[str, Any], as_json: bool) -> None:
    from add_model.cli.progress import Progress
    from add_model.porting.conversion.evidence import keep_evidence
    from add_model.porting.conversion.report import report, report_lines, summary_line
    from add_model.porting.conversion.writing import convert as write

    progress = Progress(enabled=sys.stderr.isatty(), description="converting")
    try:
        with progress:
            files = write(conversion, out, advance=progress.advance, **options)
    except KeyboardInterrupt:
        stopped()
        raise typer.Exit(130) from None
    document = {**report(conversion), "out": str(out), "written": files}
    keep_evidence(conversion.subject, out, document)
    if as_json:
        say_json(document)
        return
    for line in report_lines(document):
        say(line)
    tell(f"{summary_line(document)}; written to {out}")
