"""From the plan to files in memory: the model's folder, and everything around it that has to say its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

from add_model.scaffold.answers import MODULAR_STYLE, dump_answers
from add_model.scaffold.checkout.belongings import belongings_in
from add_model.scaffold.checkout.edits import Names, Registration
from add_model.scaffold.checkout.modular import converter_command, is_from_modular, modular_text, single_module
from add_model.scaffold.checkout.modules import new_module
from add_model.scaffold.checkout.plan import CheckoutPlan
from add_model.scaffold.checkout.reference import kind_of
from add_model.scaffold.checkout.registration import registration_edits
from add_model.scaffold.checkout.test_files import renamed_tests
from add_model.scaffold.laying_out import laid_out, unmarked_blocks
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering
from add_model.scaffold.source_tree.earlier import earlier_in
from add_model.scaffold.source_tree.edits import NewFile, Note, Reader, read_file

# How Transformers lays its modules out, for a tree that does not say so: a source archive, an unpacked wheel.
_SETTINGS = """\
line-length = 119
[lint.isort]
lines-after-imports = 2
known-first-party = ["transformers"]
"""


def render_checkout(plan: CheckoutPlan) -> Rendering:
    """Renders every file of a plan.

    Raises:
        AddModelError: a file cannot be read, or does not parse.
    """
    modules, left_out = [], list(_not_copied(plan))
    is_modular = plan.answers.style == MODULAR_STYLE
    if is_modular:
        modules.append(RenderedFile(plan.folder / f"modular_{plan.name.snake}.py", modular_text(plan)))
    for source in plan.sources:
        follows = is_modular and is_from_modular(source)
        module = (
            single_module(source, plan.name.snake, plan.checkout)
            if follows
            else new_module(source.file, source.renaming)
        )
        text = _package_text(module.text, plan) if str(source.file.path) == "__init__.py" else module.text
        modules.append(RenderedFile(plan.folder / module.path, text))
        left_out += unmarked_blocks(module.unmarked)
    earlier = earlier_in(plan.checkout.root, plan.name.snake, cache(read_file))
    registration = _registration(plan, earlier.before)
    modules += [RenderedFile(file.path, file.content.decode()) for file in _around(registration, plan)]
    files, lost, unformatted_because = laid_out(plan.checkout.root, modules, _SETTINGS)
    left_out += lost
    files += earlier.rendered(registration.edits, belongings_in(plan.checkout, plan.name.snake))
    left_out += [LeftOut(_place(note, plan), note.text) for note in registration.notes]
    if unformatted_because is not None:
        left_out.append(LeftOut("formatting", unformatted_because))
    rendering = Rendering(
        plan.checkout.root,
        "transformers",
        plan.name,
        plan.reference.specification,
        tuple(files),
        tuple(left_out),
        tuple(_next_commands(plan)),
    )
    answers = RenderedFile(rendering.state_folder / "answers.toml", dump_answers(plan.answers))
    return replace(rendering, files=(*files, answers))


def _around(registration: Registration, plan: CheckoutPlan) -> Iterator[NewFile]:
    """The tests and the page of the new model; what is not the reference's is tested as the model that it is from."""
    tests = plan.checkout.tests_folder
    for file in registration.new_files:
        if not file.path.is_relative_to(tests) or _tested_kind(file.path) not in plan.replaced_kinds:
            yield file
    if plan.donor is None or plan.donor_renaming is None:
        return
    renaming = plan.donor_renaming
    names = Names(plan.checkout, str(plan.donor.folder), plan.name.snake, {}, renaming.classes, renaming.rename_text)
    for item in renamed_tests(names):
        if isinstance(item, NewFile) and _tested_kind(item.path) in plan.replaced_kinds:
            yield item


def _tested_kind(path: Path) -> str:
    """The kind of the file that a file of tests is about."""
    return kind_of(PurePosixPath(path.name.removeprefix("test_")))


def _package_text(text: str, plan: CheckoutPlan) -> str:
    """The package file of the new folder, which speaks of the modules that are there."""
    if not plan.left_out and plan.donor is None:
        return text
    from add_model.scaffold.checkout.package_file import with_modules, without_modules

    modules = plan.renaming.modules
    text = without_modules(text, {modules[path.stem] for path in plan.left_out})
    if plan.donor is None or plan.donor_renaming is None:
        return text
    package = next(file for file in plan.donor.files if str(file.path) == "__init__.py")
    renaming = plan.donor_renaming
    donated = {renaming.path(file.path).stem for file in plan.donor.files if file.kind in plan.replaced_kinds}
    return with_modules(text, renaming.rename_text(package.text), donated)


def _registration(plan: CheckoutPlan, read: Reader) -> Registration:
    """What makes the model known in the tree around it."""
    renaming = plan.renaming
    return registration_edits(
        plan.checkout,
        str(plan.reference.folder),
        plan.name.snake,
        renaming.model_types,
        renaming.classes,
        renaming.rename_text,
        read=read,
        donation=plan.donation,
    )


def _place(note: Note, plan: CheckoutPlan) -> str:
    return f"{note.path.relative_to(plan.checkout.root).as_posix()}:{note.line}"


def _not_copied(plan: CheckoutPlan) -> Iterator[LeftOut]:
    for path in plan.reference.not_copied:
        if path.name.startswith("modular_") and plan.answers.style == MODULAR_STYLE:
            continue
        why = "a modular file makes single files, and the new ones are edited by hand" if path.name.startswith("modular_") else "it converts the reference's own checkpoints"  # fmt: skip
        yield LeftOut(str(path), why)


def _next_commands(plan: CheckoutPlan) -> Iterator[str]:
    tests = plan.checkout.tests_folder / plan.name.snake
    if (plan.checkout.tests_folder / plan.reference.folder.name).is_dir():
        yield f"pytest {tests.relative_to(plan.checkout.root).as_posix()}"
    folder = plan.folder.relative_to(plan.checkout.root).as_posix()
    converted = converter_command(plan) if plan.answers.style == MODULAR_STYLE else None
    if converted is not None:
        yield converted
    yield f"add-model check-copies {folder}"
