"""Configuration of Longformer."""

from typing import Any

from ...configuration_utils import PreTrainedConfig


class LongformerConfig(PreTrainedConfig):
    """What has to be known to build a Longformer model; the architecture is that of https://arxiv.org/abs/2004.05150.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's base size.
    The published checkpoints set `max_position_embeddings` to 4098 for texts of 4,096 tokens, `vocab_size` to 50265,
    `type_vocab_size` to 1 and `layer_norm_eps` to 1e-5.

    Attributes:
        attention_window: number of tokens around a token that it attends to beside itself, half of them on each side:
            one even number for all layers, or one for each layer.
        sep_token_id: id of the token between the two parts of a text, which a question and a choice are found by.
        vocab_size: number of tokens in the vocabulary.
        hidden_size: length of the vector of a token; a multiple of `num_attention_heads`.
        num_hidden_layers: number of layers.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward block.
        hidden_dropout_prob: probability of dropping a value of the embeddings, of an attention block's output, or of
            a feed-forward block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        max_position_embeddings: number of positions. The first token of a text has the position behind
            `pad_token_id`, so a text has at most `max_position_embeddings - pad_token_id - 1` tokens.
        type_vocab_size: number of segments that `token_type_ids` can tell apart; the model was trained without any.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisations add to the variance.
        pad_token_id: id of the padding token; the positions are counted from it.
        bos_token_id, eos_token_id: see `PreTrainedConfig`.
    """

    model_type = "longformer"

    def __init__(
        self,
        *,
        attention_window: int | list[int] = 512,
        sep_token_id: int | None = 2,
        vocab_size: int = 30522,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 2,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        pad_token_id: int | None = 1,
        bos_token_id: int | None = 0,
        eos_token_id: int | list[int] | None = 2,
        **kwargs: Any,
    ) -> None:
        self.attention_window = attention_window
        self.sep_token_id = sep_token_id
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        super().__init__(pad_token_id=pad_token_id, bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)

    def windows(self) -> list[int]:
        """Return the window of every layer.

        Raises:
            ValueError: a window is no positive even number, or there is not one for every layer.
        """
        windows = self.attention_window
        if isinstance(windows, int):
            windows = [windows] * self.num_hidden_layers
        if len(windows) != self.num_hidden_layers:
            raise ValueError(
                f"attention_window has {len(windows)} windows for {self.num_hidden_layers} layers; "
                "give one for each layer, or one number for all of them"
            )
        for window in windows:
            if window <= 0 or window % 2 != 0:
                raise ValueError(f"attention_window must be a positive even number, not {window}")
        return list(windows)
