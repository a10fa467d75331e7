"""What generation does to the scores of the next token before one is chosen: penalties, forced tokens, and sampling."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch

DEFAULT_TOP_K = 50


@dataclass(frozen=True, kw_only=True)
class ScoreRules:
    """The rules of one call of `generate`.

    Scores are logits, or logarithms of probabilities; what must not be chosen gets minus infinity. The order in which
    the rules apply is that of the attributes.

    Attributes:
        repetition_penalty: factor by which a token that the text holds already is made less probable; more than 1
            hinders repetition (https://arxiv.org/abs/1909.05858, section 4.1), 1 changes nothing.
        no_repeat_ngram_size: how many tokens in a row must not occur twice; 0 allows everything.
        forced_bos_token_id: the token of position 1, if it is prescribed.
        forced_eos_token_ids: the tokens of which the last position must be one, if it is prescribed.
        temperature: divides the scores; less than 1 makes the probable more probable.
        top_k: how many of the most probable tokens are kept; 0 keeps all.
        top_p: the most probable tokens whose probabilities add up to this are kept
            (https://arxiv.org/abs/1904.09751); 1 keeps all.
        least_kept: how many tokens `top_k` and `top_p` keep at least.
    """

    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    forced_bos_token_id: int | None = None
    forced_eos_token_ids: tuple[int, ...] = ()
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    least_kept: int = 1

    def __post_init__(self) -> None:
        for name, is_right, wanted in (
            ("repetition_penalty", self.repetition_penalty > 0, "greater than 0"),
            ("no_repeat_ngram_size", self.no_repeat_ngram_size >= 0, "0 or more"),
            ("temperature", self.temperature > 0, "greater than 0; for the most probable token leave out do_sample"),
            ("top_k", self.top_k >= 0, "0 (all tokens) or more"),
            ("top_p", 0 < self.top_p <= 1, "greater than 0 and at most 1"),
        ):
            if not is_right:
                raise ValueError(f"{name} must be {wanted}, not {getattr(self, name)}")

    def apply(
        self, scores: torch.Tensor, ids: torch.Tensor, limit: int, padding: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the scores of the next token by all rules.

        Args:
            scores: `(batch, vocab_size)`, in float32.
            ids: every text so far, `(batch, length)`.
            limit: how many tokens a text may have.
            padding: how many tokens on the left of every text are padding, `(batch,)`; a padding token that is not
                part of the text is not a repetition.
        """
        position = ids.shape[1]
        if self.repetition_penalty != 1:
            scores = with_repetition_penalty(scores, ids, self.repetition_penalty, padding)
        if self.no_repeat_ngram_size:
            scores = without_repeated_ngrams(scores, ids, self.no_repeat_ngram_size)
        if self.forced_bos_token_id is not None and position == 1:
            scores = only_tokens(scores, (self.forced_bos_token_id,))
        if self.forced_eos_token_ids and position == limit - 1:
            scores = only_tokens(scores, self.forced_eos_token_ids)
        if self.temperature != 1:
            scores = scores / self.temperature
        if self.top_k:
            scores = with_top_k(scores, max(self.top_k, self.least_kept))
        if self.top_p < 1:
            scores = with_top_p(scores, self.top_p, self.least_kept)
        return scores


def with_repetition_penalty(
    scores: torch.Tensor, ids: torch.Tensor, penalty: float, padding: torch.Tensor | None = None
) -> torch.Tensor:
    """Make the tokens of a text less probable: positive scores are divided by the penalty, negative ones multiplied."""
    counts = torch.ones_like(ids, dtype=scores.dtype)
    if padding is not None:
        counts = (torch.arange(ids.shape[1], device=ids.device)[None, :] >= padding[:, None]).to(scores.dtype)
    # An id that the head does not score cannot be chosen again.
    counts = counts * (ids < scores.shape[1])
    occurs = torch.zeros_like(scores).scatter_add(1, ids.clamp(max=scores.shape[1] - 1), counts) > 0
    return torch.where(occurs, torch.where(scores < 0, scores * penalty, scores / penalty), scores)


def without_repeated_ngrams(scores: torch.Tensor, ids: torch.Tensor, size: int) -> torch.Tensor:
    """Forbid every token that would end a row of `size` tokens that the text holds already."""
    scores = scores.clone()
    for row, text in enumerate(ids.tolist()):
        if len(text) + 1 < size:
            continue
        followers: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for start in range(len(text) - size + 1):
            followers[tuple(text[start : start + size - 1])].append(text[start + size - 1])
        scores[row, followers[tuple(text[len(text) - size + 1 :])]] = -torch.inf
    return scores


def only_tokens(scores: torch.Tensor, token_ids: tuple[int, ...]) -> torch.Tensor:
    """Forbid every other token; the one that is prescribed is certain, so it adds nothing to the score of a text."""
    forced = torch.full_like(scores, -torch.inf)
    forced[:, list(token_ids)] = 0
    return forced


def with_top_k(scores: torch.Tensor, count: int) -> torch.Tensor:
    """Forbid all but the most probable tokens; those that are as probable as the last of them stay."""
    least = scores.topk(min(count, scores.shape[1])).values[:, -1:]
    return scores.masked_fill(scores < least, -torch.inf)


def with_top_p(scores: torch.Tensor, share: float, least_kept: int = 1) -> torch.Tensor:
    """Forbid the least probable tokens that together have no more than the rest of the probability."""
    ascending, order = scores.sort(dim=-1)
    is_forbidden = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - share
    is_forbidden[:, -least_kept:] = False
    return scores.masked_fill(torch.zeros_like(is_forbidden).scatter(1, order, is_forbidden), -torch.inf)
