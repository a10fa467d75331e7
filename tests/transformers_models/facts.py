"""What a model class does with its own default configuration: a failure, or parameters, on the meta device."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

SECONDS_A_CLASS = 300


@dataclass(frozen=True)
class Facts:
    """What came of instantiating a class.

    Attributes:
        error: type and message of what was raised; `None` where it went well.
        parameters: how many numbers its parameters hold.
        names: every parameter and buffer with its shape and type, such as `["lm_head.weight", "30522x768", "float32"]`.
    """

    error: str | None
    parameters: int = 0
    names: tuple[tuple[str, str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def facts_of(model_class: Any) -> Facts:
    """Instantiates a model class from its default configuration on the meta device; whatever it raises is a fact."""
    import torch

    try:
        with time_limit(SECONDS_A_CLASS), torch.device("meta"):
            model = model_class(model_class.config_class())
    except Exception as error:  # noqa: BLE001 -- every failure of the reference is a fact about it
        return Facts(describe(error))
    tensors = [*model.named_parameters(), *model.named_buffers()]
    names = tuple((name, "x".join(map(str, tensor.shape)), str(tensor.dtype)[6:]) for name, tensor in tensors)
    return Facts(None, sum(parameter.numel() for parameter in model.parameters()), names)


def describe(error: BaseException) -> str:
    """An error in one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:300]}"


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raises `TimeoutError` in the block after that many seconds of this process's own time."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
