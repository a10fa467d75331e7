"""A rules file with what was suggested for a conversion, and what a person has to look at in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from add_model.errors import AddModelError
from add_model.porting.checkpoints.adapters import scale_of
from add_model.porting.checkpoints.parts import listed
from add_model.porting.conversion.request import Opened
from add_model.porting.destinations import destination
from add_model.porting.rules.writing import dump_rules
from add_model.porting.suggestion.suggesting import Suggestion, as_rules, find_pairs
from add_model.reading import read_bytes
from add_model.transaction import Change, write_files

_MOST_CLASSES = 5


def suggest_rules(opened: Opened, recording: Path | None = None) -> Suggestion:
    """Suggests the rules of a conversion; with a recording of the original, its values decide what names leave open.

    Raises:
        AddModelError: what it takes to do so is not installed, or the recording cannot be used.
    """
    old, new = opened.checkpoint.weights, opened.new
    words = {word.lower() for word in (opened.subject.name, *opened.subject.name.split("_"))}
    path = opened.checkpoint.path
    scale = scale_of(path if path.is_dir() else path.parent)
    pairs = find_pairs(old, new, opened.kinds, words, opened.checkpoint.read, scale)
    opened.checkpoint.release()
    if recording is not None:
        from add_model.porting.recording.file import load_recording
        from add_model.porting.suggestion.by_values import decide

        model = opened.subject.build(opened.choice.config, opened.choice.class_name, device="cpu")
        pairs = decide(pairs, opened.checkpoint, new, model, load_recording(recording))
    return as_rules(pairs, old, new)


def class_note(opened: Opened) -> str | None:
    """Which class the rules are for, and how to have another; `None` where somebody said which, or there is but one."""
    choice, names = opened.choice, opened.subject.class_names
    others = [name for name in names if name != choice.class_name]
    if not choice.is_by_default or not others:
        return None
    more = ", ..." if len(others) > _MOST_CLASSES else ""
    return f"the rules are for {choice.class_name}, as neither --class nor the configuration names another; what a head needs of the checkpoint is left then: pass --class with {', '.join(others[:_MOST_CLASSES])}{more} for it"  # fmt: skip


def suggestion_text(opened: Opened, suggestion: Suggestion) -> str:
    """The text of a rules file with what was suggested."""
    model, checkpoint = opened.choice.class_name, opened.checkpoint.path.name
    header = [f"How the weights of {checkpoint} become those of {model}; suggested by add-model, to be checked."]
    header.append("A weight that no rule mentions keeps its name.")
    if suggestion.rules.unsure:
        header.append("Rules marked `unsure` need a look: correct them if need be, and remove the mark.")
    for name in suggestion.open:
        header.append(f"Nothing was found for {name} {list(opened.new.weights[name].shape)}.")
    parts = opened.checkpoint.parts
    left = [part for _, part in parts if not part.is_read]
    if left:
        header.append(f"Left of {checkpoint}: {listed(left)}.")
    read = opened.read or tuple(dict.fromkeys(part.name for _, part in parts if part.is_read))
    return dump_rules(replace(suggestion.rules, read=read), header)


def write_rules(path: Path, text: str, *, replace: bool = False) -> None:
    """Writes a rules file.

    Raises:
        AddModelError: it exists and is not to be replaced, or cannot be written.
    """
    path = destination(path, "--rules")
    if path.is_dir():
        raise AddModelError(f"{path}: is a folder; pass a file with --rules")
    try:
        before = read_bytes(path) if path.is_file() else None
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror}; pass another file with --rules") from error
    if before is not None and not replace:
        raise AddModelError(f"{path}: exists already; pass another file with --rules, or --force to replace it")
    write_files(path.parent, [Change(path, text.encode("utf-8"), before)])
