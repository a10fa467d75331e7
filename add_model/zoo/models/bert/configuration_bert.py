"""Configuration of BERT."""

from typing import Any

from ...configuration_utils import PreTrainedConfig


class BertConfig(PreTrainedConfig):
    """What has to be known to build a BERT model; the architecture is that of https://arxiv.org/abs/1810.04805.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's base size.

    Attributes:
        vocab_size: number of tokens in the vocabulary.
        hidden_size: length of the vector of a token; a multiple of `num_attention_heads`.
        num_hidden_layers: number of layers.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward block and of the masked language model's head.
        hidden_dropout_prob: probability of dropping a value of the embeddings, of an attention block's output, or of
            a feed-forward block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        max_position_embeddings: greatest number of tokens in a text.
        type_vocab_size: number of segments that `token_type_ids` can tell apart.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisations add to the variance.
        classifier_dropout: probability of dropping a value before a classifier; `hidden_dropout_prob` when `None`.
        is_decoder, add_cross_attention: keys of the published checkpoints; both are false in an encoder.
    """

    model_type = "bert"

    def __init__(
        self,
        *,
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
        classifier_dropout: float | None = None,
        pad_token_id: int | None = 0,
        is_decoder: bool = False,
        add_cross_attention: bool = False,
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
        super().__init__(pad_token_id=pad_token_id, **kwargs)
