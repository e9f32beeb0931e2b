"""From lot effects and certified values to the limit on the magnet characteristic, by a line or by the thermal knee."""

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy import stats

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from projections.inference.chain import design as design_says
from projections.inference.chain import knee as knees
from projections.inference.chain import line as lines
from projections.inference.chain.limits import (
    Answer,
    Question,
    extrapolated,
    first_steps,
    safe_side,
    sentence,
    with_target,
)
from projections.inference.chain.line import Point, Prior
from projections.inference.chain.properties import Properties, at_temperature
from projections.inference.conclusions import Limit, LotModel, LotVerdict, Refusal, Step
from projections.inference.state import Plant
from projections.mathematics.physics.coercivity import at_20_kA_m, at_temperature_kA_m
from projections.mathematics.physics.design import Design

KNEE = frozenset({"motor.dpsi_irr", "motor.dpsi_sc"})
REFERENCE_Cel = 20.0
DESIGN_OVERRULED = "The design's coercivity and the lots contradict each other; the lots alone govern."
NO_COERCIVITY = Refusal(
    "no_finite_limit",
    "Even lots far above the knee lose too much flux: no coercivity would meet the requirement.",
    "The flat loss of good lots, by soaks of more motors.",
)


def magnet_limit(
    requirement: Requirement,
    characteristic: str,
    model: LotModel,
    verdicts: Sequence[LotVerdict],
    known: Properties,
    plant: Plant,
    design: Design,
    asked: Question,
    soak: tuple[float | None, float | None],
    policy: Policy,
) -> Answer:
    """The limit on this characteristic, or a refusal. `soak`: temperature (°C) and fault current (A) of exposure."""
    good = [item.lot for item in verdicts if item.verdict != "does_not_conform"]
    values = [known[lot][characteristic] for lot in good if characteristic in known.get(lot, {})]
    if requirement.metric in KNEE and soak[0] is not None:
        answer = _by_knee(requirement, characteristic, model, known, plant, design, asked, soak, policy)
    else:
        answer = _by_line(requirement, characteristic, model, known, plant, design, asked, policy)
    if answer.limit is None:
        return answer
    return replace(answer, limit=with_target(answer.limit, values, policy.capability_factor))


def _points(characteristic: str, model: LotModel, known: Properties) -> list[Point]:
    return [
        Point(effect.lot, found.value, found.u, effect.estimate, _own(effect.u, model.shared_u))
        for effect in model.effects
        if effect.estimate is not None and effect.u is not None
        and (found := known.get(effect.lot, {}).get(characteristic)) is not None
    ]  # fmt: skip


def _own(u: float, shared: float) -> float:
    """The part of an effect's error that the other lots do not share."""
    return math.sqrt(max(u * u - shared * shared, 0.01 * u * u))


def _by_line(
    requirement: Requirement,
    characteristic: str,
    model: LotModel,
    known: Properties,
    plant: Plant,
    design: Design,
    asked: Question,
    policy: Policy,
) -> Answer:
    points = _points(characteristic, model, known)
    if len(points) < 2:
        return Answer(None, _uncertified(characteristic, len(points)))
    level = sum(point.x for point in points) / len(points)
    metric = sum(point.y for point in points) / len(points)
    prior = design_says.slope_prior(requirement.metric, characteristic, design, plant.edges, metric, level)
    line = lines.fit(points, prior, model.shared_u, policy.conflict_probability)
    if line is None:
        return Answer(None, _slope_unknown(requirement, characteristic))
    numbers: dict[str, object] = {"model": "line, errors in both", **_line_numbers(line, prior)}
    wrong = _wrong_sign(line, prior, requirement.metric, characteristic)
    if wrong:
        return Answer(None, wrong, numbers)
    found = lines.invert(line, asked.limit, asked.sign, asked.share, asked.confidence, asked.scatter)
    strict = lines.invert(line, asked.limit, asked.sign, asked.strict, asked.confidence, asked.scatter)
    if found is None:
        return Answer(None, _slope_unknown(requirement, characteristic), numbers)
    numbers |= {"limit_at_limit_convention": strict, "limit_unrounded": found}
    side = "lower" if asked.sign * line.slope > 0 else "upper"
    unit = characteristics.find(characteristic).unit
    u = line.error(found) / abs(line.slope)
    steps = (*first_steps(requirement, model, asked), *_line_steps(line, prior, characteristic, model.unit, found, u))
    limit = Limit(
        characteristic, "lower" if side == "lower" else "upper", safe_side(found, side), u, unit,
        temperature_Cel=REFERENCE_Cel if characteristic in ("magnet.Br", "magnet.HcJ") else None,
        steps=(*steps, _other_convention(requirement, strict, unit)),
        priors=prior.refs if prior and line.basis != "data" else (),
        extrapolated=extrapolated(found, line.x_range, policy),
    )  # fmt: skip
    return Answer(replace(limit, why=sentence(limit, requirement, asked)), None, numbers, _conflict_note(line, prior))


