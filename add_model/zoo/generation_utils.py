"""Text generation: greedy search, sampling and beam search, with the key/value cache of decoders."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from .configuration_utils import PreTrainedConfig
from .generation_beams import BeamSearch, EarlyStopping
from .generation_scores import DEFAULT_TOP_K, ScoreRules
from .key_value_cache import KeyValueCache

# What a model that generates imports from here.
__all__ = ["GenerationMixin", "KeyValueCache"]

DEFAULT_NEW_TOKENS = 20


class GenerationMixin:
    """Adds `generate` to a language model.

    A decoder's `forward` takes `input_ids`, `attention_mask`, `past_key_values` and `use_cache`; `position_ids` when its
    positions must follow the attention mask; and `logits_to_keep` when it can score the last tokens alone. An
    encoder-decoder's `forward` takes `encoder_outputs`, `attention_mask` (of the encoder), `decoder_input_ids`,
    `past_key_values` and `use_cache`, and the model has a method `get_encoder`. Both return an output with `logits` and
    `past_key_values`.
    """

    if TYPE_CHECKING:

        @property
        def config(self) -> PreTrainedConfig: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
        def forward(self, *args: Any, **kwargs: Any) -> Any: ...
        def get_encoder(self) -> Any: ...

    @torch.no_grad()
    def generate(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *,
        max_length: int | None = None,
        max_new_tokens: int | None = None,
        do_sample: bool = False,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        num_beams: int = 1,
        length_penalty: float = 1.0,
        early_stopping: EarlyStopping = False,
        num_return_sequences: int = 1,
        repetition_penalty: float = 1.0,
        no_repeat_ngram_size: int = 0,
        use_cache: bool = True,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        decoder_start_token_id: int | None = None,
    ) -> torch.Tensor:
        """Continue every text: with the most probable token at each step, with drawn ones, or by beam search.

        Args:
            input_ids: the prompts of a decoder, or the encoder's inputs of an encoder-decoder, `(batch, length)`.
                Prompts of different lengths are padded on the left.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Found from the padding token if missing.
            max_length: limit of the whole result in tokens, prompt or start token included. Without any limit,
                `config.max_length` if the configuration has it, otherwise 20 tokens are generated, or fewer where
                `longest_text` ends the text.
            max_new_tokens: limit of the generated tokens; use instead of `max_length`.
            do_sample: whether every token is drawn by its probability instead of taking the most probable one.
            temperature, top_k, top_p: what is drawn from, as in `ScoreRules`; of `top_k` 50 where it is missing.
            seed, generator: draw the same tokens again: a number, or PyTorch's own generator.
            num_beams: how many continuations of a text are followed at once; more than 1 is beam search.
            length_penalty, early_stopping: which of them is best and when to stop, as in `BeamSearch`.
            num_return_sequences: how many continuations of every text are returned, of beam search the best.
            repetition_penalty, no_repeat_ngram_size: hinder a text from repeating itself, as in `ScoreRules`.
            use_cache: whether to keep keys and values between steps. Changes the speed, not the result.
            pad_token_id, eos_token_id, decoder_start_token_id: replace the configuration's; several ids can end a text.

        Returns:
            Token ids, `(batch * num_return_sequences, new_length)`: prompt and continuation of a decoder; start token
            and text of an encoder-decoder. A text that ended early is filled up with the padding token.

        Raises:
            ValueError: both limits are given, the limit leaves no room for a new token, a special token that is needed
                is not known, or the settings are out of range or do not go together.
        """
        end_tokens = _as_list(self.config.eos_token_id if eos_token_id is None else eos_token_id)
        pad_token = self.config.pad_token_id if pad_token_id is None else pad_token_id
        if attention_mask is None:
            attention_mask = _attention_mask_from_padding(input_ids, pad_token, end_tokens)
        if pad_token is None and end_tokens:
            pad_token = end_tokens[0]
        _check_settings(do_sample, num_beams, num_return_sequences, temperature, top_k, top_p, seed, generator)
        rules = ScoreRules(
            repetition_penalty=repetition_penalty,
            no_repeat_ngram_size=no_repeat_ngram_size,
            forced_bos_token_id=self.config.forced_bos_token_id,
            forced_eos_token_ids=tuple(_as_list(self.config.forced_eos_token_id)),
            temperature=1.0 if temperature is None else temperature,
            top_k=(DEFAULT_TOP_K if do_sample else 0) if top_k is None else top_k,
            top_p=1.0 if top_p is None else top_p,
            least_kept=1 + len(end_tokens) if num_beams > 1 else 1,
        )
        if seed is not None:
            generator = torch.Generator(device=input_ids.device).manual_seed(seed)

        model_inputs: dict[str, Any] = {"attention_mask": attention_mask}
        generated_ids = input_ids
        if self.config.is_encoder_decoder:
            start = self.config.decoder_start_token_id if decoder_start_token_id is None else decoder_start_token_id
            if start is None:
                raise ValueError("generation needs a first token: set config.decoder_start_token_id")
            model_inputs["encoder_outputs"] = self.get_encoder()(input_ids, attention_mask=attention_mask)
            generated_ids = input_ids.new_full((input_ids.shape[0], 1), start)

        limit = self._length_limit(generated_ids.shape[1], max_length, max_new_tokens)
        copies = num_beams if num_beams > 1 else num_return_sequences
        if copies > 1:
            generated_ids = generated_ids.repeat_interleave(copies, dim=0)
            model_inputs = {name: _repeated(value, copies) for name, value in model_inputs.items()}
        ends = torch.tensor(end_tokens, dtype=generated_ids.dtype, device=generated_ids.device)
        step = _Step(self, model_inputs, KeyValueCache() if use_cache else None, rules, limit)
        if num_beams > 1:
            beams = BeamSearch(
                generated_ids,
                num_beams,
                limit,
                pad_token=0 if pad_token is None else pad_token,
                end_tokens=ends,
                length_penalty=length_penalty,
                early_stopping=early_stopping,
                generator=generator,
                do_sample=do_sample,
            )
            return _searched_with_beams(step, beams, num_return_sequences)
        return _searched(step, generated_ids, pad_token, ends, do_sample, generator)

    def prepare_inputs_for_generation(
        self,
        generated_ids: torch.Tensor,
        past_key_values: KeyValueCache | None,
        attention_mask: torch.Tensor,
        encoder_outputs: Any = None,
    ) -> dict[str, Any]:
        """Return the arguments of the next forward pass; with a cache these hold only the tokens it has not seen.

        Args:
            generated_ids: all ids so far, `(batch, length)`.
            past_key_values: the cache, or `None` to compute everything again.
            attention_mask: the mask of `generated_ids` in a decoder, of the encoder's input in an encoder-decoder.
            encoder_outputs: what the encoder returned, in an encoder-decoder.
        """
        already_seen = 0 if past_key_values is None else past_key_values.sequence_length
        new_ids = generated_ids[:, already_seen:]
        if self.config.is_encoder_decoder:
            return {
                "decoder_input_ids": new_ids,
                "attention_mask": attention_mask,
                "encoder_outputs": encoder_outputs,
            }
        model_inputs: dict[str, Any] = {"input_ids": new_ids, "attention_mask": attention_mask}
        parameters = inspect.signature(self.forward).parameters
        if "logits_to_keep" in parameters:
            model_inputs["logits_to_keep"] = 1
        if "position_ids" in parameters:
            # Padding on the left must not count, so that each text's first token stands at position 0.
            position_ids = (attention_mask.long().cumsum(dim=-1) - 1).clamp(min=0)
            model_inputs["position_ids"] = position_ids[:, already_seen:]
        return model_inputs

    def longest_text(self) -> int | None:
        """Return how many tokens a text can have, prompt included, or `None` where nothing limits it."""
        return getattr(self.config, "max_position_embeddings", None)

    def _length_limit(self, start_length: int, max_length: int | None, max_new_tokens: int | None) -> int:
        if max_new_tokens is not None and max_length is not None:
            raise ValueError("pass either max_length or max_new_tokens, not both")
        if max_new_tokens is not None:
            limit = start_length + max_new_tokens
        elif max_length is not None:
            limit = max_length
        else:
            limit = getattr(self.config, "max_length", None) or start_length + DEFAULT_NEW_TOKENS
            longest = self.longest_text()
            limit = limit if longest is None else min(limit, longest)
        if limit <= start_length:
            raise ValueError(
                f"a limit of {limit} tokens leaves no room after a prompt of {start_length}; raise max_length or "
                "max_new_tokens, or shorten the prompt"
            )
        return limit


class _Step:
    """One step of generation: the scores of the next token of every text."""

    def __init__(
        self,
        model: GenerationMixin,
        model_inputs: dict[str, Any],
        past_key_values: KeyValueCache | None,
        rules: ScoreRules,
        limit: int,
    ) -> None:
        self.model, self.model_inputs, self.past_key_values = model, model_inputs, past_key_values
        self.rules, self.limit = rules, limit
        self.is_decoder = not model.config.is_encoder_decoder
        # Of a decoder the mask is that of the prompts.
        self.padding = (model_inputs["attention_mask"] != 0).int().argmax(dim=1) if self.is_decoder else None

    def scores(self, ids: torch.Tensor, are_probabilities: bool = False) -> torch.Tensor:
        """Return the scores of the next token by the rules, `(batch, vocab_size)`.

        Args:
            ids: every text so far, `(batch, length)`.
            are_probabilities: whether the rules apply to logarithms of probabilities, as in beam search, not to logits.
        """
        inputs = self.model.prepare_inputs_for_generation(ids, self.past_key_values, **self.model_inputs)
        outputs = self.model(
            **inputs, past_key_values=self.past_key_values, use_cache=self.past_key_values is not None
        )
        scores: torch.Tensor = outputs.logits[:, -1].float()
        if are_probabilities:
            scores = scores.log_softmax(dim=-1)
        if self.is_decoder:
            mask = self.model_inputs["attention_mask"]
            self.model_inputs["attention_mask"] = torch.cat((mask, mask.new_ones(mask.shape[0], 1)), dim=1)
        return self.rules.apply(scores, ids, self.limit, self.padding)

    def reorder(self, rows: torch.Tensor) -> None:
        """Let every text go on from another's, as `KeyValueCache.reorder` says; both have the same prompt."""
        if self.past_key_values is not None:
            self.past_key_values.reorder(rows)


