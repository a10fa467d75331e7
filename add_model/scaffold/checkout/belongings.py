"""The places of a model in a source tree of Transformers."""

from __future__ import annotations

from add_model.scaffold.belongings import Belongings, model_state
from add_model.scaffold.checkout.layout import Checkout


def belongings_in(checkout: Checkout, name: str) -> Belongings:
    """The places of a model in a tree."""
    root = checkout.root
    return Belongings(
        folders=(checkout.models_folder / name, checkout.tests_folder / name, model_state(root, name)),
        named=(checkout.docs_folder,),
        files=frozenset(),
        shared=(checkout.package_folder, root / "docs", root / "tests", root / "utils"),
        name=name,
    )
