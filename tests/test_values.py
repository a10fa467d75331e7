"""The named tuples of the tool do what those of `typing` do, though that module is not loaded for them."""

import pickle
import subprocess
import sys
import typing

import pytest

from add_model.copies.finding import Counts
from add_model.values import NamedTuple


class Ours(NamedTuple):
    """A pair."""

    first: int
    second: str = "two"

    @property
    def both(self) -> str:
        """Both in one text."""
        return f"{self.first} {self.second}"

    def __str__(self) -> str:
        return "ours"


class Theirs(typing.NamedTuple):
    """A pair."""

    first: int
    second: str = "two"


def test_they_do_what_those_of_typing_do() -> None:
    ours, theirs = Ours(1), Theirs(1)
    assert tuple(ours) == tuple(theirs) == (1, "two")
    assert Ours._fields == Theirs._fields and Ours._field_defaults == Theirs._field_defaults
    assert Ours.__annotations__.keys() == Theirs.__annotations__.keys() and Ours.__doc__ == Theirs.__doc__
    assert ours._replace(second="2") == Ours(1, "2") == Ours._make((1, "2"))
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (ours.both, str(ours), hash(ours)) == ("1 two", "ours", hash((1, "two")))
    with pytest.raises(TypeError):
        Ours()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        ours.first = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        ours.third = 3  # type: ignore[attr-defined]


def test_they_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Counts(3, 2))) == Counts(3, 2)


def test_a_check_does_not_load_typing(tmp_path: typing.Any) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    code = (
        "import sys; sys.argv = ['add-model', 'check-copies', '--no-cache']\nfrom add_model.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, 'typing' in sys.modules)"
    )
    command, environment = [sys.executable, "-S", "-c", code], {"PYTHONPATH": ":".join(sys.path)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "0 markers checked in 1 file" in result.stderr
    assert result.stdout == "0 False\n"
