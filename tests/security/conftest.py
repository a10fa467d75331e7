"""The library that the tests of the commands have, too."""

from tests.cli.conftest import library, made_library

__all__ = ["library", "made_library"]
