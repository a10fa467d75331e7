"""What registering a new model in a checkout is told, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.source_tree.edits import FileEdit, NewFile, Note


@dataclass(frozen=True)
class Registration:
    """Everything around a new model's folder that makes it known.

    Attributes:
        edits: the files that get entries, by path.
        new_files: the files to write: tests and documentation.
        notes: what names the reference and stays as it is.
    """

    edits: tuple[FileEdit, ...]
    new_files: tuple[NewFile, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Donation:
    """Entries of a new model that are not made from its reference's: its tokenizer is another model's, or it has none.

    Attributes:
        tables: the auto mappings that this is about.
        model_type: the type whose entries are taken in place of the reference's; `None` where there are to be none.
        folder: the donor's folder, where there is one.
        classes: the donor's classes, with the new model's.
    """

    tables: frozenset[str]
    model_type: str | None = None
    folder: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Names:
    """What the names of the reference become.

    Attributes:
        checkout: the checkout that both models stand in.
        old_folder: the reference's folder, below `models`; `deprecated/NAME` where it is retired.
        new_folder: the new model's folder.
        model_types: the reference's model types, with the new model's.
        classes: every class and function of the reference, with the new model's.
        rename_text: renames a text.
        donation: what is registered that is not the reference's.
    """

    checkout: Checkout
    old_folder: str
    new_folder: str
    model_types: Mapping[str, str]
    classes: Mapping[str, str]
    rename_text: Callable[[str], str]
    donation: Donation | None = None

    @property
    def donor(self) -> Names | None:
        """What the donor's names become, where there is one."""
        if self.donation is None or not self.donation.folder:
            return None
        return replace(self, old_folder=self.donation.folder, model_types={}, classes=self.donation.classes, donation=None)  # fmt: skip

    @property
    def class_keys(self) -> Mapping[str, str]:
        """The classes that get a name of their own. A function is left out: it may be called as some model type is."""
        return {old: new for old, new in self.classes.items() if old[:1].isupper() and old != new}

    @property
    def main_types(self) -> list[str]:
        """The new model type that is called as the model's folder, or else all of them."""
        return [new for new in self.model_types.values() if new == self.new_folder] or [*self.model_types.values()]

    @property
    def old_name(self) -> str:
        """The name of the reference's folder itself."""
        return self.old_folder.rpartition("/")[2]

    @property
    def old_module(self) -> str:
        """The reference's folder as a module below `models`."""
        return self.old_folder.replace("/", ".")
