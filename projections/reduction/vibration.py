"""Velocity series become the r.m.s. in a band, and coast-downs the once-per-turn force, magnetic and mass (A.5)."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from projections.mathematics.answers import Array, NoAnswer, finite, positive, same_length
from projections.reduction.estimate import Estimate, combined

Phasors = NDArray[np.complex128]
SEGMENT_PERIODS = 10.0
"""Length of a segment in periods of the lower band edge: fine enough to keep the edge sharp."""


def band_rms(
    velocity_mm_s: ArrayLike, rate_Hz: float, low_Hz: float = 10.0, high_Hz: float = 1000.0, relative_u: float = 0.0
) -> Estimate:
    """R.m.s. velocity in mm/s in the band, by averaged Hann spectra at half overlap (Welch 1967).

    u combines the scatter of the segments' powers, worth 18n²/(19n − 1) independent ones, with the transducer's
    relative u. Raises NoAnswer `bad_input` where the rate is below twice the upper edge, `too_few` for a record
    shorter than three segments of ten periods of the lower edge.
    """
    series = finite("velocity", velocity_mm_s)
    if not 0.0 < low_Hz < high_Hz <= rate_Hz / 2.0:
        raise NoAnswer("bad_input", f"{rate_Hz:g} samples/s do not carry a band of {low_Hz:g} to {high_Hz:g} Hz.")
    powers = _segment_powers(series, rate_Hz, low_Hz, high_Hz)
    n = len(powers)
    power = float(powers.mean())
    rms = math.sqrt(power)
    spread = float(powers.std(ddof=1)) / math.sqrt(18.0 * n * n / (19.0 * n - 1.0))
    scatter = spread / (2.0 * rms) if rms > 0.0 else 0.0
    return Estimate(rms, combined(scatter, relative_u * rms), "mm/s")


def _segment_powers(series: Array, rate_Hz: float, low_Hz: float, high_Hz: float) -> Array:
    length = math.ceil(SEGMENT_PERIODS / low_Hz * rate_Hz)
    starts = range(0, len(series) - length + 1, max(length // 2, 1))
    if len(starts) < 3:
        raise NoAnswer("too_few", f"The record is too short: give at least {2.0 * length / rate_Hz:.3g} s of it.")
    window = np.hanning(length + 1)[:-1]
    scale = 2.0 / (length * float(window @ window))
    frequency = np.fft.rfftfreq(length, 1.0 / rate_Hz)
    inside = (frequency >= low_Hz) & (frequency <= high_Hz)
    weights = np.where(frequency == rate_Hz / 2.0, 0.5, 1.0)[inside]
    found = [np.abs(np.fft.rfft(window * series[at : at + length])[inside]) ** 2 @ weights for at in starts]
    return np.asarray(found) * scale


@dataclass(frozen=True, slots=True)
class Order:
    """One order over pieces of a run: speed in /min, and the phasor (peak, in the series' unit) with its u."""

    speed_rpm: Array
    phasor: Phasors
    u: Array


def order(signal: ArrayLike, angle_rad: ArrayLike, rate_Hz: float, multiple: float = 1.0, turns: int = 8) -> Order:
    """The order over whole numbers of turns, by least squares on cos, sin and a constant against the shaft angle.

    The angle is unwrapped and rises. Pieces are `turns` long; u is from each piece's residual. Raises NoAnswer
    `too_few` with less than one piece, `bad_input` for an angle that does not rise.
    """
    values, angle = finite("signal", signal), finite("angle", angle_rad)
    same_length(signal=values, angle=angle)
    if len(angle) < 2 or (np.diff(angle) <= 0.0).any():
        raise NoAnswer("bad_input", "The shaft angle must rise from sample to sample; unwrap it first.")
    edges = np.arange(angle[0], angle[-1] + 1e-9, 2.0 * math.pi * turns)
    cuts = np.searchsorted(angle, edges)
    pieces = [(a, b) for a, b in pairwise(cuts) if b - a > 8]
    if not pieces:
        raise NoAnswer("too_few", f"The run holds less than {turns} turns.")
    fits = [_fit_order(values[a:b], multiple * angle[a:b]) for a, b in pieces]
    speeds = [(angle[b - 1] - angle[a]) / (b - 1 - a) * rate_Hz * 30.0 / math.pi for a, b in pieces]
    return Order(np.asarray(speeds), np.asarray([fit[0] for fit in fits]), np.asarray([fit[1] for fit in fits]))


def _fit_order(values: Array, angle: Array) -> tuple[complex, float]:
    """The phasor c of Re(c·e^(i·angle)), and the standard uncertainty of each of its parts."""
    columns = np.stack([np.cos(angle), -np.sin(angle), np.ones_like(angle)], axis=1)
    found, *_ = np.linalg.lstsq(columns, values, rcond=None)
    left = values - columns @ found
    s2 = float(left @ left) / (len(values) - 3)
    covariance = s2 * np.linalg.inv(columns.T @ columns)
    return complex(found[0], found[1]), math.sqrt(0.5 * float(covariance[0, 0] + covariance[1, 1]))


@dataclass(frozen=True, slots=True)
class CoastDown:
    """The part of a 1x force that does not depend on speed (magnetic, N) and the one that goes with n² (mass, g·mm)."""

    magnetic: Estimate
    unbalance: Estimate


def force_of_velocity(found: Order, machine_mass_kg: float) -> Order:
    """The 1x force in N (peak) that moves a freely suspended machine: F = i·omega·M·v, v in mm/s."""
    positive("machine mass", machine_mass_kg)
    omega = found.speed_rpm * math.pi / 30.0
    factor = omega * machine_mass_kg * 1e-3
    return Order(found.speed_rpm, 1j * factor * found.phasor, factor * found.u)


def coast_down(force: Order) -> CoastDown:
    """Regress the 1x force phasor on n²: the intercept is magnetic, the slope is mass (A.5).

    Phasors, not amplitudes: the two parts seldom point the same way. Weighted by 1/u²; u are scaled up where the
    points scatter more than they say. Raises NoAnswer `too_few` below four pieces, `no_variation` where the speed
    stays within a fifth, `bad_input` for a piece without uncertainty.
    """
    speed, u = positive("speed", force.speed_rpm), positive("uncertainty of the pieces", force.u)
    if len(speed) < 4:
        raise NoAnswer("too_few", f"A coast-down of {len(speed)} pieces does not part force from mass; give four.")
    if float(speed.max()) < 1.2 * float(speed.min()):
        raise NoAnswer("no_variation", "The speed hardly changed: let the machine coast down further.")
    omega2 = (speed * math.pi / 30.0) ** 2
    columns = np.stack([np.ones_like(omega2), omega2 / float(omega2.mean())], axis=1)
    weights = 1.0 / u**2
    covariance = np.linalg.inv((columns * weights[:, None]).T @ columns)
    found = covariance @ ((columns * weights[:, None]).T @ force.phasor)
    left = force.phasor - columns @ found
    spread = float((weights * np.abs(left) ** 2).sum()) / (2.0 * (len(speed) - 2))
    errors = np.sqrt(np.diag(covariance) * max(spread, 1.0))
    to_mass = 1e6 / float(omega2.mean())
    return CoastDown(
        Estimate(float(abs(found[0])), float(errors[0]), "N"),
        Estimate(float(abs(found[1])) * to_mass, float(errors[1]) * to_mass, "g.mm"),
    )
