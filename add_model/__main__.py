"""`python -m add_model`, where the script is not on the path."""

from add_model.cli import script

script()
