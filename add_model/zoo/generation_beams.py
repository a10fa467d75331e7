"""Beam search: of every text several continuations are followed at once, and the best ones are kept."""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn import functional

EarlyStopping = bool | Literal["never"]

# Less than any sum of logarithms of probabilities, and still a number that can be added to.
_IMPOSSIBLE = -1.0e9


class BeamSearch:
    """The continuations of every text that are followed, and those that have ended.

    The score of a continuation is the sum of the logarithms of its tokens' probabilities; one that has ended is judged
    by its score divided by `(number of new tokens) ** length_penalty` (https://arxiv.org/abs/1609.08144, section 7,
    without the constants).

    Attributes:
        ids: the continuations that are followed, the best first, `(batch * beams, length)`.
        is_done: whether no text can get better.
    """

    def __init__(
        self,
        prompts: torch.Tensor,
        beams: int,
        limit: int,
        *,
        pad_token: int,
        end_tokens: torch.Tensor,
        length_penalty: float = 1.0,
        early_stopping: EarlyStopping = False,
        generator: torch.Generator | None = None,
        do_sample: bool = False,
    ) -> None:
        """Begin with every prompt in all its beams.

        Args:
            prompts: each text, once for every beam, `(batch * beams, length)`.
            beams: how many continuations of a text are followed.
            limit: how many tokens a text may have.
            pad_token: what fills up a text that ended early.
            end_tokens: ids that end a text, `(number,)`.
            length_penalty: more than 0 favours long texts, less than 0 short ones.
            early_stopping: `True` ends as soon as every beam of a text has ended; `False` when the best one followed
                cannot get better by ending now; "never" when it cannot, however long it may get.
            generator: draws the continuations, where they are drawn.
            do_sample: whether continuations are drawn by their probabilities, instead of taking the best.
        """
        self.beams, self.limit = beams, limit
        self.batch, self.prompt_length = prompts.shape[0] // beams, prompts.shape[1]
        self.end_tokens, self.length_penalty, self.early_stopping = end_tokens, length_penalty, early_stopping
        self.generator, self.do_sample = generator, do_sample
        # So many candidates that enough are left to follow even if each beam's best ones are ends.
        self.candidates = max(2, 1 + len(end_tokens)) * beams
        self.pad_token = pad_token
        self.ids = prompts
        self.is_done = False
        shape, device = (self.batch, beams), prompts.device
        # All beams of a text begin alike, so at first only one of them counts.
        self._scores = torch.full(shape, _IMPOSSIBLE, device=device)
        self._scores[:, 0] = 0
        self._ended = functional.pad(prompts, (0, limit - self.prompt_length), value=pad_token).view(*shape, limit)
        self._ended_lengths = torch.full(shape, self.prompt_length, device=device)
        self._ended_scores = torch.full(shape, _IMPOSSIBLE, device=device)
        self._has_ended = torch.zeros(shape, dtype=torch.bool, device=device)
        self._can_improve = torch.ones(self.batch, 1, dtype=torch.bool, device=device)

    def advance(self, scores: torch.Tensor) -> torch.Tensor:
        """Add a token to every continuation.

        Args:
            scores: logarithms of the next token's probabilities, `(batch * beams, vocab_size)`.

        Returns:
            For each of the new continuations the row that it continues, `(batch * beams,)`: caches follow it.
        """
        vocab_size = scores.shape[1]
        sums = (scores.view(self.batch, self.beams, vocab_size) + self._scores[:, :, None]).flatten(1)
        candidate_scores, chosen = self._choose(sums)
        origins, tokens = chosen // vocab_size, chosen % vocab_size
        length = self.ids.shape[1] + 1
        before = self.ids.view(self.batch, self.beams, -1)
        candidates = torch.cat((_gathered(before, origins), tokens[:, :, None]), dim=2)
        ends = torch.isin(tokens, self.end_tokens) | (length >= self.limit)

        self._keep_ended(candidates, candidate_scores, ends)
        self._scores, kept = (candidate_scores + ends * _IMPOSSIBLE).topk(self.beams)
        self.ids = _gathered(candidates, kept).flatten(0, 1)
        self._judge(bool(ends.all()))
        first_rows = torch.arange(self.batch, device=origins.device)[:, None] * self.beams
        return (origins.gather(1, kept) + first_rows).flatten()

    def best(self, count: int) -> torch.Tensor:
        """The best texts that have ended, the best first, `(batch * count, length)`; shorter ones are filled up."""
        length = int(self._ended_lengths[:, :count].max())
        return self._ended[:, :count, :length].flatten(0, 1)

    def _choose(self, sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.do_sample:
            return sums.topk(self.candidates)
        chosen = torch.multinomial(sums.softmax(dim=-1), self.candidates, generator=self.generator)
        return sums.gather(1, chosen), chosen

    def _keep_ended(self, candidates: torch.Tensor, scores: torch.Tensor, ends: torch.Tensor) -> None:
        """Let what ends now take the place of what had ended before and is worse."""
        length = candidates.shape[2]
        # A candidate behind the best ones is there to be followed: as an end it is not looked at.
        counts = ends & (torch.arange(self.candidates, device=ends.device) < self.beams)
        if self.early_stopping is True:
            counts = counts & ~self._has_ended.all(dim=1, keepdim=True)
        counts = counts & self._can_improve
        judged = scores / (length - self.prompt_length) ** self.length_penalty
        judged = judged + ~counts * _IMPOSSIBLE
        padded = functional.pad(candidates, (0, self.limit - length), value=self.pad_token)
        lengths = torch.full_like(ends, length, dtype=self._ended_lengths.dtype)
        self._ended_scores, kept = torch.cat((self._ended_scores, judged), dim=1).topk(self.beams)
        self._ended = _gathered(torch.cat((self._ended, padded), dim=1), kept)
        self._ended_lengths = torch.cat((self._ended_lengths, lengths), dim=1).gather(1, kept)
        self._has_ended = torch.cat((self._has_ended, counts), dim=1).gather(1, kept)

    def _judge(self, all_end: bool) -> None:
        """Find out whether the best continuation of a text can still come before the worst that has ended."""
        new_tokens = self.ids.shape[1] - self.prompt_length
        if self.early_stopping == "never" and self.length_penalty > 0:
            new_tokens = self.limit - self.prompt_length
        possible = self._scores[:, :1] / new_tokens**self.length_penalty
        worst = torch.where(self._has_ended, self._ended_scores.min(dim=1, keepdim=True).values, _IMPOSSIBLE)
        self._can_improve = self._can_improve & (possible > worst).any(dim=1, keepdim=True)
        is_full = self.early_stopping is True and bool(self._has_ended.all())
        self.is_done = all_end or is_full or not bool(self._can_improve.any())


def _gathered(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The rows of every text at these places: `(batch, n, length)` and `(batch, k)` to `(batch, k, length)`."""
    return values.gather(1, places[:, :, None].expand(-1, -1, values.shape[2]))
