"""Making a new model known in a checkout: one call, from the names it has to everything that has to say them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from add_model.scaffold.checkout.documentation import documentation_edits
from add_model.scaffold.checkout.edits import Donation, Names, Registration
from add_model.scaffold.checkout.exceptions import exception_edits
from add_model.scaffold.checkout.exports import models_edit
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.mappings import auto_edits
from add_model.scaffold.checkout.mentions import mentions
from add_model.scaffold.checkout.other_tables import known_tables, other_edits
from add_model.scaffold.checkout.test_files import renamed_tests
from add_model.scaffold.checkout.text_lists import text_list_edits
from add_model.scaffold.checkout.top_level import added_exports, top_level_edits
from add_model.scaffold.source_tree.edits import FileEdit, NewFile, Note, Reader, merged, read_file


def registration_edits(
    checkout: Checkout,
    old_folder: str,
    new_folder: str,
    model_types: Mapping[str, str],
    classes: Mapping[str, str],
    rename_text: Callable[[str], str],
    read: Reader = read_file,
    donation: Donation | None = None,
) -> Registration:
    """What makes a new model known wherever its reference is.

    Args:
        checkout: the checkout of both.
        old_folder: the reference's folder, below `models`; `deprecated/NAME` where it is retired.
        new_folder: the new model's folder.
        model_types: the reference's model types, each with the new model's.
        classes: the names that the reference's folder defines, each with the new model's.
        rename_text: renames the reference's name in a text.
        read: reads a file of the checkout; another than the default shows the checkout as it will be.
        donation: what is registered that is not the reference's.

    Raises:
        AddModelError: a file that lists models is missing, cannot be read, does not parse, or has a form that is
            neither 4.x's nor 5.x's; the message names file and line.
    """
    names = Names(checkout, old_folder, new_folder, dict(model_types), dict(classes), rename_text, donation)
    found = list(_found(names, read))
    return Registration(
        edits=merged(item for item in found if isinstance(item, FileEdit)),
        new_files=tuple(item for item in found if isinstance(item, NewFile)),
        notes=tuple(item for item in found if isinstance(item, Note)),
    )


def _found(names: Names, read: Reader) -> Iterator[FileEdit | NewFile | Note]:
    yield from auto_edits(names, read)
    yield models_edit(names, read)
    if names.checkout.generation == 4:
        yield from top_level_edits(names, read)
    yield from other_edits(names, read)
    if names.donor is not None:
        yield from other_edits(names.donor, read)
        if names.checkout.generation == 4:
            yield from added_exports(names.donor, read)
    known = known_tables(names.checkout.package_folder)
    for found in exception_edits(names, read):
        yield found.edit
        known[found.edit.path] = found.tables
    yield from text_list_edits(names, read)
    yield from mentions(names, known, read)
    yield from documentation_edits(names, read)
    yield from renamed_tests(names, read)
