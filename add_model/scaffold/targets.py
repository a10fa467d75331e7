"""The kinds of places that a model can be written into, behind one set of questions: what each offers and allows.

Whoever asks knows nothing of the kinds. What is made for each is the business of `making`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from add_model.errors import AddModelError, ModelExists
from add_model.library import Library
from add_model.names import ModelName
from add_model.references import TARGET, Reference, UnknownReference, available, find_reference, registry_of, zoo
from add_model.registry import CONFIGURATION_MAPPING
from add_model.scaffold.answers import MODULAR_STYLE, NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, SINGLE_STYLE
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.checkout.plan import check_checkout_name, donated_kinds
from add_model.scaffold.checkout.reference import find_checkout_reference, model_folders, registered_types
from add_model.scaffold.elsewhere import whereabouts
from add_model.scaffold.out_of_tree.target import OutOfTree
from add_model.scaffold.standalone.clashes import check_clashes

# What a library's code and markers name.
_NAMED = frozenset({"add_model", "huggingface_hub", "safetensors", "tests", "tokenizers", "torch", "transformers"})
# A package of such a name would hide one of those, or what they and the tests of a library need in turn. `test` belongs
# to Python, which does not list it among its modules.
TAKEN_PACKAGES = _NAMED | frozenset(
    "diffusers filelock fsspec hypothesis jinja2 mypy numpy packaging pip pytest requests ruff scipy setuptools sympy test "
    "tqdm typing_extensions yaml".split()
)
# In a package of one's own the models' folders are packages themselves; `models` is where Transformers has its own.
_TAKEN_FOLDERS = _NAMED | {"models"}

# A library, a source tree of Transformers, a package that depends on one, or a library that is still to be made.
Target = Library | Checkout | OutOfTree | None


class Candidate(Protocol):
    """A model to start from, as far as questions about it are concerned."""

    @property
    def specification(self) -> str:
        """What to type for exactly this one."""

    @property
    def name(self) -> ModelName:
        """Its name in every casing."""

    @property
    def heads(self) -> Mapping[str, str]:
        """The heads to choose from: task -> class name."""

    @property
    def all_heads(self) -> tuple[str, ...]:
        """The answer that stands for every head it has."""

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer class, where it has one."""


def tree_of(target: Target) -> Checkout | None:
    """The tree of Transformers whose models can be started from; `None` for a standalone library."""
    return target.installed if isinstance(target, OutOfTree) else target if isinstance(target, Checkout) else None


def find_candidate(specification: str, target: Target) -> Candidate:
    """Finds a model to start from.

    Raises:
        AddModelError: there is no such model; the nearest ones are offered.
    """
    if isinstance(target, OutOfTree):
        try:
            return find_checkout_reference(specification, target.installed)
        except AddModelError as error:
            # Where the package is installed is no place to be sent to.
            raise AddModelError(str(error).replace(f" --into {target.installed.root}", "")) from error
    if isinstance(target, Checkout):
        return find_checkout_reference(specification, target)
    assert target is None or isinstance(target, Library)
    try:
        return find_reference(specification, target)
    except UnknownReference as error:
        raise AddModelError(whereabouts(specification, target) or str(error)) from error


def titles(target: Library | Checkout | OutOfTree) -> dict[str, str]:
    """How each of the target's own models is called in prose, as far as its registration tells."""
    tree = tree_of(target)
    if tree is not None:
        registered = registered_types(tree)
        return {name: registered.get(name, name).removesuffix("Config") for name in model_folders(tree)}
    assert isinstance(target, Library)
    registry = registry_of(target)
    return {name: registry.mappings[CONFIGURATION_MAPPING][name].removesuffix("Config") for name in registry.model_types}  # fmt: skip


def origin_of(target: Library | Checkout | OutOfTree) -> str:
    """Where answers say that a model is from that the target itself holds."""
    return TARGET if isinstance(target, Library) else PACKAGE


def tokenizer_donors(target: Target, reference: Candidate) -> list[tuple[str, str, str]]:
    """The models whose tokenizer can be taken in place of the reference's: specification, name, and what it is."""
    tree = tree_of(target)
    if tree is not None:
        folders = model_folders(tree)
        have = {path.parent.name for path in tree.models_folder.glob("*/tokenization_*.py")}
        names = [name for name in folders if name in have and name != reference.name.snake]
        return [(f"{PACKAGE}:{name}", name, "tokenizer") for name in names]
    library = target if isinstance(target, Library) else None
    found = [find_reference(specification, library) for specification in available(library)]
    return [(other.specification, other.name.snake, other.tokenizer) for other in found if other.tokenizer and other.specification != reference.specification]  # fmt: skip


def tokenizer_answers(target: Target) -> tuple[str, ...]:
    """The answers to the question for a tokenizer that name no other model."""
    own = (SAME_TOKENIZER, NO_TOKENIZER)
    return (*own, SHARED_TOKENIZER) if tree_of(target) is not None else own


