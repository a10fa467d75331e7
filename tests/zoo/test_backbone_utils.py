"""Which stages a backbone returns, and what it says of them, against Transformers' own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.backbone_utils import BackboneConfigMixin as PublishedMixin

from add_model.zoo.backbone_utils import BackboneConfigMixin, BackboneMixin, aligned_stages

STAGES = ["stem", "stage1", "stage2", "stage3"]


class StagedConfig(BackboneConfigMixin):
    model_type = "staged"

    def __init__(self, *, depth: int = 3, **kwargs: Any) -> None:
        self.depth = depth
        self.stage_names = ["stem", *(f"stage{number + 1}" for number in range(depth))]
        super().__init__(**kwargs)


class StagedBackbone(BackboneMixin):
    config_class = StagedConfig

    def __init__(self, config: StagedConfig) -> None:
        super().__init__(config)
        self.num_features = [4, 8, 16, 32]


class Published(PublishedMixin):
    stage_names = STAGES


def published(names: list[str] | None, indices: list[int] | None) -> tuple[list[str], list[int]] | None:
    config = Published()
    try:
        config.set_output_features_output_indices(names, indices)
    except (ValueError, IndexError):
        return None
    return config.out_features, config.out_indices


@settings(max_examples=200)
@given(
    names=st.none() | st.lists(st.sampled_from([*STAGES, "stage9"]), max_size=3),
    indices=st.none() | st.lists(st.integers(-5, 4), max_size=3),
)
def test_stages_are_aligned_and_refused_as_published(names: list[str] | None, indices: list[int] | None) -> None:
    expected = published(names, indices)
    if expected is None:
        with pytest.raises(ValueError):
            aligned_stages(STAGES, names, indices)
    else:
        assert aligned_stages(STAGES, names, indices) == expected


def test_one_follows_the_other_in_the_configuration_and_in_the_backbone(tmp_path: Path) -> None:
    config = StagedConfig(out_features=["stage1", "stage3"])
    assert config.out_indices == [1, 3]
    config.out_indices = [0, -1]
    assert config.out_features == ["stem", "stage3"]
    backbone = StagedBackbone(config)
    assert backbone.channels == [4, 32]
    backbone.out_features = ["stage2"]
    assert (backbone.out_indices, backbone.channels) == ([2], [16])
    assert backbone.out_feature_channels == {"stem": 4, "stage1": 8, "stage2": 16, "stage3": 32}

    config.save_pretrained(tmp_path)
    assert StagedConfig.from_pretrained(tmp_path) == config
    assert StagedConfig.from_pretrained(tmp_path, out_indices=[1]).out_features == ["stage1"]
    # A configuration with other sizes has other stages, whatever the file says.
    assert StagedConfig.from_pretrained(tmp_path, depth=2).stage_names == STAGES[:3]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"out_features": ["stage9"]}, "no stage 'stage9'; the stages are stem, stage1, stage2, stage3"),
        ({"out_features": ["stage2", "stage1"]}, r"in the order \['stage1', 'stage2'\]"),
        ({"out_indices": [4]}, "no stage 4; the stages are 0 to 3"),
        ({"out_indices": [1, -3]}, "once each"),
        ({"out_features": ["stem"], "out_indices": [1]}, "set one of them"),
        ({"out_features": "stem"}, "a list of names"),
        ({"out_indices": 1}, "a list of indices"),
    ],
)
def test_stages_that_are_not_there_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        StagedConfig(**wrong)
