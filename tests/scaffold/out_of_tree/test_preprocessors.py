"""Which tokenizers and processors the auto classes answer with: every one that they answer with for the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.scaffold.answers import Answers
from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.plan import make_checkout_plan
from add_model.scaffold.out_of_tree.preprocessors import find_preprocessors
from tests.scaffold.checkout.trees import make_checkout

MODELS = "src/transformers/models"
SUPPLEMENT = """\
from collections import OrderedDict

from .auto_mappings import IMAGE_PROCESSOR_MAPPING_NAMES


MISSING_IMAGE_PROCESSOR_MAPPING_NAMES = OrderedDict(
    [
        ("finch", {"torchvision": "WrenImageProcessor", "pil": "WrenImageProcessorPil"}),
    ]
)

IMAGE_PROCESSOR_MAPPING_NAMES.update(MISSING_IMAGE_PROCESSOR_MAPPING_NAMES)
"""
CHANGED = {f"{MODELS}/auto/image_processing_auto.py": SUPPLEMENT}
DEFINED = {
    f"{MODELS}/wren/image_processing_wren.py": ("WrenImageProcessor", "WrenImageProcessorPil"),
    f"{MODELS}/wren/tokenization_wren.py": ("WrenTokenizer", "WrenTokenizerFast"),
    f"{MODELS}/finch/tokenization_finch.py": ("FinchTokenizer",),
}
OWN_IMAGES = [
    "AutoImageProcessor.register(JayConfig, slow_image_processor_class=JayImageProcessorPil)",
    "AutoImageProcessor.register(JayConfig, fast_image_processor_class=JayImageProcessor)",
]
SHARED_IMAGES = [
    "AutoImageProcessor.register(JayConfig, fast_image_processor_class=transformers.WrenImageProcessor)",
    "AutoImageProcessor.register(JayConfig, slow_image_processor_class=transformers.WrenImageProcessorPil)",
]
SHARED_TOKENIZER = ["AutoTokenizer.register(JayConfig, tokenizer_class=transformers.FinchTokenizer)"]
OWN_TOKENIZER = ["AutoTokenizer.register(JayConfig, tokenizer_class=JayTokenizer)"]


def registered(root: Path, reference: str, tokenizer_like: str, generation: int = 5) -> list[str]:
    defined = {path: "".join(f"class {name}:\n    pass\n\n\n" for name in names) for path, names in DEFINED.items()}
    exported = {path: f"{text}__all__ = {list(DEFINED[path])}\n" for path, text in defined.items()}
    checkout = find_checkout(make_checkout(root, generation, exported | (CHANGED if generation == 5 else {})))
    assert checkout is not None
    plan = make_checkout_plan(Answers(f"transformers:{reference}", "jay", "mine", (), tokenizer_like), checkout)
    return [
        f"{found.auto_class}.register({found.configuration}, {found.parameter}={'' if found.is_own else 'transformers.'}{found.name})"
        for found in find_preprocessors(plan)
    ]


@pytest.mark.parametrize(
    ("reference", "tokenizer_like", "expected"),
    [
        ("wren", "same", [*OWN_IMAGES, *SHARED_TOKENIZER]),
        ("wren", "none", OWN_IMAGES),
        ("wren", "transformers:finch", [*OWN_IMAGES, *OWN_TOKENIZER]),
        ("wren", "shared", [*SHARED_IMAGES[::-1], *SHARED_TOKENIZER]),
        ("finch", "same", [*SHARED_IMAGES, *OWN_TOKENIZER]),
        ("finch", "shared", [*SHARED_IMAGES, *SHARED_TOKENIZER]),
        ("finch", "none", SHARED_IMAGES),
    ],
)
def test_what_the_reference_answers_with_is_registered(
    tmp_path: Path, reference: str, tokenizer_like: str, expected: list[str]
) -> None:
    assert registered(tmp_path, reference, tokenizer_like) == expected


def test_each_class_of_4x_goes_where_its_auto_class_takes_it(tmp_path: Path) -> None:
    assert registered(tmp_path, "wren", "same", generation=4) == [
        "AutoTokenizer.register(JayConfig, slow_tokenizer_class=JayTokenizer)",
        "AutoTokenizer.register(JayConfig, fast_tokenizer_class=JayTokenizerFast)",
    ]
