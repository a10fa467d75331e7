"""From the plan to files in memory: copied, thinned out, renamed, marked, formatted, and what stands around them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from add_model import __version__
from add_model.copies.marker import without_markers
from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_FILE
from add_model.references import read_text
from add_model.registry import parse_registry
from add_model.registry_edits import with_entries, without_entries, without_model
from add_model.scaffold.answers import dump_answers
from add_model.scaffold.documentation import document, with_index_entry
from add_model.scaffold.formatting import format_files
from add_model.scaffold.marking import with_markers
from add_model.scaffold.plan import ModelFile, Plan
from add_model.scaffold.project_file import with_configuration
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering, as_it_is
from add_model.scaffold.selection import without_names
from add_model.scaffold.templates import render_folder
from add_model.transaction import STATE_FOLDER, ensure_inside


def render(plan: Plan) -> Rendering:
    """Renders every file of a plan.

    Raises:
        AddModelError: a source or a template fails.
    """
    left_out = [LeftOut(name, why) for name, why in plan.dropped.items()]
    modules = []
    for file in plan.model_files:
        text, unmarked = _model_text(file, plan)
        modules.append(RenderedFile(file.path, text))
        left_out += [LeftOut(f"marker of {name}", "no list of replacements reproduces it") for name in unmarked]
    files = [*modules, *_base(plan), _registry(plan)]
    formatted, unformatted_because = format_files(plan.library.root, {file.path: file.text for file in files})
    files = [replace(file, text=formatted[file.path]) for file in files]
    if unformatted_because is not None:
        left_out.append(LeftOut("formatting", unformatted_because))
    left_out += _left_to_the_user(plan)
    files += _around(plan, {file.path: formatted[file.path] for file in modules})
    _refuse_duplicates(plan, files)
    files, missing = _index(plan, files)
    return Rendering(
        plan.library.root,
        plan.library.package,
        plan.name,
        plan.reference.specification,
        tuple(files),
        (*left_out, *missing),
        tuple(_next_commands(plan)),
    )


def _next_commands(plan: Plan) -> Iterator[str]:
    root = plan.library.root
    if plan.is_new_library:
        yield "pip install -e ."
    tests = (plan.library.tests_folder / "models" / plan.name.snake).relative_to(root).as_posix()
    yield f"pytest {tests}"
    yield "add-model check-copies"
    checklist = plan.library.docs_folder / "checklists" / f"{plan.name.snake}.md"
    yield f"less {checklist.relative_to(root).as_posix()}"


def _refuse_duplicates(plan: Plan, files: Sequence[RenderedFile]) -> None:
    """A template of the user's own may not stand for a file that is not made from a template."""
    paths = [file.path for file in files]
    for path in paths:
        if paths.count(path) > 1:
            raise AddModelError(f"{plan.library.root / (plan.library.configuration.templates or '')}: a template there would write {path}, which is not made from a template; give it another path")  # fmt: skip


def _left_to_the_user(plan: Plan) -> Iterator[LeftOut]:
    """What follows from the answers and cannot be done without knowing more about the model or the project."""
    if plan.tokenizer is not None and plan.tokenizer != plan.reference:
        what = f"configuration for the tokenizer of {plan.tokenizer.specification}"
        yield LeftOut(
            what,
            f"set vocab_size and the ids of special tokens; pass the inputs that {plan.reference.name.title} takes",
        )
    if plan.is_new_library and (plan.library.root / CONFIGURATION_FILE).exists():
        yield LeftOut(
            f"dependencies in your {CONFIGURATION_FILE}",
            "add huggingface-hub, safetensors, tokenizers, torch; to test: mypy, pytest, ruff",
        )


def _model_text(file: ModelFile, plan: Plan) -> tuple[str, tuple[str, ...]]:
    original = file.reference.files[file.source]
    renaming = file.reference.renaming(plan.name)
    registered = frozenset(file.reference.classes.values()) - plan.dropped.keys()
    text, _ = without_names(without_markers(original), frozenset(plan.dropped), keep=registered)
    text = renaming.text(text, keep=_imported_from_elsewhere(text, file))
    text = _with_package(text, file.reference.library.package, plan.library.package)
    if not file.is_marked:
        return text, ()
    return with_markers(text, original, file.source_module, renaming)


