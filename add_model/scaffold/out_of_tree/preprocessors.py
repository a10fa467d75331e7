"""Which tokenizers and processors the auto classes answer with for a new model.

They are its own, or those of other models that it shares, as its reference does: BART's tokenizer is RoBERTa's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from add_model.scaffold.checkout.auto_classes import auto_tables
from add_model.scaffold.checkout.plan import CheckoutPlan
from add_model.scaffold.source_tree.tables import Entry, Table

_AUTO_CLASSES = {
    "TOKENIZER_MAPPING_NAMES": "AutoTokenizer",
    "IMAGE_PROCESSOR_MAPPING_NAMES": "AutoImageProcessor",
    "FEATURE_EXTRACTOR_MAPPING_NAMES": "AutoFeatureExtractor",
    "PROCESSOR_MAPPING_NAMES": "AutoProcessor",
    "VIDEO_PROCESSOR_MAPPING_NAMES": "AutoVideoProcessor",
}
_PARAMETERS = {
    "AutoTokenizer": "tokenizer_class",
    "AutoFeatureExtractor": "feature_extractor_class",
    "AutoProcessor": "processor_class",
    "AutoVideoProcessor": "video_processor_class",
}
# What an entry names beside the class of image processors that works with it: the one that `register` calls fast.
_FAST_BACKEND = "torchvision"


@dataclass(frozen=True)
class Preprocessor:
    """A tokenizer or processor that an auto class answers with for one configuration.

    Attributes:
        auto_class: the auto class, such as `AutoTokenizer`.
        configuration: the configuration's class.
        name: the class that it answers with.
        is_own: whether the new model brings that class; otherwise it is one of Transformers.
        parameter: what `register` calls a class of this kind.
    """

    auto_class: str
    configuration: str
    name: str
    is_own: bool
    parameter: str


def find_preprocessors(plan: CheckoutPlan) -> tuple[Preprocessor, ...]:
    """Every tokenizer and processor that the auto classes answer with for the new model's configurations."""
    found: dict[tuple[str, str, str], Preprocessor] = {}
    tables = auto_tables(plan.checkout)
    for mapping, auto_class in sorted(_AUTO_CLASSES.items(), key=lambda pair: pair[1]):
        for table in tables.get(mapping, ()):
            for configuration, entry, own in _entries(plan, table):
                for old, backend in _classes(entry):
                    parameter = _parameter(auto_class, old, backend, plan.checkout.generation)
                    new = Preprocessor(auto_class, configuration, own.get(old, old), old in own, parameter)
                    found.setdefault((auto_class, configuration, parameter), new)
    return tuple(found.values())


def _entries(plan: CheckoutPlan, table: Table) -> Iterator[tuple[str, Entry, Mapping[str, str]]]:
    """The new model's configurations, each with the entry that its own resembles, and what becomes of classes in it."""
    # What the configuration is registered under besides may have what its own type has not.
    registered = {**plan.reference.model_types, **plan.reference.aliases}
    configurations = {old: plan.renaming.identifier(name) for old, name in registered.items()}
    listed = [old for old in configurations if table.find(old) is not None]
    donation = plan.donation
    if donation is None or table.mapping not in donation.tables:
        entries = [(configurations[old], table.find(old)) for old in listed]
        own = plan.renaming.classes
    else:
        types = plan.renaming.model_types
        main = [old for old in configurations if types.get(old) == plan.name.snake] or [*configurations]
        entry = None if donation.model_type is None else table.find(donation.model_type)
        entries = [(configurations[old], entry) for old in listed or main]
        own = donation.classes
    for configuration, entry in entries:
        if entry is not None:
            yield configuration, entry, own


def _classes(entry: Entry) -> Iterator[tuple[str, str | None]]:
    """The classes that an entry names, each with what it works with, where the entry says that."""
    backend = None
    for text in entry.texts[1:]:
        if text.value.islower():
            backend = text.value
        else:
            yield text.value, backend


def _parameter(auto_class: str, name: str, backend: str | None, generation: int) -> str:
    """What `register` calls a class; 4.x has two of each tokenizer."""
    speed = "fast" if backend == _FAST_BACKEND or name.endswith("Fast") else "slow"
    if auto_class == "AutoImageProcessor":
        return f"{speed}_image_processor_class"
    if auto_class == "AutoTokenizer" and generation == 4:
        return f"{speed}_tokenizer_class"
    return _PARAMETERS[auto_class]
