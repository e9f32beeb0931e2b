"""The chain as a linear-Gaussian network: information that adds, evidence in any order, and the limit on a parent."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, positive, share


@dataclass(frozen=True, slots=True)
class Node:
    """v = intercept + sum(weight * parent) + N(0, noise_sd²), in the node's own unit."""

    name: str
    intercept: float
    parents: Mapping[str, float]
    noise_sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A joint normal: mean (k,) and covariance (k, k) over `names`; `log_evidence` of what has been conditioned on."""

    names: tuple[str, ...]
    mean: Array
    covariance: Array
    log_evidence: float = 0.0

    def sd(self) -> Array:
        """Marginal standard deviations (k,)."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def given(self, evidence: Mapping[str, float]) -> "Joint":
        """Condition on exact values; all at once or one after the other gives the same (statistics c.1)."""
        unknown = [name for name in evidence if name not in self.names]
        if unknown:
            raise NoAnswer("bad_input", f"There is no node {', '.join(unknown)}.")
        if not evidence:
            return self
        seen = [self.names.index(name) for name in evidence]
        free = [place for place in range(len(self.names)) if place not in seen]
        values = finite("evidence", list(evidence.values()))
        block = self.covariance[np.ix_(seen, seen)]
        gap = values - self.mean[seen]
        sign, log_size = np.linalg.slogdet(block)
        if sign <= 0:
            raise NoAnswer("not_identified", "The evidence repeats itself exactly: it has no density.")
        gain = np.linalg.solve(block, self.covariance[np.ix_(seen, free)]).T
        log_density = -0.5 * (float(gap @ np.linalg.solve(block, gap)) + log_size + len(seen) * math.log(2 * math.pi))
        return Joint(
            tuple(self.names[place] for place in free),
            self.mean[free] + gain @ gap,
            self.covariance[np.ix_(free, free)] - gain @ self.covariance[np.ix_(seen, free)],
            self.log_evidence + float(log_density),
        )

    def regress(self, child: str, parent: str) -> tuple[float, float, float]:
        """child given parent: intercept, slope, sd."""
        c, p = self.names.index(child), self.names.index(parent)
        if self.covariance[p, p] <= 0.0:
            raise NoAnswer("no_variation", f"{parent} does not vary.")
        slope = float(self.covariance[c, p] / self.covariance[p, p])
        left = float(self.covariance[c, c]) - slope * float(self.covariance[c, p])
        return float(self.mean[c]) - slope * float(self.mean[p]), slope, math.sqrt(max(left, 0.0))

    def parent_limit(self, child: str, parent: str, threshold: float, probability: float) -> float:
        """x with P(child >= threshold | parent = x) = probability; raises NoAnswer `no_finite_limit` on slope zero."""
        intercept, slope, sd = self.regress(child, parent)
        if abs(slope) < 1e-14 * max(abs(intercept), 1.0):
            raise NoAnswer("no_finite_limit", f"{child} does not depend on {parent}.")
        return (threshold + float(norm.ppf(share("probability", probability))) * sd - intercept) / slope


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """Precision matrix (k, k) and vector (k,): facts add, and can be taken out again (statistics c.1)."""

    names: tuple[str, ...]
    precision: Array
    vector: Array

    def add(self, row: Mapping[str, float], value: float, u: float, *, sign: float = 1.0) -> "Information":
        """A measurement row'v = value ± u; with sign -1 it is withdrawn."""
        positive("u", u)
        weights = np.array([row.get(name, 0.0) for name in self.names]) / u
        return Information(
            self.names, self.precision + sign * np.outer(weights, weights), self.vector + sign * weights * value / u
        )

    def joint(self) -> Joint:
        """Mean and covariance; raises NoAnswer `not_identified` while some node has no information."""
        values, vectors = np.linalg.eigh(self.precision)
        if values[0] <= 1e-13 * max(float(values[-1]), 1e-300):
            raise NoAnswer("not_identified", "Some node carries neither a prior nor a measurement.")
        covariance = (vectors / values) @ vectors.T
        return Joint(self.names, covariance @ self.vector, covariance)


def _ordered(nodes: Sequence[Node]) -> list[Node]:
    done: list[Node] = []
    known: set[str] = set()
    waiting = list(nodes)
    while waiting:
        ready = [node for node in waiting if set(node.parents) <= known]
        if not ready:
            raise NoAnswer("bad_input", "The nodes name a parent that does not exist, or go round in a circle.")
        done += ready
        known |= {node.name for node in ready}
        waiting = [node for node in waiting if node.name not in known]
    return done


def joint(nodes: Sequence[Node]) -> Joint:
    """mean = (I-B)⁻¹c, covariance = (I-B)⁻¹ D (I-B)⁻ᵀ, nodes as they came (Shachter & Kenley 1989)."""
    names = tuple(node.name for node in nodes)
    if len(set(names)) < len(names):
        raise NoAnswer("bad_input", "Two nodes have the same name.")
    reach = {node.name: np.zeros(len(nodes)) for node in nodes}
    mean: dict[str, float] = {}
    for node in _ordered(nodes):
        finite(node.name, [node.intercept, node.noise_sd, *node.parents.values()])
        if node.noise_sd < 0.0:
            raise NoAnswer("bad_input", f"{node.name} has a negative scatter.")
        own = np.zeros(len(nodes))
        own[names.index(node.name)] = node.noise_sd
        reach[node.name] = own + sum((w * reach[p] for p, w in node.parents.items()), np.zeros(len(nodes)))
        mean[node.name] = node.intercept + sum(w * mean[p] for p, w in node.parents.items())
    loads = np.array([reach[name] for name in names])
    return Joint(names, np.array([mean[name] for name in names]), loads @ loads.T)


def information(nodes: Sequence[Node]) -> Information:
    """The same network in information form; every node needs a scatter above zero."""
    names = tuple(node.name for node in nodes)
    total = Information(names, np.zeros((len(names), len(names))), np.zeros(len(names)))
    for node in nodes:
        row = {node.name: 1.0, **{parent: -weight for parent, weight in node.parents.items()}}
        total = total.add(row, node.intercept, node.noise_sd)
    return total