def _base(plan: Plan) -> Iterator[RenderedFile]:
    """The library itself, where it is to be laid down."""
    for file in plan.base_files:
        if file.path == plan.library.registry:
            continue
        text = _with_package(read_text(file.source), "add_model.zoo", plan.library.package)
        yield RenderedFile(file.path, text, of_model=False)


def _registry(plan: Plan) -> RenderedFile:
    path = plan.library.registry
    sources = [file.source for file in plan.base_files if file.path == path]
    if sources:
        file = RenderedFile(path, without_entries(read_text(sources[0])), of_model=False)
    else:
        file = as_it_is(path)
    registered = parse_registry(file.text, str(path)).classes(plan.name.snake)
    # A model that is replaced may have had classes that it has no longer.
    text = without_model(file.text, plan.name.snake, registered.keys() - plan.registry_entries.keys())
    return replace(file, text=with_entries(text, plan.registry_entries))


def _around(plan: Plan, modules: dict[Path, str]) -> Iterator[RenderedFile]:
    """What templates give, and what the library remembers of the model."""
    root, library = plan.library.root, plan.library
    own = None if library.configuration.templates is None else root / library.configuration.templates
    if own is not None:
        ensure_inside(root, own)
    # Plain values only: through a path, a template could read and write whatever the user can.
    values = {
        "name": plan.name,
        "reference": {"name": plan.reference.name, "specification": plan.reference.specification},
        "version": __version__,
        "package": library.package,
        "answers": plan.answers,
        "classes": {mapping: types[plan.name.snake] for mapping, types in plan.registry_entries.items()},
        "heads": {
            task: plan.reference.renaming(plan.name).identifier(plan.reference.heads[task])
            for task in plan.answers.heads
        },  # fmt: skip
        "tokenizer": plan.tokenizer and plan.tokenizer.specification,
        "documentation": document(modules),
        "folders": {
            "model": (library.models_folder / plan.name.snake).relative_to(root).as_posix(),
            "tests": (library.tests_folder / "models" / plan.name.snake).relative_to(root).as_posix(),
            "docs": library.configuration.docs,
            "state": f"{STATE_FOLDER}/models/{plan.name.snake}",
        },
    }
    for path, text in render_folder("model", values, plan.name.snake, own):
        yield RenderedFile(_placed(root, path.as_posix(), library.configuration.docs), text)
    if plan.is_new_library:
        for path, text in render_folder("library", values, plan.name.snake, own):
            target = _placed(root, path.as_posix(), library.configuration.docs)
            if path.as_posix() == "pyproject.toml" and target.exists():
                file = as_it_is(target, of_model=False)
                yield replace(file, text=with_configuration(file.text, library.package))
            else:
                yield RenderedFile(target, text, of_model=False)
    yield RenderedFile(root / STATE_FOLDER / "models" / plan.name.snake / "answers.toml", dump_answers(plan.answers))


def _index(plan: Plan, files: Sequence[RenderedFile]) -> tuple[list[RenderedFile], list[LeftOut]]:
    """The files with the model's entry in the docs index, which is one of them or stands in the library already."""
    path = plan.library.docs_folder / "index.md"
    laid_down = [file for file in files if file.path == path]
    if not laid_down and not path.is_file():
        return list(files), [LeftOut(f"entry in {path.name} of the docs", "the library has none")]
    index = laid_down[0] if laid_down else as_it_is(path)
    entry = f"- [{plan.name.title}](models/{plan.name.snake}.md): like {plan.reference.name.title}"
    text = with_index_entry(index.text, entry)
    others = [file for file in files if file.path != path]
    if text is None:
        return others, [LeftOut(f"entry in {path.name} of the docs", "it has no heading `## Models` to put it under")]
    return [*others, replace(index, text=text)], []


def _placed(root: Path, path: str, docs: str) -> Path:
    """Where a template's file goes: `docs/` in its path stands for the library's own docs folder."""
    return root / docs / path.removeprefix("docs/") if path.startswith("docs/") else root / path


def _with_package(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)


def _imported_from_elsewhere(text: str, file: ModelFile) -> frozenset[str]:
    """The names that a module imports from outside the reference's own package; they are not the model's to rename."""
    own = file.reference.package
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inside = module == own or module.startswith(f"{own}.") if node.level == 0 else node.level == 1
            if not inside:
                names.update(alias.name for alias in node.names)
                names.update(module.split("."))
        elif isinstance(node, ast.Import):
            names.update(part for alias in node.names for part in alias.name.split("."))
    return frozenset(names - {file.reference.name.snake})