def _searched(
    step: _Step,
    ids: torch.Tensor,
    pad_token: int | None,
    ends: torch.Tensor,
    do_sample: bool,
    generator: torch.Generator | None,
) -> torch.Tensor:
    """Continue each text by itself, `(batch, length)`, until all have ended or reached the limit."""
    is_finished = torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)
    while ids.shape[1] < step.limit and not bool(is_finished.all()):
        scores = step.scores(ids)
        if do_sample:
            next_ids = torch.multinomial(scores.softmax(dim=-1), 1, generator=generator)[:, 0]
        else:
            next_ids = scores.argmax(dim=-1)
        if pad_token is not None:
            next_ids = next_ids.masked_fill(is_finished, pad_token)
        ids = torch.cat((ids, next_ids[:, None]), dim=1)
        is_finished = is_finished | torch.isin(next_ids, ends)
    return ids


def _searched_with_beams(step: _Step, beams: BeamSearch, count: int) -> torch.Tensor:
    """Return the best continuations of every text, `(batch * count, length)`."""
    while not beams.is_done:
        step.reorder(beams.advance(step.scores(beams.ids, are_probabilities=True)))
    return beams.best(count)


def _repeated(value: Any, copies: int) -> Any:
    """Every text's row so often, one after the other; of a model's output each of its tensors."""
    if isinstance(value, torch.Tensor):
        return value.repeat_interleave(copies, dim=0)
    if isinstance(value, tuple):
        return tuple(_repeated(part, copies) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _repeated(getattr(value, field.name), copies) for field in fields(value)})
    return value