def _by_knee(
    requirement: Requirement,
    characteristic: str,
    model: LotModel,
    known: Properties,
    plant: Plant,
    design: Design,
    asked: Question,
    soak: tuple[float | None, float | None],
    policy: Policy,
) -> Answer:
    temperature = soak[0] if soak[0] is not None else REFERENCE_Cel
    points = [
        _hot(point, plant, characteristic, temperature, policy) for point in _points(characteristic, model, known)
    ]
    if len(points) < 3:
        return Answer(None, _uncertified(characteristic, len(points)))
    prior = design_says.needed_coercivity(design, temperature, soak[1], policy)
    knee = knees.fit(points, prior, model.shared_u, policy.conflict_probability)
    hot = None if knee is None else knee.limit(asked.limit, asked.share, asked.confidence, asked.scatter)
    if knee is None or hot is None:
        return Answer(None, NO_COERCIVITY)
    strict = knee.limit(asked.limit, asked.strict, asked.confidence, asked.scatter)
    cold = at_20_kA_m(hot, temperature)
    factor = at_20_kA_m(hot + 0.5, temperature) - at_20_kA_m(hot - 0.5, temperature)
    u = knee.spread(asked.limit, asked.share, asked.scatter) * factor
    strict_20 = None if strict is None else at_20_kA_m(strict, temperature)
    numbers = _knee_numbers(knee, prior, temperature, hot, cold, strict_20)
    numbers["points"] = [[p.lot, p.x, p.ux, p.y, p.uy] for p in points]
    steps = _knee_steps(knee, prior, temperature, hot, cold, u)
    limit = Limit(
        characteristic, "lower", safe_side(cold, "lower"), u, "kA/m", temperature_Cel=REFERENCE_Cel,
        steps=(*first_steps(requirement, model, asked), *steps, _other_convention(requirement, strict_20, "kA/m")),
        extrapolated=extrapolated(hot, knee.x_range, policy),
    )  # fmt: skip
    note = (DESIGN_OVERRULED,) if prior and knee.basis == "data" else ()
    return Answer(replace(limit, why=sentence(limit, requirement, asked)), None, numbers, note)


def _knee_numbers(
    knee: knees.Knee, prior: Prior | None, temperature: float, hot: float, cold: float, strict: float | None
) -> dict[str, object]:
    return {
        "model": "flat loss with a knee, errors in both", "knee_kA_m": knee.position, "knee_u_kA_m": knee.u,
        "slope_pct_per_kA_m": knee.slope, "basis": knee.basis, "conflict_probability": knee.conflict,
        "prior_kA_m": prior and prior.mean, "prior_u_kA_m": prior and prior.sigma, "temperature_Cel": temperature,
        "limit_at_temperature": hot, "limit_unrounded": cold, "limit_at_limit_convention": strict,
    }  # fmt: skip


def _hot(point: Point, plant: Plant, characteristic: str, temperature: float, policy: Policy) -> Point:
    """The lot's coercivity at the soak temperature: measured there, else restated from 20 °C."""
    own = at_temperature(
        plant.measurements, point.lot, characteristic, temperature, policy.certificate_uncertainty_relative
    )
    if own is not None:
        return replace(point, x=own.value, ux=own.u)
    hot = at_temperature_kA_m(point.x, temperature)
    slope = at_temperature_kA_m(point.x + 0.5, temperature) - at_temperature_kA_m(point.x - 0.5, temperature)
    return replace(point, x=hot, ux=abs(slope) * point.ux)


