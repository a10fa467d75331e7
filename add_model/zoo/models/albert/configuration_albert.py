"""Configuration of ALBERT."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class AlbertConfig(PreTrainedConfig):
    """What has to be known to build an ALBERT model; the architecture is that of https://arxiv.org/abs/1909.11942.

    The keys are those of the published checkpoints, and the defaults give the xxlarge architecture of the paper
    (table 1).

    Attributes:
        vocab_size: number of tokens in the vocabulary.
        embedding_size: length of the vector that a token is looked up as, smaller than `hidden_size` (section 3.1).
        hidden_size: length of the vector of a token in the layers; a multiple of `num_attention_heads`.
        num_hidden_layers: how often a group of layers is applied.
        num_hidden_groups: number of groups with weights of their own; the applications are spread evenly over them.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        inner_group_num: number of layers in a group.
        hidden_act: name of the activation function of the feed-forward block and of the masked language model's head.
        hidden_dropout_prob: probability of dropping a value of the embeddings or of a block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        max_position_embeddings: greatest number of tokens in a text.
        type_vocab_size: number of segments, such as the first and the second text of a pair.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what layer normalisation adds to the variance.
        classifier_dropout_prob: probability of dropping a value before a classifier.
    """

    model_type: ClassVar[str] = "albert"

    def __init__(
        self,
        *,
        vocab_size: int = 30000,
        embedding_size: int = 128,
        hidden_size: int = 4096,
        num_hidden_layers: int = 12,
        num_hidden_groups: int = 1,
        num_attention_heads: int = 64,
        intermediate_size: int = 16384,
        inner_group_num: int = 1,
        hidden_act: str = "gelu_new",
        hidden_dropout_prob: float = 0.0,
        attention_probs_dropout_prob: float = 0.0,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 2,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        classifier_dropout_prob: float = 0.1,
        pad_token_id: int | None = 0,
        bos_token_id: int | None = 2,
        eos_token_id: int | list[int] | None = 3,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_hidden_groups = num_hidden_groups
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.inner_group_num = inner_group_num
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.classifier_dropout_prob = classifier_dropout_prob
        super().__init__(pad_token_id=pad_token_id, bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)