def _check_settings(
    do_sample: bool,
    num_beams: int,
    num_return_sequences: int,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    seed: int | None,
    generator: torch.Generator | None,
) -> None:
    """Raises `ValueError` where settings do not go together."""
    if num_beams < 1:
        raise ValueError(f"num_beams must be 1 or more, not {num_beams}")
    if num_return_sequences < 1:
        raise ValueError(f"num_return_sequences must be 1 or more, not {num_return_sequences}")
    if num_beams > 1 and num_return_sequences > num_beams:
        raise ValueError(f"{num_beams} beams cannot give {num_return_sequences} texts; raise num_beams")
    if num_beams == 1 and num_return_sequences > 1 and not do_sample:
        raise ValueError("greedy search gives one text; for several set do_sample=True, or num_beams")
    drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed, "generator": generator}
    given = [name for name, value in drawing.items() if value is not None]
    if given and not do_sample:
        raise ValueError(f"{given[0]} is about drawn tokens; set do_sample=True")
    if seed is not None and generator is not None:
        raise ValueError("pass either seed or generator, not both")


def _as_list(token_ids: int | list[int] | None) -> list[int]:
    if token_ids is None:
        return []
    return [token_ids] if isinstance(token_ids, int) else list(token_ids)


def _attention_mask_from_padding(
    input_ids: torch.Tensor, pad_token: int | None, end_tokens: list[int]
) -> torch.Tensor:
    if pad_token is None or pad_token in end_tokens:
        # A padding token that also ends texts may be a part of the text.
        return torch.ones_like(input_ids)
    return (input_ids != pad_token).long()
