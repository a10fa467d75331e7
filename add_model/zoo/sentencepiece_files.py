"""The model files of SentencePiece, such as `spiece.model`, read and written without its package.

A file is one protocol buffer message, `ModelProto` of `sentencepiece_model.proto` in
https://github.com/google/sentencepiece, whose field numbers stand below. In the wire format
(https://protobuf.dev/programming-guides/encoding/) a field is a key, its number times 8 plus its wire type, and a value;
numbers are written in groups of seven bits, the lowest first, each but the last with its high bit set.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# Wire types, and how many bytes the values of fixed length have.
NUMBER, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
FIXED_LENGTHS = {FIXED_64: 8, FIXED_32: 4}

# Fields of `ModelProto`, `SentencePiece`, `TrainerSpec` and `NormalizerSpec`.
PIECES, TRAINER, NORMALIZER = 1, 2, 3
PIECE_TEXT, PIECE_SCORE, PIECE_KIND = 1, 2, 3
TRAINER_ALGORITHM, TRAINER_SIZE, TRAINER_BYTE_FALLBACK, TRAINER_UNKNOWN_ID, TRAINER_UNKNOWN_TEXT = 3, 4, 35, 40, 45
TRAINER_BEGIN_ID, TRAINER_END_ID, TRAINER_PADDING_ID = 41, 42, 43
NORMALIZER_CHARACTER_MAP = 2

# Kinds of pieces. `USER_DEFINED` is text that is never split, `UNUSED` a piece that never comes out.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

ALGORITHMS = {1: "unigram", 2: "bpe"}


class Piece(NamedTuple):
    """One entry of the vocabulary, whose id is its place."""

    text: str
    score: float
    kind: int = NORMAL


class SentencePieceModel(NamedTuple):
    """A vocabulary, and what text goes through before it is split.

    Fields:
        pieces: the vocabulary in the order of its ids.
        algorithm: "unigram" or "bpe".
        character_map: what replaces which characters, as SentencePiece compiles it; empty replaces none.
        byte_fallback: whether characters that the vocabulary lacks are written as pieces of one byte.
    """

    pieces: tuple[Piece, ...]
    algorithm: str = "unigram"
    character_map: bytes = b""
    byte_fallback: bool = False


def read_sentencepiece_model(path: str | Path) -> SentencePieceModel:
    """Return what a `spiece.model` or `sentencepiece.bpe.model` holds.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no model of SentencePiece, or neither a Unigram nor a BPE model.
    """
    content = Path(path).read_bytes()
    try:
        fields = list(_read_fields(content))
        pieces = tuple(_read_piece(value) for number, value in fields if number == PIECES)
        trainer = dict(_read_fields(b"".join(value for number, value in fields if number == TRAINER)))
        normalizer = dict(_read_fields(b"".join(value for number, value in fields if number == NORMALIZER)))
        algorithm = int(trainer.get(TRAINER_ALGORITHM, 1))
        character_map = bytes(normalizer.get(NORMALIZER_CHARACTER_MAP, b""))
    except (LookupError, TypeError, ValueError, struct.error) as error:
        raise ValueError(f"{path} is no model of SentencePiece") from error
    if not pieces:
        raise ValueError(f"{path} is no model of SentencePiece: it has no vocabulary")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"{path} holds neither a Unigram nor a BPE model of SentencePiece")
    byte_fallback = bool(trainer.get(TRAINER_BYTE_FALLBACK, False))
    return SentencePieceModel(pieces, ALGORITHMS[algorithm], character_map, byte_fallback)


def write_sentencepiece_model(path: str | Path, model: SentencePieceModel) -> None:
    """Write a file that `read_sentencepiece_model` and the package `sentencepiece` read."""
    unknown = next((index for index, piece in enumerate(model.pieces) if piece.kind == UNKNOWN), 0)
    algorithm = next(number for number, name in ALGORITHMS.items() if name == model.algorithm)
    # Ids of -1 say that the model has no piece of its own for the begin and end of a text, nor for padding.
    trainer = (
        _number(TRAINER_ALGORITHM, algorithm)
        + _number(TRAINER_SIZE, len(model.pieces))
        + _number(TRAINER_BYTE_FALLBACK, int(model.byte_fallback))
        + _number(TRAINER_UNKNOWN_ID, unknown)
        + b"".join(_number(field, -1) for field in (TRAINER_BEGIN_ID, TRAINER_END_ID, TRAINER_PADDING_ID))
        + _bytes(TRAINER_UNKNOWN_TEXT, model.pieces[unknown].text.encode())
    )
    pieces = b"".join(_bytes(PIECES, _written_piece(piece)) for piece in model.pieces)
    normalizer = _bytes(NORMALIZER_CHARACTER_MAP, model.character_map)
    Path(path).write_bytes(pieces + _bytes(TRAINER, trainer) + _bytes(NORMALIZER, normalizer))


def to_single_precision(score: float) -> float:
    """Return a score as the files hold it."""
    single: float = struct.unpack("<f", struct.pack("<f", score))[0]
    return single


def _read_piece(content: bytes) -> Piece:
    fields = dict(_read_fields(content))
    score = struct.unpack("<f", fields.get(PIECE_SCORE, bytes(4)))[0]
    return Piece(bytes(fields[PIECE_TEXT]).decode(), score, int(fields.get(PIECE_KIND, NORMAL)))


def _written_piece(piece: Piece) -> bytes:
    score = _key(PIECE_SCORE, FIXED_32) + struct.pack("<f", piece.score)
    return _bytes(PIECE_TEXT, piece.text.encode()) + score + _number(PIECE_KIND, piece.kind)


def _read_fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a message.

    Raises:
        LookupError, ValueError: the bytes are no message.
    """
    position = 0
    while position < len(content):
        key, position = _read_number(content, position)
        wire_type = key % 8
        if wire_type == NUMBER:
            value, position = _read_number(content, position)
            yield key // 8, value
            continue
        if wire_type == BYTES:
            length, position = _read_number(content, position)
        else:
            length = FIXED_LENGTHS[wire_type]
        if position + length > len(content):
            raise ValueError("the last field is cut off")
        yield key // 8, content[position : position + length]
        position += length


def _read_number(content: bytes, position: int) -> tuple[int, int]:
    """Return a number of at most 64 bits and where it ends."""
    number = 0
    for shift in range(0, 64, 7):
        number |= (content[position] & 0x7F) << shift
        position += 1
        if not content[position - 1] & 0x80:
            return number, position
    raise ValueError("a number is too long")


def _written_number(number: int) -> bytes:
    # Negative numbers are written as 64 bits in two's complement.
    number &= 2**64 - 1
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _key(field: int, wire_type: int) -> bytes:
    return _written_number(field * 8 + wire_type)


def _number(field: int, value: int) -> bytes:
    return _key(field, NUMBER) + _written_number(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, BYTES) + _written_number(len(value)) + value
