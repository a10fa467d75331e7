"""`python -m add_model`, where the script is not on the path."""

# No `from __future__` here: that is an import, too, and the current folder may hold a module of that name.
import sys

# Python puts the current folder first in its path for `-m`: whatever tree is to be checked would bring its own modules.
if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
    import os

    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]

from add_model.cli import script  # noqa: E402

script()
