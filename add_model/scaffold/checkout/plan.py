"""The plan for a model in a checkout: which files are copied from where, under which names, as a plain value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.references import read_text
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, Answers
from add_model.scaffold.checkout.edits import Donation
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.reference import (
    PREPROCESSING,
    TABLES_OF_KIND,
    TOKENIZATION,
    CheckoutReference,
    SourceFile,
    find_checkout_reference,
    model_folders,
    registered_names,
    registered_types,
)
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.naming import OF_EVERY_MODULE

_METHOD = re.compile(r"^    def (\w+)", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:class|def)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A file to copy, with the renaming of the folder that it comes from."""

    file: SourceFile
    renaming: FolderRenaming


@dataclass(frozen=True)
class CheckoutPlan:
    """What `like` is going to do in a checkout.

    Attributes:
        answers: the answers it follows from.
        checkout: the tree it writes into.
        name: the new model's name in every casing.
        reference: the model that it starts from.
        donor: the model that its tokenizer or its processors come from, where that is another one.
    """

    answers: Answers
    checkout: Checkout
    name: ModelName
    reference: CheckoutReference
    donor: CheckoutReference | None

    @property
    def folder(self) -> Path:
        """The new model's folder."""
        return self.checkout.models_folder / self.name.snake

    @cached_property
    def renaming(self) -> FolderRenaming:
        """The renaming of the reference's folder."""
        return FolderRenaming(self.reference, self.name, self._stand_ins)

    @cached_property
    def left_out(self) -> frozenset[PurePosixPath]:
        """The reference's files that are not copied, as others stand for them or nothing does."""
        return frozenset(file.path for file in self.reference.files if file.kind in self.replaced_kinds)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every file that is copied."""
        own = [Source(file, self.renaming) for file in self.reference.files if file.path not in self.left_out]
        if self.donor is None:
            return tuple(own)
        renaming = self.donor_renaming
        assert renaming is not None
        return (*own, *(Source(file, renaming) for file in self.donor.files if file.kind in self.replaced_kinds))

    @cached_property
    def donor_renaming(self) -> FolderRenaming | None:
        """The renaming of the folder that the tokenizer or the processors come from, where that is another one."""
        return None if self.donor is None else FolderRenaming(self.donor, self.name)

    @cached_property
    def donated(self) -> frozenset[str]:
        """The donor's public names that the new model takes over."""
        if self.donor is None:
            return frozenset()
        files = [file.text for file in self.donor.files if file.kind in self.replaced_kinds]
        return frozenset(name for text in files for name in _DEFINITION.findall(text)) & self.donor.classes

    @cached_property
    def donation(self) -> Donation | None:
        """What is registered of a tokenizer or of processors that are another model's, or none."""
        tables = frozenset(table for kind in self.replaced_kinds for table in TABLES_OF_KIND.get(kind, ()))
        if self.donor is None or self.donor_renaming is None:
            return Donation(tables) if self.answers.tokenizer_like == NO_TOKENIZER else None
        classes = {name: self.donor_renaming.identifier(name) for name in self.donated}
        folder, types = self.donor.folder, self.donor.model_types
        main = next((name for name in types if name.replace("-", "_") == folder.name), next(iter(types), None))
        return Donation(tables, main, str(folder), classes)

    @cached_property
    def _stand_ins(self) -> dict[str, str]:
        """What becomes of the names that the reference's files define which are not copied.

        They stay the reference's, unless the donor has something of the same ending (`...TokenizerFast`).
        """
        texts = [file.text for file in self.reference.files if file.path in self.left_out]
        stand_ins = {name: name for text in texts for name in _DEFINITION.findall(text)}
        if self.donor is not None and self.donor_renaming is not None:
            endings = {_ending(name, self.donor): self.donor_renaming.identifier(name) for name in self.donated}
            stand_ins |= {name: endings.get(_ending(name, self.reference), name) for name in stand_ins}
        return stand_ins

    @cached_property
    def replaced_kinds(self) -> frozenset[str]:
        """The kinds of files that are not the reference's."""
        like = self.answers.tokenizer_like
        if like == SAME_TOKENIZER:
            return frozenset()
        if like == NO_TOKENIZER:
            return frozenset({TOKENIZATION})
        if like == SHARED_TOKENIZER:
            return PREPROCESSING
        assert self.donor is not None
        return donated_kinds(self.donor)