def _knee_steps(
    knee: knees.Knee, prior: Prior | None, temperature: float, hot: float, cold: float, u: float
) -> tuple[Step, ...]:
    return (
        *((Step("coercivity needed by design", prior.mean, prior.sigma, "kA/m", prior.source),) if prior else ()),
        Step(
            f"knee of flux loss at {temperature:g} °C", knee.position, knee.u, "kA/m", f"{knee.basis}, {knee.lots} lots"
        ),
        Step("loss beyond the knee", knee.slope, None, "% per kA/m", f"{knee.basis}"),
        Step(f"limit at {temperature:g} °C", hot, None, "kA/m", "inverted at the asked share and confidence"),
        Step(
            "limit restated at 20 °C", cold, u, "kA/m", "H_cJ(20) = H_cJ(T)·exp(kappa·(T − 20)), kappa of domain.md B.2"
        ),
    )


def _line_steps(
    line: lines.Line, prior: Prior | None, characteristic: str, metric_unit: str, found: float, u: float
) -> tuple[Step, ...]:
    unit = characteristics.find(characteristic).unit
    per = f"{metric_unit} per {unit}"
    return (
        *((Step("slope expected beforehand", prior.mean, prior.sigma, per, prior.source),) if prior else ()),
        *((Step("slope by the lots alone", line.data_slope, line.data_u, per, f"{line.lots} lots"),)
          if line.data_slope is not None else ()),
        Step("slope used", line.slope, line.u_slope, per, line.basis),
        Step("metric at the lots' centre", line.y0, line.u0, metric_unit, f"at {line.x0:.6g} {unit}"),
        Step("scatter of lots around the line", line.extra, None, metric_unit, "beyond their errors"),
        Step("limit on the true value", found, u, unit, "inverted at the asked share and confidence"),
    )  # fmt: skip


def _line_numbers(line: lines.Line, prior: Prior | None) -> dict[str, object]:
    return {
        "x0": line.x0, "y0": line.y0, "u0": line.u0, "slope": line.slope, "u_slope": line.u_slope,
        "data_slope": line.data_slope, "data_u": line.data_u, "prior_slope": prior and prior.mean,
        "prior_u": prior and prior.sigma, "conflict_probability": line.conflict, "basis": line.basis,
        "scatter_of_lots": line.extra, "lots": line.lots, "range": list(line.x_range),
    }  # fmt: skip


def _other_convention(requirement: Requirement, strict: float | None, unit: str) -> Step:
    other = "a lot exactly at the limit conforms with p" if requirement.convention == "supply" else "the same, at limit"
    return Step("limit by the at-limit convention, beside it", strict, None, unit, other)


def _conflict_note(line: lines.Line, prior: Prior | None) -> tuple[str, ...]:
    if prior is None or line.basis != "data":
        return ()
    return (
        f"The slope expected beforehand ({prior.mean:.4g} ± {prior.sigma:.2g}) and the lots' ({line.data_slope:.4g} ± "
        f"{line.data_u:.2g}) contradict each other (p = {line.conflict:.1e}); the lots alone govern.",
    )


def _wrong_sign(line: lines.Line, prior: Prior | None, metric: str, characteristic: str) -> Refusal | None:
    """A slope against physics is a data alarm, not a discovery (domain.md E.6)."""
    directions = [characteristics.find(key).direction for key in (metric, characteristic)]
    expected = math.copysign(1.0, prior.mean) if prior else {True: 1.0, False: -1.0}[directions[0] == directions[1]]
    if prior is None and "target" in directions:
        return None
    wrong = float(stats.norm.cdf(0.0, expected * line.slope, max(line.u_slope, 1e-300)))
    if wrong < 0.5:
        return None
    return Refusal(
        "wrong_sign",
        f"The lots say that {metric} moves with {characteristic} against physics (slope {line.slope:.4g}); "
        "this is an alarm about the data, and no limit follows.",
        f"Re-measure {characteristic} of the lots at both ends.",
    )


def _uncertified(characteristic: str, lots: int) -> Refusal:
    return Refusal(
        "too_few_certificates",
        f"{characteristic} is certified for {lots} of the judged lots: too few for a limit.",
        f"Certificates of {characteristics.find(characteristic).name} for the judged lots.",
    )


def _slope_unknown(requirement: Requirement, characteristic: str) -> Refusal:
    return Refusal(
        "slope_not_shown",
        f"How {requirement.metric} depends on {characteristic} is not known well enough for a limit.",
        f"Motors from lots that differ more in {characteristic}.",
    )
