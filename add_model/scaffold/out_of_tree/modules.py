"""The files of a model in a package of one's own: renamed and marked as in a checkout, importing Transformers by name."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from add_model.names import to_snake
from add_model.scaffold.checkout.auto_classes import Answer, AutoClass, find_answers, find_auto_classes
from add_model.scaffold.checkout.conversions import REGISTER, can_be_registered, find_conversions
from add_model.scaffold.checkout.layout import PACKAGE
from add_model.scaffold.checkout.modules import NewModule, new_module
from add_model.scaffold.checkout.plan import CheckoutPlan
from add_model.scaffold.copied_text.marking import lines_of
from add_model.scaffold.out_of_tree.converters import with_converters
from add_model.scaffold.out_of_tree.definitions import Definitions
from add_model.scaffold.out_of_tree.imports import with_absolute_imports
from add_model.scaffold.out_of_tree.optional_imports import with_guarded_imports
from add_model.scaffold.out_of_tree.preprocessors import Preprocessor, find_preprocessors
from add_model.syntax_tree import syntax_tree

_OTHER_FRAMEWORKS = ("modeling_tf_", "modeling_flax_")
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
# Behind the class, which stays a copy of its original to the last method.
_CONVERTED = """

# The weights of a checkpoint are converted while they are loaded, by the rules of the reference.
"""
_IMPORTED = "from transformers.conversion_mapping import get_checkpoint_conversion_mapping, {register}\n"
_IMPORTED_RULE = "from transformers.core_model_loading import WeightRenaming\n"
_REGISTERED = '{register}("{new}", {rules}, overwrite=True)\n'
_RULES = 'get_checkpoint_conversion_mapping("{old}")'
_SHARES = """

