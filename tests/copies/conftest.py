"""What the tests on released trees share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def no_garbage() -> Iterator[None]:
    """Syntax trees by the thousand, and no circles among them: looking for some would cost a quarter of the time."""
    gc.disable()
    yield
    gc.enable()
