"""`NamedTuple` without the module `typing`, which takes longer to load than checking a tree that has not changed.

Type checkers see the one of `typing`. What else a module needs of `typing` for its annotations alone, it imports below
`if TYPE_CHECKING`.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Fields(type):
        """Makes a class with annotations into a named tuple with those fields, defaults and methods included."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.get("__annotations__", {})
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            values = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            for attribute, value in namespace.items():
                setattr(values, attribute, value)
            return values

    class NamedTuple(metaclass=_Fields):
        """A tuple whose fields have names: each annotation of a class that derives from it is one."""