# From here the auto classes lead to models with another configuration, as they do from the reference.
"""
_SHARED = "{mapping}.register({configuration}, {name}, exist_ok=True)\n"
_TO_DICT = '''

def {function}(self):
    """The configuration as it is saved, with where each auto class finds the code of this model."""
    return {{**super({name}, self).to_dict(), "auto_map": {auto_map}}}


{name}.to_dict = {function}
'''


@dataclass(frozen=True)
class Model:
    """A new model as modules, and what the auto classes have to know of it.

    Attributes:
        modules: its modules; their paths are names of files in the model's folder.
        model_types: configuration class -> model type, of every configuration that is registered.
        auto_classes: the models that the auto classes answer with for them, in the new model's names.
        preprocessors: the tokenizers and processors that they answer with.
        definitions: its classes, and the modules that define them, such as `modeling_my_llama`.
    """

    modules: tuple[NewModule, ...]
    model_types: Mapping[str, str]
    auto_classes: tuple[AutoClass, ...]
    preprocessors: tuple[Preprocessor, ...]
    definitions: Definitions

    @property
    def defined_in(self) -> Mapping[str, str]:
        """Name of a class -> the module that defines it."""
        return self.definitions.defined_in


def new_model(plan: CheckoutPlan) -> Model:
    """Makes the modules of a model.

    Raises:
        AddModelError: a file of the reference cannot be read or does not parse.
    """
    folder = f"transformers.models.{plan.name.snake}"
    made: list[tuple[NewModule, tuple[str, ...]]] = []
    for source in plan.sources:
        if source.file.path == PurePosixPath("__init__.py") or source.file.path.name.startswith(_OTHER_FRAMEWORKS):
            continue
        module = new_module(source.file, source.renaming)
        module = replace(module, text=with_converters(module, source.renaming, plan.checkout))
        made.append((replace(module, text=_without_own_origins(module.text, folder)), source.file.path.parent.parts))
    own = {name: _dotted(module) for module, _ in made for name in _CLASS.findall(module.text)}
    modules = [_on_its_own(module, folder, below, own) for module, below in made]
    texts = {_dotted(module): module.text for module in modules}
    definitions = Definitions(plan.checkout, folder, texts)
    renaming = plan.renaming
    configurations = {model_type: name for model_type, name in plan.reference.model_types.items()}
    found = find_auto_classes(plan.checkout, configurations, plan.reference.classes)
    auto_classes = _paired([_renamed(auto_class, plan) for auto_class in found], definitions)
    types = {
        renaming.identifier(name): renaming.model_types[model_type] for model_type, name in configurations.items()
    }
    defined = definitions.defined_in
    preprocessors = tuple(
        found
        for found in find_preprocessors(plan)
        if found.configuration in defined and (found.name in defined or not found.is_own)
    )
    modules = [_with_shared_models(_with_conversions(module, plan), plan, definitions) for module in modules]
    model = Model(tuple(modules), types, auto_classes, preprocessors, definitions)
    return replace(model, modules=tuple(_with_auto_maps(module, model) for module in modules))


def _on_its_own(module: NewModule, folder: str, below: Sequence[str], own: Mapping[str, str]) -> NewModule:
    """A module as it stands outside Transformers, where it is loaded by whoever has a checkpoint with it."""
    text, unmarked = with_guarded_imports(with_absolute_imports(module.text, folder, below, own))
    return replace(module, text=text, unmarked=(*module.unmarked, *unmarked))


def _without_own_origins(text: str, folder: str) -> str:
    """The text without markers that lead to the model itself, which stands in another package than they say."""
    own = re.compile(rf"[ \t]*# Copied from {re.escape(folder)}\.")
    return "".join(line for line in lines_of(text) if not own.match(line))


def _with_conversions(module: NewModule, plan: CheckoutPlan) -> NewModule:
    """A module of models that has their checkpoints converted, wherever it is loaded."""
    if not module.path.name.startswith("modeling_") or not can_be_registered(plan.checkout):
        return module
    renaming = plan.renaming
    keys = {**{old: new for old, new in renaming.classes.items() if old[:1].isupper()}, **renaming.model_types}
    found = find_conversions(plan.checkout, keys, renaming.rename_text)
    if not found:
        return module
    lines = lines_of(module.text)
    body = syntax_tree(module.text).body
    first = next(node for node in body if isinstance(node, ast.ImportFrom) and node.module != "__future__")
    calls = [_CONVERTED]
    for each in found:
        rules = _RULES.format(old=each.old)
        rules = f"[*{rules}, {', '.join(each.own_rules)}]" if each.own_rules else rules
        calls.append(_REGISTERED.format(register=REGISTER, new=each.new, rules=rules))
    imports = [
        _IMPORTED.format(register=REGISTER),
        *([_IMPORTED_RULE] if any(each.own_rules for each in found) else []),
    ]
    lines[first.lineno - 1 : first.lineno - 1] = imports
    return replace(module, text="".join([*lines, *calls]))


def _with_shared_models(module: NewModule, plan: CheckoutPlan, definitions: Definitions) -> NewModule:
    """A module of models whose configurations lead the auto classes to models with another one, as the reference's do.

    `register` takes a model for its own configuration only; what it looks into takes any.
    """
    if not module.path.name.startswith("modeling_"):
        return module
    lines, tree = lines_of(module.text), syntax_tree(module.text)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    here = {alias.asname or alias.name for node in imports for alias in node.names}
    here |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    shared = [answer for answer in _shared(plan, definitions) if answer.configuration in here]
    missing = sorted({answer.classes[0] for answer in shared} - here)
    # What another module of the model has, that one may lead to.
    if not shared or not imports or any(name in definitions.defined_in for name in missing):
        return module
    mappings = sorted({answer.mapping for answer in shared})
    lines[imports[0].lineno - 1 : imports[0].lineno - 1] = [
        *([f"from {PACKAGE} import {', '.join(missing)}\n"] if missing else []),
        f"from {PACKAGE}.models.auto.modeling_auto import {', '.join(mappings)}\n",
    ]
    calls = [
        _SHARED.format(mapping=answer.mapping, configuration=answer.configuration, name=answer.classes[0])
        for answer in shared
    ]
    return replace(module, text="".join([*lines, _SHARES, *calls]))


def _shared(plan: CheckoutPlan, definitions: Definitions) -> Iterator[Answer]:
    """The answers of the auto classes whose models say that another configuration is theirs, in the new model's names."""
    for answer in find_answers(plan.checkout, plan.reference.model_types):
        configuration = plan.renaming.identifier(answer.configuration)
        names = [plan.renaming.identifier(name) if name in plan.reference.classes else name for name in answer.classes]
        of_others = [
            name
            for name in names
            if name not in definitions.defined_in or definitions.configuration(name) not in (None, configuration)
        ]
        if of_others == names:
            yield Answer(answer.mapping, configuration, tuple(names))


