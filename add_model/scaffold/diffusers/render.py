"""From the plan to files in memory: the model's modules, and everything around them that has to say its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from add_model.copies.language.marker import without_markers
from add_model.scaffold.answers import dump_answers
from add_model.scaffold.copied_text.copying import marked_copy
from add_model.scaffold.diffusers.belongings import belongings_in
from add_model.scaffold.diffusers.layout import PACKAGE
from add_model.scaffold.diffusers.plan import DiffusersPlan, Source
from add_model.scaffold.diffusers.registration import Registrar
from add_model.scaffold.laying_out import laid_out, unmarked_blocks
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering
from add_model.scaffold.source_tree.earlier import earlier_in
from add_model.scaffold.source_tree.edits import Note, read_file

# How Diffusers lays its modules out, for a tree that does not say so: an unpacked wheel.
_SETTINGS = """\
line-length = 119
[lint.isort]
lines-after-imports = 2
known-first-party = ["diffusers"]
"""


def render_diffusers(plan: DiffusersPlan) -> Rendering:
    """Renders every file of a plan.

    Raises:
        AddModelError: a file cannot be read, or does not parse.
    """
    modules: list[RenderedFile] = []
    left_out: list[LeftOut] = []
    for source in plan.sources:
        module, unmarked = _module(source, plan)
        modules.append(module)
        left_out += unmarked
    root = plan.tree.root
    earlier = earlier_in(root, plan.name.snake, cache(read_file))
    registration = Registrar(plan, earlier.before).registration()
    modules += [RenderedFile(file.path, file.content.decode()) for file in registration.new_files]
    files, lost, unformatted_because = laid_out(root, modules, _SETTINGS)
    left_out += lost
    files += earlier.rendered(registration.edits, belongings_in(plan.tree, plan.name.snake))
    left_out += [LeftOut(_place(note, plan), note.text) for note in registration.notes]
    if unformatted_because is not None:
        left_out.append(LeftOut("formatting", unformatted_because))
    rendering = Rendering(
        root,
        PACKAGE,
        plan.name,
        plan.reference.specification,
        tuple(files),
        tuple(left_out),
        tuple(_next_commands(plan)),
    )
    answers = RenderedFile(rendering.state_folder / "answers.toml", dump_answers(plan.answers))
    return replace(rendering, files=(*files, answers))


def _module(source: Source, plan: DiffusersPlan) -> tuple[RenderedFile, list[LeftOut]]:
    if source.original.name == "__init__.py":
        return RenderedFile(source.path, source.renaming.rename_text(without_markers(source.text))), []
    text, unmarked = marked_copy(source.text, plan.tree.module(source.original), source.renaming)
    return RenderedFile(source.path, text), list(unmarked_blocks(unmarked))


def _place(note: Note, plan: DiffusersPlan) -> str:
    return f"{note.path.relative_to(plan.tree.root).as_posix()}:{note.line}"


def _next_commands(plan: DiffusersPlan) -> Iterator[str]:
    written = (source.path.parent if source.path.name == "__init__.py" else source.path for source in plan.sources)
    folders = [path for path in dict.fromkeys(written)]
    shown = [path for path in folders if path.parent not in folders]
    yield f"add-model check-copies {' '.join(path.relative_to(plan.tree.root).as_posix() for path in shown)}"
