"""Backbones: models whose maps, stage by stage, another model goes on with.

A backbone's stages have names, such as "stem", "stage1" and "stage2". Its configuration says which of them it returns the
maps of, by name (`out_features`) or by index (`out_indices`): whichever is set, the other follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from .configuration_utils import PreTrainedConfig
from .modeling_utils import PreTrainedModel

BackboneConfigType = TypeVar("BackboneConfigType", bound="BackboneConfigMixin")


def aligned_stages(
    stage_names: Sequence[str], out_features: Sequence[str] | None, out_indices: Sequence[int] | None
) -> tuple[list[str], list[int]]:
    """Return the names and the indices of the stages that a backbone returns; the last stage where neither is given.

    Args:
        stage_names: the names of all stages, from the first to the last.
        out_features: names of stages in the order of the stages, or `None`.
        out_indices: indices of stages in their order, negative ones counted from the end, or `None`.

    Raises:
        ValueError: there is no such stage, one is given twice, they stand in another order, or the two do not belong
            together.
    """
    if not stage_names:
        raise ValueError("a backbone needs stages, and stage_names is empty")
    if out_features is None and out_indices is None:
        return [stage_names[-1]], [len(stage_names) - 1]
    named = None if out_features is None else _indices_of_names(stage_names, out_features)
    counted = None if out_indices is None else _indices_from_the_start(stage_names, out_indices)
    if named is not None and counted is not None and named != counted:
        raise ValueError(
            f"out_features {list(out_features or ())} and out_indices {list(out_indices or ())} are not the same "
            "stages; set one of them, and the other follows"
        )
    found = named if named is not None else counted or []
    if found != sorted(set(found)):
        raise ValueError(
            f"the stages {[stage_names[index] for index in found]} of a backbone must be given once each, in the order "
            f"{[name for index, name in enumerate(stage_names) if index in found]}"
        )
    indices = found if out_indices is None else list(out_indices)
    return [stage_names[index] for index in found], indices


def _indices_of_names(stage_names: Sequence[str], out_features: Sequence[str]) -> list[int]:
    if isinstance(out_features, str):
        raise ValueError(f"out_features must be a list of names, not {out_features!r}")
    unknown = [name for name in out_features if name not in stage_names]
    if unknown:
        raise ValueError(f"out_features: there is no stage {unknown[0]!r}; the stages are {', '.join(stage_names)}")
    return [list(stage_names).index(name) for name in out_features]


def _indices_from_the_start(stage_names: Sequence[str], out_indices: Sequence[int]) -> list[int]:
    if isinstance(out_indices, int):
        raise ValueError(f"out_indices must be a list of indices, not {out_indices!r}")
    number = len(stage_names)
    outside = [index for index in out_indices if not -number <= index < number]
    if outside:
        raise ValueError(f"out_indices: there is no stage {outside[0]}; the stages are 0 to {number - 1}")
    return [index % number for index in out_indices]


class BackboneConfigMixin(PreTrainedConfig):
    """What the configuration of a model with a backbone has more than others.

    A subclass sets `stage_names` in its `__init__`, and passes `out_features` and `out_indices` on with what else it does
    not know.

    Attributes:
        stage_names: the names of the stages; concluded from the other values, whatever `config.json` says.
        out_features: names of the stages whose maps the backbone returns; setting them sets `out_indices`, too.
        out_indices: the same stages by index; setting them sets `out_features`, too.
    """

    stage_names: list[str]

    def __init__(
        self,
        *,
        out_features: Sequence[str] | None = None,
        out_indices: Sequence[int] | None = None,
        stage_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_output_features_output_indices(out_features, out_indices)

    def set_output_features_output_indices(
        self, out_features: Sequence[str] | None, out_indices: Sequence[int] | None
    ) -> None:
        """Choose the stages by name, by index, or by both.

        Raises:
            ValueError: see `aligned_stages`.
        """
        self._out_features, self._out_indices = aligned_stages(self.stage_names, out_features, out_indices)

    @property
    def out_features(self) -> list[str]:
        """Names of the stages whose maps the backbone returns."""
        return self._out_features

    @out_features.setter
    def out_features(self, out_features: Sequence[str] | None) -> None:
        self.set_output_features_output_indices(out_features, None)

    @property
    def out_indices(self) -> list[int]:
        """Indices of the stages whose maps the backbone returns."""
        return self._out_indices

    @out_indices.setter
    def out_indices(self, out_indices: Sequence[int] | None) -> None:
        self.set_output_features_output_indices(None, out_indices)

    def to_dict(self) -> dict[str, Any]:
        """Return what `config.json` holds, with the stages by the names of the properties."""
        content = super().to_dict()
        content["out_features"] = content.pop("_out_features")
        content["out_indices"] = content.pop("_out_indices")
        return content

    @classmethod
    def from_dict(cls: type[BackboneConfigType], content: dict[str, Any], **overrides: Any) -> BackboneConfigType:
        """Build a configuration from what `to_dict` returns; a stage chosen by an argument replaces those chosen there."""
        if "out_features" in overrides or "out_indices" in overrides:
            content = {name: value for name, value in content.items() if name not in ("out_features", "out_indices")}
        return super().from_dict(content, **overrides)


class BackboneMixin(PreTrainedModel):
    """What a backbone has more than other models; it stands in front of the family's `...PreTrainedModel`.

    Attributes:
        num_features: number of channels of every stage's map, whether it is returned or not; `__init__` sets it.
    """

    config: BackboneConfigMixin
    num_features: list[int]

    @property
    def stage_names(self) -> list[str]:
        """The names of all stages."""
        return self.config.stage_names

    @property
    def out_features(self) -> list[str]:
        """Names of the stages whose maps are returned."""
        return self.config.out_features

    @out_features.setter
    def out_features(self, out_features: Sequence[str]) -> None:
        self.config.out_features = list(out_features)

    @property
    def out_indices(self) -> list[int]:
        """Indices of the stages whose maps are returned."""
        return self.config.out_indices

    @out_indices.setter
    def out_indices(self, out_indices: Sequence[int]) -> None:
        self.config.out_indices = list(out_indices)

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Number of channels of every stage's map, by the name of the stage."""
        return dict(zip(self.stage_names, self.num_features, strict=True))

    @property
    def channels(self) -> list[int]:
        """Number of channels of every map that is returned."""
        return [self.out_feature_channels[name] for name in self.out_features]
