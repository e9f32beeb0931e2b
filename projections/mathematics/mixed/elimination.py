"""Solving with I + T Z'Z T of the largest family: diagonal, banded or dense."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cho_solve_banded, cholesky_banded, lapack
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from projections.mathematics.answers import Array, NoAnswer

WIDEST_BAND = 3000
"""Above this bandwidth a banded factor of 10⁴ lots would not fit in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """Z'Z of one family of q levels: `band` (w+1, q) in lower form after `order` (q,), or dense `blocks` of islands.

    A block is the levels that share motors with each other and their Z'Z; levels of different blocks share none.
    """

    order: NDArray[np.intp]
    band: Array
    blocks: tuple[tuple[NDArray[np.intp], Array], ...] = ()

    @property
    def size(self) -> int:
        """The number of levels q."""
        return len(self.order)

    @classmethod
    def of(cls, gram: csr_array) -> "Gram":
        """Reorder by reverse Cuthill-McKee: lots that never share a motor fall into separate blocks (a.6)."""
        size = gram.shape[0]
        entries = gram.tocoo()
        rows, columns = entries.coords
        if (rows == columns).all():
            return cls(np.arange(size), gram.diagonal()[None, :])
        order = reverse_cuthill_mckee(csr_array(gram), symmetric_mode=True).astype(np.intp)
        place = np.empty(size, dtype=np.intp)
        place[order] = np.arange(size)
        low, high = np.maximum(place[rows], place[columns]), np.minimum(place[rows], place[columns])
        width = int((low - high).max())
        islands = _islands(gram)
        if sum(len(island) ** 3 for island in islands) < 3 * size * width**2 and max(map(len, islands)) <= WIDEST_BAND:
            cut = csr_array(gram)
            return cls(np.arange(size), np.zeros((1, 0)), tuple((i, cut[i][:, i].toarray()) for i in islands))
        if width > WIDEST_BAND:
            raise NoAnswer(
                "too_dense", f"Lots are mixed so widely that blocks of {width} lots would have to be solved."
            )
        band = np.zeros((width + 1, size))
        half = place[rows] >= place[columns]
        band[low[half] - high[half], high[half]] = entries.data[half]
        return cls(order, band)


def _islands(gram: csr_array) -> list[NDArray[np.intp]]:
    """Levels that share a motor, directly or through others."""
    count, label = connected_components(csr_array(gram), directed=False)
    order = np.argsort(label, kind="stable").astype(np.intp)
    return [np.asarray(part) for part in np.split(order, np.searchsorted(label[order], np.arange(1, count)))]


class Factor:
    """The Cholesky factor of I + t² Z'Z: solves, log-determinant and the diagonal of the inverse."""

    def __init__(self, gram: Gram, t: float) -> None:
        self.gram = gram
        self._blocks: list[Array] = []
        if gram.blocks:
            self._blocks = [cho_factor(t * t * part + np.eye(len(part)), lower=True)[0] for _, part in gram.blocks]
            pivots = np.concatenate([np.diag(part) for part in self._blocks])
        else:
            band = t * t * gram.band
            band[0] += 1.0
            self._band = np.sqrt(band) if len(band) == 1 else cholesky_banded(band, lower=True)
            pivots = self._band[0]
        self.log_determinant = 2.0 * float(np.log(pivots).sum())

    def solve(self, right: Array) -> Array:
        """(I + t² Z'Z)⁻¹ right, with rows in the family's own order; right (q, m)."""
        answer = np.empty_like(right)
        for (place, _), lower in zip(self.gram.blocks, self._blocks, strict=True):
            answer[place] = cho_solve((lower, True), right[place])
        if self.gram.blocks:
            return answer
        if len(self._band) == 1:
            return np.asarray(right / (self._band[0] ** 2)[:, None])
        answer[self.gram.order] = cho_solve_banded((self._band, True), right[self.gram.order])
        return answer

    def inverse_diagonal(self) -> Array:
        """The diagonal of the inverse (q,), by Takahashi's recursion inside the band."""
        diagonal = np.empty(self.gram.size)
        for (place, _), lower in zip(self.gram.blocks, self._blocks, strict=True):
            diagonal[place] = np.diag(lapack.dpotri(lower, lower=1)[0])
        if self.gram.blocks:
            return diagonal
        if len(self._band) == 1:
            return np.asarray(1.0 / self._band[0] ** 2)
        diagonal[self.gram.order] = _selected_inverse(self._band)
        return diagonal


def _selected_inverse(band: Array) -> Array:
    """Diagonal of (L L')⁻¹ for L in lower band form, from the last column backwards (Takahashi 1973)."""
    width, size = band.shape[0] - 1, band.shape[1]
    window = np.zeros((width, width))
    diagonal = np.empty(size)
    for column in range(size - 1, -1, -1):
        pivot = band[0, column]
        below = band[1:, column] / pivot
        beside = -window @ below
        diagonal[column] = 1.0 / pivot**2 - below @ beside
        window[1:, 1:] = window[:-1, :-1].copy()
        window[0, 0] = diagonal[column]
        window[0, 1:] = window[1:, 0] = beside[:-1]
    return diagonal
