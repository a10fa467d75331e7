"""What an editor asks of the checker, answered from a check that is kept while its user types.

In the order in which it imports: `server` speaks the protocol and nothing else; `protocol` turns what is found into what it
carries; `remedies`, `renames`, `completion`, `hints` and `ways` each answer one question; `libraries` finds the
library of a file, and `held` keeps its check.
"""
