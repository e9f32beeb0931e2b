"""The named ways in which the mathematics declines to answer, and the checks of what it is given."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from events.errors import DomainError

Array = NDArray[np.float64]

Code = Literal[
    "bad_input",
    "too_few",
    "too_few_levels",
    "not_estimable",
    "ill_conditioned",
    "no_variation",
    "no_finite_limit",
    "no_limit_needed",
    "no_supply_qualifies",
    "no_rate",
    "not_identified",
    "did_not_converge",
    "too_dense",
]


class NoAnswer(DomainError):
    """The data do not carry what was asked for: `code` names the reason, `detail` says it in one sentence."""

    def __init__(self, code: Code, detail: str, **facts: Any) -> None:
        super().__init__(detail, code=code, **facts)
        self.code: Code = code


def finite(name: str, values: ArrayLike, *, least: int = 0) -> Array:
    """The values as float64; raises NoAnswer `bad_input` on NaN or infinity, `too_few` on fewer than `least`."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise NoAnswer("bad_input", f"{name} holds a value that is not a finite number; leave it out or correct it.")
    if array.size < least:
        raise NoAnswer("too_few", f"{name} holds {array.size} values; at least {least} are needed.", n=int(array.size))
    return array


def positive(name: str, values: ArrayLike) -> Array:
    """The values as float64; raises NoAnswer `bad_input` unless every one is finite and above zero."""
    array = finite(name, values)
    if (array <= 0).any():
        raise NoAnswer("bad_input", f"{name} holds a value that is not above zero.")
    return array


def share(name: str, value: float) -> float:
    """A probability strictly between 0 and 1, else NoAnswer `bad_input`."""
    if not 0.0 < value < 1.0:
        raise NoAnswer("bad_input", f"{name} is {value}; it must lie between 0 and 1.")
    return float(value)


def same_length(**columns: Sequence[Any] | Array) -> None:
    """Raises NoAnswer `bad_input` unless all columns are equally long."""
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise NoAnswer("bad_input", f"Columns of different length: {sizes}.")
