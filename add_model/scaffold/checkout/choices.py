"""What a model that starts from one of a Transformers tree can have: whose tokenizer, and which title."""

from __future__ import annotations

from add_model.errors import AddModelError
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.checkout.plan import donated_kinds
from add_model.scaffold.checkout.reference import find_checkout_reference, model_folders, registered_types
from add_model.scaffold.target import Candidate

TOKENIZER_ANSWERS = (SAME_TOKENIZER, NO_TOKENIZER, SHARED_TOKENIZER)


def titles_of(checkout: Checkout) -> dict[str, str]:
    """How each model of a tree is called in prose, as far as its registration tells."""
    registered = registered_types(checkout)
    return {name: registered.get(name, name).removesuffix("Config") for name in model_folders(checkout)}


def tokenizer_donors(checkout: Checkout, reference: Candidate) -> list[tuple[str, str, str]]:
    """The models whose tokenizer can be taken in place of the reference's: specification, name, and what it is."""
    have = {path.parent.name for path in checkout.models_folder.glob("*/tokenization_*.py")}
    names = [name for name in model_folders(checkout) if name in have and name != reference.name.snake]
    return [(f"{PACKAGE}:{name}", name, "tokenizer") for name in names]


def check_tokenizer(wanted: str, reference: Candidate, checkout: Checkout) -> str:
    """`same`, `none`, `shared`, or the specification of the reference whose tokenizer, or processors, are taken.

    Raises:
        AddModelError: there is no such reference, or it has no tokenizer.
    """
    if wanted in TOKENIZER_ANSWERS:
        return wanted
    donor = find_checkout_reference(wanted, checkout)
    if not donated_kinds(donor):
        raise AddModelError(f"--tokenizer-like: {wanted} has no tokenizer; choose another reference, same or none")
    return SAME_TOKENIZER if donor.specification == reference.specification else donor.specification
