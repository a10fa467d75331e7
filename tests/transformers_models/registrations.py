"""What the auto classes answer for a model: its configurations' types, every mapping, and the names it exports."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.transformers_models.places import LIBRARY, Places


def registration_problems(places: Places, reference: str, new: str, names: Mapping[str, str]) -> Iterator[str]:
    """Where the new model is not exported and registered as its reference is.

    Args:
        places: where the models stand. What is in tables of the library's own is asked only of a tree of it.
        reference: the reference's folder below `models`.
        new: the new model's.
        names: module-level name of the reference -> of the new model.
    """
    types, problems = model_types(places, reference, new, names)
    yield from problems
    reference = reference.replace("/", ".")
    if places.is_in_tree:
        yield from _export_problems(places, reference, new, names)
        yield from _name_mapping_problems(reference, new, names, types)
    yield from _class_mapping_problems(places, reference, new, names, types)


def model_types(
    places: Places, reference: str, new: str, names: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Model type of each of the reference's configurations -> of the new model's; and what is wrong with them."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING, model_type_to_module_name

    types: dict[str, str] = {}
    problems: list[str] = []
    reference = reference.replace("/", ".")
    for old_class, new_class in _paired_classes(places, reference, new, names, _configuration_base()):
        old_type, new_type = old_class.model_type, new_class.model_type
        if not old_type or old_type not in CONFIG_MAPPING or CONFIG_MAPPING[old_type] is not old_class:
            continue  # a part of a configuration, which nobody looks up by its type
        if old_type == new_type:
            problems.append(f"{new_class.__name__} has the reference's model type {old_type}")
        if types.setdefault(old_type, new_type) != new_type:
            problems.append(f"the type {old_type} became {types[old_type]} and {new_type}")
        registered = _answer(lambda new_type=new_type: CONFIG_MAPPING[new_type])
        if registered is not new_class:
            problems.append(f"CONFIG_MAPPING[{new_type}] is {registered}")
        in_place = places.is_in_tree and model_type_to_module_name(old_type) == reference
        if in_place and model_type_to_module_name(new_type) != places.folder_of(new_class):
            problems.append(f"the type {new_type} leads to the folder {model_type_to_module_name(new_type)}")
    return types, problems


def _export_problems(places: Places, reference: str, new: str, names: Mapping[str, str]) -> Iterator[str]:
    import transformers

    for scope in (transformers, importlib.import_module(f"{LIBRARY}.{reference}")):
        place = "transformers" if scope is transformers else "its folder"
        exported = set(dir(scope))
        fresh = exported if scope is transformers else set(dir(importlib.import_module(f"{LIBRARY}.{new}")))
        for old_name, new_name in names.items():
            if old_name not in exported or old_name.startswith("__"):
                continue
            old_value = _answer(lambda scope=scope, old_name=old_name: getattr(scope, old_name))
            if (
                places.folder_of(old_value) not in (reference, None)
                or getattr(old_value, "__name__", old_name) != old_name
            ):
                continue
            if scope is transformers and old_name == new_name:
                if places.folder_of(old_value) != reference:
                    continue
                yield f"{new_name} is exported already, by the reference"
            elif new_name not in fresh:
                yield f"{new_name} is not exported from {place}"
            elif scope is transformers:
                new_value = _answer(lambda new_name=new_name: getattr(transformers, new_name))
                if places.folder_of(old_value) == reference and places.folder_of(new_value) != new:
                    yield f"transformers.{new_name} is {new_value}"


def _name_mapping_problems(
    reference: str, new: str, names: Mapping[str, str], types: Mapping[str, str]
) -> Iterator[str]:
    """Mappings by model type, as text; `SPECIAL_…` says where types live, which has been asked already."""
    renamed = {reference: new, **names, **types}
    for place, mapping in _auto_values(
        lambda value: isinstance(value, Mapping) and not hasattr(value, "_model_mapping")
    ):
        if (
            place.endswith(("CONFIG_MAPPING", "SPECIAL_MODEL_TYPE_TO_MODULE_NAME"))
            or place.rpartition(".")[2][:1] == "_"
        ):
            continue
        for old in {**types, **names}:
            fresh = {**names, **types}[old]
            if old not in mapping or old == fresh:
                continue
            if fresh not in mapping:
                yield f"{place} has no {fresh}"
            elif place.endswith("MODEL_NAMES_MAPPING"):
                continue  # how models are called in prose
            elif (expected := _renamed(mapping[old], renamed)) != mapping[fresh]:
                yield f"{place}[{fresh}] is {mapping[fresh]}, not {expected}"
    for place, members in _auto_values(lambda value: isinstance(value, (list, set, frozenset))):
        if place.endswith("DEPRECATED_MODELS"):
            continue  # a new model is not
        for old, fresh in {**names, **types}.items():
            if old in members and fresh not in members and old != fresh:
                yield f"{place} has no {fresh}"


def _class_mapping_problems(
    places: Places, reference: str, new: str, names: Mapping[str, str], types: Mapping[str, str]
) -> Iterator[str]:
    """Mappings by configuration class, asked as the auto classes ask them."""
    for place, mapping in _auto_values(lambda value: hasattr(value, "_model_mapping")):
        if not places.is_in_tree and not _is_asked(mapping):
            continue
        for old_class, new_class in _paired_classes(places, reference, new, names, _configuration_base()):
            if old_class.model_type == new_class.model_type:
                continue
            found = _answer(lambda mapping=mapping, key=old_class: mapping[key])
            if not places.is_in_tree and _needs_what_is_missing(found):
                continue
            before = _described(places, found)
            after = _described(places, _answer(lambda mapping=mapping, key=new_class: mapping[key]))
            expected = _renamed(before, {**names, reference: new, **types})
            if not places.is_in_tree and isinstance(after, dict) and isinstance(expected, dict):
                # One backend stands in for another that is not installed; a package registers what there is.
                before, after, expected = (sorted(set(each.values())) for each in (before, after, expected))
            if after != expected:
                yield f"{place}[{new_class.__name__}] is {after}, not {expected}"


def _needs_what_is_missing(found: Any) -> bool:
    """Whether there is nothing but what stands for classes of packages that are not installed."""
    classes = list(found.values()) if isinstance(found, Mapping) else [found]
    return all(value is None or type(value).__name__ == "DummyObject" for value in classes)


def _is_asked(mapping: Any) -> bool:
    """Whether an auto class answers from a mapping, or something that is no model is found by it."""
    from transformers.models.auto import modeling_auto

    models = {id(value) for value in vars(modeling_auto).values() if hasattr(value, "_model_mapping")}
    asked = {id(getattr(value, "_model_mapping", None)) for value in vars(modeling_auto).values() if isinstance(value, type)}  # fmt: skip
    return id(mapping) in asked or id(mapping) not in models


def _described(places: Places, value: Any) -> Any:
    """A class, or a tuple of them, as folder and name; an error as its type."""
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, (tuple, list)):
        return tuple(_described(places, entry) for entry in value)
    if isinstance(value, Mapping):
        return {key: _described(places, entry) for key, entry in value.items()}
    return None if value is None else (places.folder_of(value), getattr(value, "__name__", str(value)))


def _renamed(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return renamed.get(value, value)
    if isinstance(value, (tuple, list)):
        return type(value)(_renamed(entry, renamed) for entry in value)
    if isinstance(value, Mapping):
        return {key: _renamed(entry, renamed) for key, entry in value.items()}
    return value


def _auto_values(wanted: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """The values of that kind in the modules of the auto folder, each once, with its name."""
    import transformers.models.auto as auto

    seen: set[int] = set()
    for information in pkgutil.iter_modules(auto.__path__):
        if information.name.startswith(("modeling_tf", "modeling_flax")):
            continue
        module = importlib.import_module(f"{LIBRARY}.auto.{information.name}")
        for name, value in vars(module).items():
            if name.isupper() and id(value) not in seen and wanted(value):
                seen.add(id(value))
                yield f"{information.name}.{name}", value


def _paired_classes(
    places: Places, reference: str, new: str, names: Mapping[str, str], base: Any
) -> Iterator[tuple[Any, Any]]:
    """The classes of that kind which the reference defines, each with its counterpart."""
    import transformers

    for old_name, new_name in names.items():
        old_class = _answer(lambda old_name=old_name: getattr(transformers, old_name))
        new_class = _answer(lambda new_name=new_name: places.offered(new_name, new))
        if all(isinstance(value, type) and issubclass(value, base) for value in (old_class, new_class)):
            if places.folder_of(old_class) == reference:
                yield old_class, new_class


def _configuration_base() -> Any:
    from transformers import configuration_utils

    return getattr(configuration_utils, "PreTrainedConfig", None) or configuration_utils.PretrainedConfig


def _answer(question: Callable[[], Any]) -> Any:
    """The answer to a question, or the error that it raises."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001 -- an import that fails for the reference, too, is no problem of ours
        return error
