"""A model in a package of one's own, as files in memory; and the package around it where there is none yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from add_model import __version__
from add_model.copies.versions import RECORD, installed_version, record
from add_model.library import CONFIGURATION_FILE
from add_model.scaffold.answers import dump_answers
from add_model.scaffold.checkout.layout import PACKAGE
from add_model.scaffold.checkout.plan import CheckoutPlan
from add_model.scaffold.formatting import format_files
from add_model.scaffold.out_of_tree.auto_classes import AutoClass
from add_model.scaffold.out_of_tree.modules import Model, new_model
from add_model.scaffold.out_of_tree.preprocessors import Preprocessor
from add_model.scaffold.out_of_tree.target import OutOfTree
from add_model.scaffold.project_file import with_configuration
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering, as_it_is
from add_model.scaffold.templates import render_folder

# The folder that stands for the package in the paths of the templates.
_PACKAGE = "package"


def render_out_of_tree(plan: CheckoutPlan, target: OutOfTree) -> Rendering:
    """Renders every file of a plan.

    Args:
        plan: the plan, whose checkout is the installed Transformers.
        target: where the model goes.

    Raises:
        AddModelError: a file cannot be read or does not parse, or a template fails.
    """
    model = new_model(plan)
    folder = target.models_folder / plan.name.snake
    files = [RenderedFile(folder / module.path, module.text) for module in model.modules]
    files += list(_around(plan, model, target))
    formatted, unformatted_because = format_files(target.root, {file.path: file.text for file in files})
    files = [replace(file, text=formatted[file.path]) for file in files]
    left_out = list(_left_out(plan, model))
    if unformatted_because is not None:
        left_out.append(LeftOut("formatting", unformatted_because))
    rendering = Rendering(
        target.root,
        target.package,
        plan.name,
        plan.reference.specification,
        tuple(files),
        tuple(left_out),
        tuple(_next_commands(plan, target)),
    )
    modules = {
        file.path.relative_to(target.root).as_posix(): file.text for file in files if file.path.parent == folder
    }
    state = (
        RenderedFile(rendering.state_folder / "answers.toml", dump_answers(plan.answers)),
        RenderedFile(rendering.state_folder / RECORD, record(target.library, modules)),
    )
    return replace(rendering, files=(*files, *state))


def _around(plan: CheckoutPlan, model: Model, target: OutOfTree) -> Iterator[RenderedFile]:
    """What templates give: the model's own files, and those of a package that is laid down."""
    own = (
        None
        if target.library.configuration.templates is None
        else target.root / target.library.configuration.templates
    )
    values = _values(plan, model, target)
    for path, text in render_folder("out_of_tree/model", values, plan.name.snake, own):
        yield RenderedFile(_placed(path.as_posix(), target), text)
    if not target.is_new:
        return
    for path, text in render_folder("out_of_tree/library", values, plan.name.snake, own):
        place = _placed(path.as_posix(), target)
        if path.as_posix() == CONFIGURATION_FILE and place.exists():
            file = as_it_is(place, of_model=False)
            yield replace(file, text=with_configuration(file.text, target.package) + f'follows = ["{PACKAGE}"]\n')
        elif not (place.exists() and path.name == "README.md"):
            yield RenderedFile(place, text, of_model=False)


def _values(plan: CheckoutPlan, model: Model, target: OutOfTree) -> Mapping[str, Any]:
    """What the templates can use; plain values only."""
    module_of = model.defined_in
    registered = [found for found in model.auto_classes if found.classes[0] in module_of]
    groups: dict[tuple[str, ...], list[AutoClass]] = {}
    for found in registered:
        groups.setdefault(model.definitions.needs(found.classes[0]), []).append(found)
    models = groups.pop((), [])
    configurations = sorted(name for name in model.model_types if name in module_of)
    paired = {found.configuration for found in registered} | {found.configuration for found in model.preprocessors}
    auto_names = {*(found.name for found in registered), *(found.auto_class for found in model.preprocessors)}
    return {
        "name": plan.name,
        "reference": {"name": plan.reference.name, "specification": plan.reference.specification},
        "version": __version__,
        "transformers_version": installed_version(PACKAGE),
        "package": target.package,
        "answers": plan.answers.for_pages,
        "configurations": [(name, model.model_types[name], module_of[name]) for name in configurations],
        "models": _entries(models),
        "imports": _imports({*_classes(models), *configurations, *paired} & module_of.keys(), module_of),
        # What needs a package that may be missing: the packages, the imports, and the models.
        "optional_models": [
            (list(needs), _imports(_classes(found), module_of), _entries(found)) for needs, found in groups.items()
        ],
        "auto_names": sorted({"AutoConfig", *auto_names}),
        "preprocessors": [_preprocessor(found, model) for found in model.preprocessors],
    }


def _classes(found: Sequence[AutoClass]) -> Set[str]:
    return {auto_class.classes[0] for auto_class in found}


def _entries(found: Sequence[AutoClass]) -> list[tuple[str, str, str]]:
    """Auto class, configuration, and the class that it answers with."""
    return [(auto_class.name, auto_class.configuration, auto_class.classes[0]) for auto_class in found]


def _imports(names: Set[str], module_of: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """What the model's package takes from its modules: module -> names, sorted."""
    modules = sorted({module_of[name] for name in names})
    return [(module, sorted(name for name in names if module_of[name] == module)) for module in modules]


def _preprocessor(found: Preprocessor, model: Model) -> Mapping[str, Any]:
    """A tokenizer or processor: what it is registered as, what it needs, and whether it is saved with its code.

    Only what derives from a class of Transformers can be; its own classes need no code to come along.
    """
    return {
        "auto": found.auto_class,
        "configuration": found.configuration,
        "class": found.name,
        "module": f".{model.defined_in[found.name]}" if found.is_own else PACKAGE,
        "parameter": found.parameter,
        "needs": list(model.definitions.needs(found.name)),
        "is_saved": found.is_own and model.definitions.derives(found.name),
    }


def _left_out(plan: CheckoutPlan, model: Model) -> Iterator[LeftOut]:
    for path in plan.reference.not_copied:
        yield LeftOut(str(path), "it makes, or converts, the reference's own files")
    for module in model.modules:
        for name in dict.fromkeys(module.unmarked):
            yield LeftOut(f"marker of {name}", "no list of replacements reproduces it")


def _placed(path: str, target: OutOfTree) -> Path:
    inside = path.removeprefix(f"{_PACKAGE}/")
    if inside != path:
        return target.library.package_folder / inside
    return target.root / path


def _next_commands(plan: CheckoutPlan, target: OutOfTree) -> Iterator[str]:
    if target.is_new:
        yield "pip install -e ."
    yield f"pytest tests/models/{plan.name.snake}"
    yield "add-model check-copies"
