"""What a tokenizer returns, and how its rows are paired, padded and turned into tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tokenizers import Encoding

PADDING_STRATEGIES = ("longest", "max_length", "do_not_pad")
TRUNCATION_STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")

# What fills the padded positions; `input_ids` are filled with the id of the padding token.
PADDING_VALUES: dict[str, Any] = {
    "attention_mask": 0,
    "token_type_ids": 0,
    "special_tokens_mask": 1,
    "offset_mapping": (0, 0),
}

# One text; a batch of texts; one text that is split into words; a batch of pairs, or of texts split into words.
TextInput: TypeAlias = "str | Sequence[str] | Sequence[Sequence[str]]"


class BatchEncoding(dict[str, Any]):
    """What a tokenizer returns: the arguments of a model's `forward`, by name.

    Args:
        data: lists of numbers, or tensors of shape (batch size, sequence length).
        encodings: one `tokenizers.Encoding` for every row.
    """

    def __init__(self, data: Mapping[str, Any], encodings: Sequence[Encoding] = ()) -> None:
        super().__init__(data)
        self.encodings = list(encodings)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def tokens(self, row: int = 0) -> list[str]:
        """Return the tokens of a row."""
        return list(self.encodings[row].tokens)

    def word_ids(self, row: int = 0) -> list[int | None]:
        """Return, for every token of a row, the index of the word it comes from; `None` for added tokens."""
        return list(self.encodings[row].word_ids)

    def sequence_ids(self, row: int = 0) -> list[int | None]:
        """Return, for every token of a row, 0 for the first text of a pair and 1 for the second."""
        return list(self.encodings[row].sequence_ids)

    def to(self, device: Any) -> BatchEncoding:
        """Return the same batch with every tensor on a device."""
        moved = {name: value.to(device) if hasattr(value, "to") else value for name, value in self.items()}
        return BatchEncoding(moved, self.encodings)


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return a value that is one of several strings.

    Raises:
        ValueError: it is not; the message lists the choices.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def pad_values(values: Sequence[Any], length: int, filler: Any, padding_side: str) -> list[Any]:
    """Return a list that is filled up to a length on one side."""
    missing = [filler] * (length - len(values))
    return [*missing, *values] if padding_side == "left" else [*values, *missing]


def to_tensors(data: Mapping[str, Any], return_tensors: str) -> dict[str, Any]:
    """Return the lists of a batch as tensors of shape (batch size, sequence length); the format "pt" is PyTorch.

    Raises:
        ValueError: the rows have different lengths, or the format is not "pt".
    """
    check_choice("return_tensors", return_tensors, ("pt",))
    import torch

    tensors = {}
    for name, rows in data.items():
        try:
            tensors[name] = torch.tensor(rows, dtype=torch.long)
        except ValueError as error:
            raise ValueError(
                f"the rows of {name!r} have different lengths and make no tensor; "
                "pass padding=True, and truncation=True where texts may be too long"
            ) from error
    return tensors


def pair_up(text: TextInput, text_pair: TextInput | None, is_single: bool) -> list[Any]:
    """Return a batch: one entry, a text or a tuple of two, for every row.

    Raises:
        TypeError: one text is paired with a batch.
        ValueError: the two batches have different lengths.
    """
    if is_single:
        return [(text, text_pair)] if text_pair else [text]
    if text_pair is None:
        return list(text)
    if isinstance(text_pair, str):
        raise TypeError("text is a batch, so text_pair must be a batch of the same length, not a single text")
    if len(text) != len(text_pair):
        raise ValueError(f"text holds {len(text)} texts, but text_pair holds {len(text_pair)}; they must be as many")
    return list(zip(text, text_pair, strict=True))
