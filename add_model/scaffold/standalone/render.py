"""From the plan to files in memory: copied, thinned out, renamed, marked, formatted, and what stands around them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from add_model.copies.language.marker import without_markers
from add_model.library import CONFIGURATION_FILE
from add_model.registry import TOKENIZER_MAPPING, parse_registry
from add_model.registry_edits import with_entries, without_model
from add_model.scaffold.answers import dump_answers
from add_model.scaffold.copied_text.marking import Unmarked, blocks, with_markers
from add_model.scaffold.copied_text.origins import without_inner_markers, without_origins
from add_model.scaffold.laying_out import laid_out, unmarked_blocks
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering, as_it_is
from add_model.scaffold.standalone.base import Base, with_package
from add_model.scaffold.standalone.exports import with_export
from add_model.scaffold.standalone.laying_down import library_files, with_mentioned_mappings
from add_model.scaffold.standalone.plan import ModelFile, Plan
from add_model.scaffold.standalone.requirements import distribution, project_with, requirements
from add_model.scaffold.standalone.selection import without_names
from add_model.scaffold.surroundings.around import (
    files_from_templates,
    refuse_duplicates,
    setup_command,
    template_values,
    with_index,
    with_project_file,
)
from add_model.state import STATE_FOLDER
from add_model.syntax_tree import syntax_tree


def render(plan: Plan) -> Rendering:
    """Renders every file of a plan.

    Raises:
        AddModelError: a source or a template fails.
    """
    # What the answers say to do without is no news to whoever gave them.
    left_out: list[LeftOut] = []
    modules = []
    for file in plan.model_files:
        text, unmarked = _model_text(file, plan)
        if file.path == plan.library.models_folder / plan.name.snake / "__init__.py" and plan.borrowed is not None:
            text = with_export(text, *plan.borrowed)
        modules.append(RenderedFile(file.path, text))
        left_out += unmarked_blocks(unmarked)
    around, edited = library_files(plan.library, plan.is_new_library, plan.registry_entries, {file.path: file.text for file in modules})  # fmt: skip
    left_out += edited
    files, lost, unformatted_because = laid_out(plan.library.root, [*modules, *around, _registry(plan, around)])
    left_out += lost
    if unformatted_because is not None:
        left_out.append(LeftOut("formatting", unformatted_because))
    needed = requirements(file.text for file in files)
    left_out += _left_to_the_user(plan, needed)
    files += _around(plan, {file.path: file.text for file in files[: len(modules)]}, needed)
    if not plan.is_new_library:
        project, by_hand = project_with(plan.library, (file.text for file in [*modules, *around]))
        files += project
        left_out += by_hand
    refuse_duplicates(plan.library, files)
    files, missing = with_index(plan.library, files, plan.name, plan.reference.name)
    return Rendering(
        plan.library.root,
        plan.library.package,
        plan.name,
        plan.reference.specification,
        tuple(files),
        (*left_out, *missing),
        tuple(_next_commands(plan, needed)),
    )


def _next_commands(plan: Plan, needed: Sequence[str]) -> Iterator[str]:
    root = plan.library.root
    if plan.is_new_library:
        yield setup_command(plan.library, [distribution(each) for each in needed])
    tests = (plan.library.tests_folder / "models" / plan.name.snake).relative_to(root).as_posix()
    yield f"pytest {tests}"
    yield "add-model check-copies"
    checklist = plan.library.docs_folder / "checklists" / f"{plan.name.snake}.md"
    yield f"less {checklist.relative_to(root).as_posix()}"


def _left_to_the_user(plan: Plan, needed: Sequence[str]) -> Iterator[LeftOut]:
    """What follows from the answers and cannot be done without knowing more about the model or the project."""
    if plan.tokenizer is not None and plan.tokenizer != plan.reference:
        reads_text = plan.tokenizer.preprocessing == TOKENIZER_MAPPING
        what = f"configuration for the {'tokenizer' if reads_text else 'image processor'} of {plan.tokenizer.specification}"  # fmt: skip
        values = "vocab_size and the ids of special tokens" if reads_text else "the size of images and their channels"
        yield LeftOut(what, f"set {values}; pass the inputs that {plan.reference.name.title} takes")
    if plan.is_new_library and (plan.library.root / CONFIGURATION_FILE).exists():
        yield LeftOut(
            f"dependencies in your {CONFIGURATION_FILE}",
            f"add {', '.join(map(distribution, needed))}; to test: mypy, pytest, ruff",
        )


def _model_text(file: ModelFile, plan: Plan) -> tuple[str, tuple[Unmarked, ...]]:
    original = file.reference.files[file.source]
    renaming = file.reference.renaming(plan.name)
    registered = frozenset(file.reference.classes.values()) - plan.dropped
    # Markers within a block are a part of it, as they are to the libraries' own scripts.
    bare = without_origins(original, list(blocks(original))) if file.is_marked else without_markers(original)
    text, _ = without_names(bare, plan.dropped, keep=registered)
    text = renaming.text(text, keep=_imported_from_elsewhere(text, file))
    text = with_package(text, file.reference.library.package, plan.library.package)
    if not file.is_marked:
        return text, ()
    text, unmarked = with_markers(text, bare, file.source_module, renaming)
    return without_inner_markers(text, {name for name, _ in unmarked}), unmarked


def _registry(plan: Plan, around: Sequence[RenderedFile]) -> RenderedFile:
    path = plan.library.registry
    base = Base(plan.library)
    if plan.is_new_library:
        # Every auto class that is laid down looks into a mapping, which may have no entry.
        names = base.held("".join(file.text for file in around if file.path.parent == path.parent))
        file = RenderedFile(path, base.with_names(path, names), of_model=False)
    else:
        file = as_it_is(path)
    registered = parse_registry(file.text, str(path)).classes(plan.name.snake)
    # A model that is replaced may have had classes that it has no longer.
    text = without_model(file.text, plan.name.snake, registered.keys() - plan.registry_entries.keys())
    text = with_entries(text, plan.registry_entries)
    return replace(file, text=with_mentioned_mappings(text, (file.text for file in around)))


def _around(plan: Plan, modules: dict[Path, str], needed: Sequence[str]) -> Iterator[RenderedFile]:
    """What templates give, and what the library remembers of the model."""
    library, name = plan.library, plan.name
    values = {
        **template_values(library, plan.answers, name, library.models_folder / name.snake, modules),
        "reference": {"name": plan.reference.name, "specification": plan.reference.specification},
        "tool": plan.tool,
        "requirements": list(needed),
        "sizes": {},
        "classes": {mapping: types[name.snake] for mapping, types in plan.registry_entries.items()},
        "heads": {
            task: plan.reference.renaming(name).identifier(plan.reference.heads[task]) for task in plan.answers.heads
        },
        "tokenizer": plan.tokenizer and plan.tokenizer.specification,
    }
    yield from files_from_templates("model", library, name, values)
    if plan.is_new_library:
        laid_down = files_from_templates("library", library, name, values, of_model=False)
        yield from with_project_file(laid_down, library)
    yield RenderedFile(
        library.root / STATE_FOLDER / "models" / name.snake / "answers.toml", dump_answers(plan.answers)
    )


def _imported_from_elsewhere(text: str, file: ModelFile) -> frozenset[str]:
    """The names that a module imports from outside the reference's own package; they are not the model's to rename."""
    own = file.reference.package
    names: set[str] = set()
    for node in ast.walk(syntax_tree(text)):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inside = module == own or module.startswith(f"{own}.") if node.level == 0 else node.level == 1
            if not inside:
                names.update(alias.name for alias in node.names)
                names.update(module.split("."))
        elif isinstance(node, ast.Import):
            names.update(part for alias in node.names for part in alias.name.split("."))
    return frozenset(names - {file.reference.name.snake})
