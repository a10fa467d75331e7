"""HDF5 files, as Keras writes them (`.h5`, `.weights.h5`, and inside of `.keras`): each data set is a weight, by its path."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from add_model.errors import AddModelError
from add_model.extras import install_command
from add_model.porting.checkpoints.archive import open_archive
from add_model.porting.checkpoints.formats import MOST_WEIGHTS, Weight, WeightsFile

MAGIC = b"\x89HDF"
ARCHIVE_SUFFIX = ".keras"
_IN_ARCHIVE = "model.weights.h5"
_DEEPEST = 64
_DAMAGED = (KeyError, OSError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile)


class Hdf5File(WeightsFile):
    """An HDF5 file; a data set is read when it is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._archive: Any = None
        self._entries = 0
        self._reopen()
        try:
            self.weights = {name: self._weight(name, data) for name, data in self._data_sets(self._file)}
        except _DAMAGED as error:
            raise AddModelError(f"{path}: is no whole HDF5 file ({error}); write or fetch it again") from error

    def _data_sets(self, group: Any, before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
        """The data sets of the file itself: no link leads out of it, and none to what is around it."""
        import h5py

        if depth > _DEEPEST:
            raise ValueError("groups within groups")
        for key in group:
            # A group may be in itself, by several names.
            self._entries += 1
            if self._entries > MOST_WEIGHTS:
                raise ValueError("more entries than any model has")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            entry, name = group[key], f"{before}{key}"
            if isinstance(entry, h5py.Group):
                yield from self._data_sets(entry, f"{name}/", depth + 1)
            # What lies in other files is not read.
            elif isinstance(entry, h5py.Dataset) and entry.external is None and not entry.is_virtual:
                yield name, entry

    def _weight(self, name: str, data: Any) -> Weight:
        import numpy

        if data.dtype.kind not in "fiub":
            raise AddModelError(f"{self.path}: {name} is of type {data.dtype}, which is not supported; save its weights alone")  # fmt: skip
        dtype = torch.from_numpy(numpy.empty(0, data.dtype.newbyteorder("="))).dtype
        return Weight(tuple(data.shape), dtype)

    def _read(self, name: str) -> torch.Tensor:
        import numpy

        weight = self.weights[name]
        if math.prod(weight.shape) == 0:
            return torch.empty(weight.shape, dtype=weight.dtype)
        try:
            values = numpy.asarray(self._file[name][()])
        except _DAMAGED as error:
            raise AddModelError(f"{self.path}: {name} is damaged ({error}); write or fetch the file again") from error
        return torch.from_numpy(values.astype(values.dtype.newbyteorder("="), copy=False))

    def release(self) -> None:
        # What was read is nobody's but the reader's.
        self._touched = 0

    def _reopen(self) -> None:
        try:
            import h5py
        except ModuleNotFoundError as error:
            raise AddModelError(f"{self.path}: is an HDF5 file (Keras), which takes h5py to read; install it: {install_command('formats')}") from error  # fmt: skip

        try:
            if self.path.suffix == ARCHIVE_SUFFIX:
                self._archive = open_archive(self.path)
                self._file: Any = h5py.File(self._archive.open(_IN_ARCHIVE), "r")
            else:
                self._file = h5py.File(self.path, "r")
        except _DAMAGED as error:
            raise AddModelError(f"{self.path}: is no whole file of Keras ({error}); write or fetch it again") from error  # fmt: skip

    def close(self) -> None:
        self._file.close()
        if self._archive is not None:
            self._archive.close()