def _dotted(module: NewModule) -> str:
    return ".".join(module.path.with_suffix("").parts)


def _renamed(found: AutoClass, plan: CheckoutPlan) -> AutoClass:
    rename = plan.renaming.identifier
    return replace(found, configuration=rename(found.configuration), classes=tuple(map(rename, found.classes)))


def _paired(found: Sequence[AutoClass], definitions: Definitions) -> tuple[AutoClass, ...]:
    """The auto classes, each model's class beside the configuration that it says is its own.

    Transformers pairs some classes of its own with a configuration that theirs is a part of, and refuses that to others.
    """
    paired: dict[tuple[str, str], AutoClass] = {}
    others: list[AutoClass] = []
    for auto_class in found:
        unfit = dict(_other_configurations(auto_class, definitions))
        fit = tuple(name for name in auto_class.classes if name not in unfit)
        if fit:
            paired[auto_class.name, auto_class.configuration] = replace(auto_class, classes=fit)
        others += [replace(auto_class, configuration=other, classes=(name,)) for name, other in unfit.items()]
    for auto_class in others:
        if auto_class.configuration in definitions.defined_in:
            paired.setdefault((auto_class.name, auto_class.configuration), auto_class)
    return tuple(paired.values())


def _other_configurations(auto_class: AutoClass, definitions: Definitions) -> Iterator[tuple[str, str]]:
    """The models' classes that say another configuration is theirs, each with that one."""
    for name in auto_class.classes:
        own = definitions.configuration(name) if name in definitions.defined_in else None
        if own not in (None, auto_class.configuration):
            assert own is not None
            yield name, own


def _with_auto_maps(module: NewModule, model: Model) -> NewModule:
    """The module with the configurations in it saying where the auto classes find their models' code.

    What is saved is one class, and names itself alone; so a folder would open for no auto class but that one's.
    """
    lines = lines_of(module.text)
    for node in reversed(syntax_tree(module.text).body):
        if not isinstance(node, ast.ClassDef) or node.name not in model.model_types or _defines(node, "to_dict"):
            continue
        auto_map = dict(_auto_map(node.name, model))
        if len(auto_map) > 1:
            function = f"_{to_snake(node.name)}_to_dict"
            text = _TO_DICT.format(function=function, name=node.name, auto_map=json.dumps(auto_map))
            lines[node.end_lineno or 0 : node.end_lineno or 0] = [text]
    return replace(module, text="".join(lines))


def _auto_map(configuration: str, model: Model) -> Iterator[tuple[str, str]]:
    yield "AutoConfig", f"{model.defined_in[configuration]}.{configuration}"
    for found in model.auto_classes:
        if found.configuration == configuration and found.classes[0] in model.defined_in:
            yield found.name, f"{model.defined_in[found.classes[0]]}.{found.classes[0]}"


def _defines(node: ast.ClassDef, method: str) -> bool:
    return any(isinstance(line, ast.FunctionDef) and line.name == method for line in node.body)
