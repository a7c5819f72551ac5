"""Results of different packages in one form, so that they can be compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import wirearray as wa
from numpy.typing import NDArray

Array = NDArray[Any]


def flat(column: Any) -> Array:
    """A column as one array; strings as their bytes and lengths behind each other."""
    if isinstance(column, np.ndarray):
        return column
    if isinstance(column, Text | wa.Strings):
        return np.concatenate([column.data.astype(np.int64), column.lengths])
    if column and isinstance(column[0], str):
        return flat(Text.of([item.encode() for item in column]))
    return np.concatenate(column)


@dataclass
class Text:
    """Strings as bytes behind each other and their lengths: what every columnar package keeps."""

    data: NDArray[np.uint8]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, items: list[bytes]) -> "Text":
        return cls(np.frombuffer(b"".join(items), np.uint8), np.array([len(item) for item in items], np.int64))

    @property
    def nbytes(self) -> int:
        return self.data.nbytes + self.lengths.nbytes

    def parts(self) -> tuple[Array, Array]:
        return self.data, self.lengths

    def strings(self) -> list[str]:
        whole, ends = self.data.tobytes().decode("ascii"), np.cumsum(self.lengths)
        return [whole[start:end] for start, end in zip((ends - self.lengths).tolist(), ends.tolist(), strict=True)]
