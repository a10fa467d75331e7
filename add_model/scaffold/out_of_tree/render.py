"""A model in a package of one's own, as files in memory; and the package around it where there is none yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from add_model.copies.judging.versions import RECORD, record
from add_model.installed import installed_version
from add_model.library import CONFIGURATION_FILE
from add_model.names import to_snake
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, TOKENIZER_MAPPING
from add_model.scaffold.answers import dump_answers
from add_model.scaffold.checkout.auto_classes import LEAST_SPECIFIC, AutoClass
from add_model.scaffold.checkout.layout import PACKAGE
from add_model.scaffold.checkout.plan import CheckoutPlan
from add_model.scaffold.checkout.reference import TOKENIZATION, kind_of
from add_model.scaffold.laying_out import laid_out, unmarked_blocks
from add_model.scaffold.out_of_tree.modules import Model, new_model
from add_model.scaffold.out_of_tree.preprocessors import Preprocessor
from add_model.scaffold.out_of_tree.sizes import small_sizes
from add_model.scaffold.out_of_tree.target import OutOfTree
from add_model.scaffold.rendering import LeftOut, RenderedFile, Rendering
from add_model.scaffold.surroundings.around import (
    files_from_templates,
    refuse_duplicates,
    setup_command,
    template_values,
    with_index,
    with_project_file,
)
from add_model.scaffold.surroundings.documentation import listed
from add_model.scaffold.surroundings.installation import tool_requirement

# What a package of this kind imports.
_IMPORTED = ("numpy", "torch", PACKAGE)
_BASE, _HEAD, _TOKENIZERS = "AutoModel", "AutoModelFor", "AutoTokenizer"


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
    modules = [RenderedFile(folder / module.path, module.text) for module in model.modules]
    values = _values(plan, model, target)
    files = [*modules, *_around(plan, values, target)]
    refuse_duplicates(target.library, files)
    files, missing = with_index(target.library, files, plan.name, plan.reference.name)
    files, lost, unformatted_because = laid_out(target.root, files)
    left_out = [*_left_out(plan, model), *lost, *missing, *_left_to_the_user(target)]
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
    texts = {file.path.relative_to(target.root).as_posix(): file.text for file in files if file.path.parent == folder}
    state = (
        RenderedFile(rendering.state_folder / "answers.toml", dump_answers(plan.answers)),
        RenderedFile(rendering.state_folder / RECORD, record(target.library, texts)),
    )
    return replace(rendering, files=(*files, *state))


def _around(plan: CheckoutPlan, values: Mapping[str, Any], target: OutOfTree) -> Iterator[RenderedFile]:
    """What templates give: the model's own files, and those of a package that is laid down."""
    library, name = target.library, plan.name
    yield from files_from_templates("model", library, name, values, "out_of_tree/model")
    if values["tokenizers"]:
        yield from files_from_templates("out_of_tree/tokenizer", library, name, values)
    laid_down = files_from_templates("library", library, name, values, "out_of_tree/library", of_model=False)
    if target.is_new:
        yield from with_project_file(laid_down, library)
        return
    # What the model's tests are built on may be younger than the package.
    tests = library.tests_folder
    yield from (file for file in laid_down if file.path.is_relative_to(tests) and not file.path.exists())


def _values(plan: CheckoutPlan, model: Model, target: OutOfTree) -> Mapping[str, Any]:
    """What the templates can use; plain values only."""
    module_of = model.defined_in
    library, folder = target.library, target.models_folder / plan.name.snake
    modules = {folder / module.path: module.text for module in model.modules}
    registered = [found for found in model.auto_classes if found.classes[0] in module_of]
    groups: dict[tuple[str, ...], list[AutoClass]] = {}
    for found in registered:
        groups.setdefault(model.definitions.needs(found.classes[0]), []).append(found)
    models = groups.pop((), [])
    configurations = sorted(name for name in model.model_types if name in module_of)
    paired = {found.configuration for found in registered} | {found.configuration for found in model.preprocessors}
    auto_names = {*(found.name for found in registered), *(found.auto_class for found in model.preprocessors)}
    main = _main_configuration(plan, model)
    tokenizers = sorted(_own_tokenizers(model))
    return {
        **template_values(library, plan.answers, plan.name, folder, modules),
        "reference": {"name": plan.reference.name, "specification": plan.reference.specification},
        "transformers_version": installed_version(PACKAGE),
        "tool": tool_requirement() if target.is_new else None,
        "classes": _main_classes(main, model),
        "heads": {_task(found.name): found.classes[0] for found in reversed(registered) if _task(found.name)},
        "tokenizer": (plan.donor or plan.reference).specification if tokenizers else None,
        "tokenizers": tokenizers,
        "sizes": small_sizes(_text_of(main, model), main),
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


def _main_configuration(plan: CheckoutPlan, model: Model) -> str:
    """The configuration of the whole model, where it has several."""
    types = {model_type: name for name, model_type in model.model_types.items()}
    return types.get(plan.name.snake) or next(iter(types.values()), f"{plan.name.camel}Config")


def _main_classes(main: str, model: Model) -> Mapping[str, str]:
    """What a standalone library's registry would say of the model."""
    answers = [found for found in model.auto_classes if found.classes[0] in model.defined_in]
    answers.sort(key=lambda found: (found.configuration != main, found.name != _BASE))
    classes = {CONFIGURATION_MAPPING: main, MODEL_MAPPING: answers[0].classes[0] if answers else main}
    tokenizers = [found.name for found in model.preprocessors if found.auto_class == _TOKENIZERS]
    return classes | ({TOKENIZER_MAPPING: tokenizers[0]} if tokenizers else {})


def _task(auto_class: str) -> str:
    """What an auto class is for (`AutoModelForMaskedLM`: `masked-lm`); empty where that is nothing in particular."""
    if auto_class in LEAST_SPECIFIC or not auto_class.startswith(_HEAD):
        return ""
    return to_snake(auto_class.removeprefix(_HEAD)).replace("_", "-")


def _own_tokenizers(model: Model) -> Iterator[tuple[str, str]]:
    """The tokenizers that the model brings, each behind its module; auto classes may answer with others for it."""
    for module in model.modules:
        place = ".".join(module.path.with_suffix("").parts)
        if kind_of(module.path) == TOKENIZATION:
            own = (name for name in listed(module.text) if model.defined_in.get(name) == place)
            yield from ((place, name) for name in own if model.definitions.derives(name))


def _text_of(name: str, model: Model) -> str:
    """The module that defines a class."""
    place = model.defined_in.get(name, "")
    return next((module.text for module in model.modules if module.path.with_suffix("").name == place), "")


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
        yield from unmarked_blocks(module.unmarked)


def _left_to_the_user(target: OutOfTree) -> Iterator[LeftOut]:
    if target.is_new and (target.root / CONFIGURATION_FILE).exists():
        yield LeftOut(
            f"dependencies in your {CONFIGURATION_FILE}",
            f"add {', '.join(_IMPORTED)}, as far as they are not there; to test: pytest, ruff",
        )


def _next_commands(plan: CheckoutPlan, target: OutOfTree) -> Iterator[str]:
    library = target.library
    if target.is_new:
        yield setup_command(library, _IMPORTED)
    tests = (library.tests_folder / "models" / plan.name.snake).relative_to(target.root)
    yield f"pytest {tests.as_posix()}"
    yield "add-model check-copies"
    checklist = library.docs_folder / "checklists" / f"{plan.name.snake}.md"
    yield f"less {checklist.relative_to(target.root).as_posix()}"
