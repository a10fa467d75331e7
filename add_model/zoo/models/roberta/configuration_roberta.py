"""Configuration of RoBERTa."""

from typing import Any

from ...configuration_utils import PreTrainedConfig


class RobertaConfig(PreTrainedConfig):
    """What has to be known to build a RoBERTa model; the architecture is that of https://arxiv.org/abs/1907.11692.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's base size.
    The published checkpoints set `max_position_embeddings` to 514 for texts of 512 tokens, `type_vocab_size` to 1 and
    `layer_norm_eps` to 1e-5.

    Attributes:
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
        classifier_dropout: probability of dropping a value before a classifier of texts or tokens;
            `hidden_dropout_prob` when `None`.
        is_decoder: whether a token attends to earlier tokens only, as the causal language model needs it.
        add_cross_attention: a key of the published checkpoints; false, as nothing else is attended to.
        pad_token_id: id of the padding token; the positions are counted from it.
        bos_token_id, eos_token_id: see `PreTrainedConfig`.
    """

    model_type = "roberta"

    def __init__(
        self,
        *,
        vocab_size: int = 50265,
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
        classifier_dropout: float | None = None,
        is_decoder: bool = False,
        add_cross_attention: bool = False,
        pad_token_id: int | None = 1,
        bos_token_id: int | None = 0,
        eos_token_id: int | list[int] | None = 2,
        **kwargs: Any,
    ) -> None:
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
        self.classifier_dropout = classifier_dropout
        self.is_decoder = is_decoder
        self.add_cross_attention = add_cross_attention
        super().__init__(pad_token_id=pad_token_id, bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)