def check_tokenizer(wanted: str, reference: Candidate, target: Target) -> str:
    """`same`, `none`, `shared`, or the specification of the reference whose tokenizer is taken.

    Raises:
        AddModelError: there is no such reference, it has no tokenizer, or the target knows no such answer.
    """
    if wanted == SAME_TOKENIZER:
        is_without = reference.tokenizer is None and tree_of(target) is None
        return NO_TOKENIZER if is_without else SAME_TOKENIZER
    if wanted in tokenizer_answers(target):
        return wanted
    if wanted == SHARED_TOKENIZER:
        raise AddModelError("--tokenizer-like shared: only models like one of Transformers can share a tokenizer; choose another reference, same or none")  # fmt: skip
    tree = tree_of(target)
    if tree is not None:
        donor = find_checkout_reference(wanted, tree)
        has_one = bool(donated_kinds(donor))
        other: Candidate = donor
    else:
        other = find_reference(wanted, target if isinstance(target, Library) else None)
        has_one = other.tokenizer is not None
    if not has_one:
        raise AddModelError(f"--tokenizer-like: {wanted} has no tokenizer; choose another reference, same or none")
    return SAME_TOKENIZER if other.specification == reference.specification else other.specification


def styles(target: Target) -> tuple[str, ...]:
    """The styles that a model can be written in."""
    if isinstance(target, Checkout) and any(target.models_folder.glob("*/modular_*.py")):
        return SINGLE_STYLE, MODULAR_STYLE
    return (SINGLE_STYLE,)


def check_style(wanted: str, target: Target) -> str:
    """The style, where the target knows it.

    Raises:
        AddModelError: it does not.
    """
    if wanted in styles(target):
        return wanted
    if wanted != MODULAR_STYLE:
        raise AddModelError(f"--style {wanted!r} is none; choose from: {', '.join(styles(target))}")
    raise AddModelError("--style modular: only checkouts of Transformers with modular_*.py files have what writes single files anew from them; leave --style out")  # fmt: skip


def check_new_name(name: ModelName, reference: str | None, target: Target, package: str, may_exist: bool) -> ModelName:
    """The new model's name.

    Args:
        name: the name.
        reference: the specification of the model to start from, where that is known.
        target: where the model goes.
        package: the name of the package that it goes into.
        may_exist: whether there may be a model of that name, which is replaced.

    Raises:
        AddModelError: the name exists in the target, differs from an existing one only by casing, or
            clashes with what the reference's code or the code around it means by it.
    """
    snake = name.snake
    if isinstance(target, Checkout):
        return check_checkout_name(name, reference, target, may_exist)
    if isinstance(target, OutOfTree):
        if snake in _TAKEN_FOLDERS:
            raise AddModelError(f"--name {snake!r} is the name of a package that the model's code or markers lead to; choose another")  # fmt: skip
        # What it is registered as must be new to the installed Transformers as well.
        place = f"the installed {PACKAGE}"
        try:
            check_checkout_name(name, reference, target.installed, may_exist=False, place=place)
        except ModelExists as error:
            raise AddModelError(f"--name {snake!r} is a model of {place}; choose another") from error
        _check_is_new(snake, target.models, target.root, package, may_exist)
        return name
    if reference is not None:
        start = find_reference(reference, target)
        check_clashes(name, start, target or zoo())
        if target is not None:
            _check_classes_are_new(start, name, target)
    _check_is_new(
        snake,
        [] if target is None else _existing_models(target),
        None if target is None else target.root,
        package,
        may_exist,
    )
    return name


def _check_classes_are_new(reference: Reference, name: ModelName, library: Library) -> None:
    """Raises `AddModelError` where another model's classes are called so: `GPT` and its `LMHead...` beside `GPTLM`."""
    renaming = reference.renaming(name)
    own = {renaming.identifier(old) for old in reference.classes.values()}
    for types in registry_of(library).mappings.values():
        for model_type, taken in types.items():
            if taken in own and model_type != name.snake:
                raise AddModelError(f"--class-name {name.camel!r} clashes with {taken}, a class of {model_type}; choose another casing, or another --name")  # fmt: skip


def _check_is_new(snake: str, models: Collection[str], root: Path | None, package: str, may_exist: bool) -> None:
    if snake == package:
        raise AddModelError(f"--name {snake!r} is the name of the library's own package; choose another")
    for existing in models:
        if existing == snake and not may_exist:
            raise ModelExists(f"model {snake!r} exists in {root}; choose another --name, or replace it with --force, or keep what is there of it and write the rest with --finish")  # fmt: skip
        if existing != snake and _bare(existing) == _bare(snake):
            raise AddModelError(f"--name {snake!r} differs from the existing model {existing!r} only in its casing or its underscores; choose another")  # fmt: skip


def is_made_from_itself(candidate: Candidate, name: str, target: Target) -> bool:
    """Whether the model to start from is the very one that is to be made."""
    if candidate.name.snake != name or target is None:
        return False
    return not isinstance(target, Library) or (
        isinstance(candidate, Reference) and candidate.library.root == target.root
    )


def _existing_models(library: Library) -> Sequence[str]:
    folders = [path.parent.name for path in library.models_folder.glob("*/modeling_*.py")]
    return sorted({*registry_of(library).model_types, *folders})


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