def _ending(name: str, reference: CheckoutReference) -> str:
    return next((name.removeprefix(prefix) for prefix in reference.spellings if name.startswith(prefix)), name)


def donated_kinds(donor: CheckoutReference) -> frozenset[str]:
    """What is taken from another model: its tokenizer, or of a model without one all of its processors."""
    if donor.has(TOKENIZATION):
        return frozenset({TOKENIZATION})
    return frozenset(kind for kind in PREPROCESSING if donor.has(kind))


def make_checkout_plan(answers: Answers, checkout: Checkout) -> CheckoutPlan:
    """Plans the model that the answers describe.

    Raises:
        AddModelError: a reference has gone, one of its files cannot be read, or a name that the model would bring is
            taken.
    """
    reference = find_checkout_reference(answers.reference, checkout)
    donor = None
    if answers.tokenizer_like not in (SAME_TOKENIZER, NO_TOKENIZER, SHARED_TOKENIZER):
        donor = find_checkout_reference(answers.tokenizer_like, checkout)
    return CheckoutPlan(answers, checkout, answers.model_name, reference, donor)


def check_checkout_name(
    name: ModelName, specification: str | None, checkout: Checkout, may_exist: bool, place: str | None = None
) -> ModelName:
    """The new model's name.

    Args:
        name: the name.
        specification: the model to start from, where that is known.
        checkout: the tree whose models it must differ from.
        may_exist: whether there may be a model of that name, which is replaced.
        place: how messages call the tree; by default by its root.

    Raises:
        AddModelError: there is such a model or one whose name differs only in casing, or a name that the model would
            bring means something else already.
    """
    snake, place = name.snake, place or str(checkout.root)
    registered = registered_types(checkout)
    folders = model_folders(checkout)
    others = {path.name for path in checkout.models_folder.iterdir() if path.is_dir()}
    for existing in sorted({*folders, *others, *registered}):
        if existing in (snake, snake.replace("_", "-")) and not may_exist:
            raise ModelExists(f"model {existing!r} exists in {place}; choose another --name, or replace it with --force, or keep what is there of it and write the rest with --finish")  # fmt: skip
        if existing != snake and _bare(existing) == _bare(snake):
            raise AddModelError(f"--name {snake!r} differs from the model {existing!r} of {place} only in its casing or its underscores; choose another")  # fmt: skip
    if specification is None:
        return name
    reference = find_checkout_reference(specification, checkout)
    if reference.folder.name == snake:
        raise AddModelError(f"{reference.specification} cannot be made from itself; choose another --name, or another reference")  # fmt: skip
    _check_clashes(reference, FolderRenaming(reference, name), may_exist, place)
    return name


def _check_clashes(reference: CheckoutReference, renaming: FolderRenaming, may_exist: bool, place: str) -> None:
    """Raises `AddModelError` where a name or type that the new model brings means something else already."""
    snake = renaming.new.snake
    vocabulary = reference.vocabulary
    renamed = {old: new for old in vocabulary.identifiers | vocabulary.defined if (new := renaming.identifier(old)) != old}  # fmt: skip
    used = (vocabulary.identifiers | vocabulary.foreign | vocabulary.defined) - renamed.keys()
    clashes = sorted({*renamed.values()} & used)
    if renaming.attributes and snake in used - renaming.attributes | OF_EVERY_MODULE | _of_base_classes(
        reference.checkout
    ):
        clashes.append(snake)
    if not clashes and not may_exist:
        taken = {*reference.registered, *registered_names(reference.checkout)}
        clashes = sorted({*renaming.model_types.values(), *renaming.classes.values()} & taken)
    if clashes:
        raise AddModelError(f"--name {snake!r} clashes with {clashes[0]!r}, which means something else already in {place}; choose another")  # fmt: skip


def _of_base_classes(checkout: Checkout) -> frozenset[str]:
    """What the base classes of models define: an attribute of the new model's name would hide it."""
    files = (checkout.package_folder / name for name in ("modeling_utils.py", "generation/utils.py"))
    return frozenset(name for path in files if path.is_file() for name in _METHOD.findall(read_text(path)))


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
