"""E-values, multiple tests, online false discovery, planned looks, charts and run lengths."""

import math
from collections.abc import Callable

from projections.mathematics.alarms import charts, evalues, multiple, online, sequential
from tests.reference.reading import Answers, Case, formula


def e_values(case: Case) -> Answers:
    """The mixture e-process by its running state, its confidence sequence, and e-BH."""
    p = case.params
    table = case.other("x")
    answers: Answers = {}
    if table is not None:
        state, mean, m2 = evalues.Evidence(), 0.0, 0.0
        known, unknown, low, high = [], [], [], []
        for x in table.number("x"):
            state = state.add(x)
            delta = x - mean
            mean += delta / state.n
            m2 += delta * (x - mean)
            known.append(math.exp(evalues.log_z_mixture(state.n, state.total, p["rho2"])))
            ends = evalues.confidence_sequence(state.n, state.total / state.n, p["rho2"], p["alpha"])
            low.append(ends[0])
            high.append(ends[1])
            if state.n >= 2:
                unknown.append(math.exp(evalues.log_t_mixture(state.n, mean, m2, p["g"])))
        first = next((k for k, e in enumerate(known, 1) if e >= 1.0 / p["alpha"]), None)
        answers |= {
            "z_mixture_e": known, "first_crossing_1_over_alpha": first, "confidence_sequence_lower": low,
            "confidence_sequence_upper": high, "t_mixture_e_from_2": unknown,
        }  # fmt: skip
    listed = case.other("e")
    if listed is not None:
        found = evalues.e_bh(listed.number("e"), p["alpha"])
        answers |= {
            "ebh.n_rejected": sum(found.rejected), "ebh.rejected": [int(flag) for flag in found.rejected],
            "ebh.threshold": found.threshold,
        }  # fmt: skip
    return answers


def multiple_tests(case: Case) -> Answers:
    """Adjusted p values in input order."""
    answers: Answers = {}
    for name in case.params["methods"]:
        adjusted = multiple.METHODS[name](case.table().number("p"))
        answers |= {
            f"{name}.adjusted_p": adjusted.tolist(),
            f"{name}.rejections": int((adjusted <= case.params["alpha"]).sum()),
        }
    return answers


def online_fdr(case: Case) -> Answers:
    """One p value after the other; gamma and wealth as the parameters state them."""
    p = case.params
    alpha = p["alpha"]

    def gamma(text: str) -> online.Spending:
        return lambda t: formula(text, t=float(t))

    def wealth(name: str) -> float:
        stated = p[name]["w0"]
        return formula(stated, alpha=alpha) if isinstance(stated, str) else float(stated)

    g1, g2 = gamma(p["gamma1"]), gamma(p["gamma2"])
    steps: dict[str, Callable[[online.State, float], tuple[online.State, online.Taken]]] = {
        "lond": lambda s, x: online.lond(s, x, alpha, g1),
        "lordpp": lambda s, x: online.lord_plus_plus(s, x, alpha, g1, wealth("lordpp")),
        "saffron": lambda s, x: online.saffron(s, x, alpha, g2, wealth("saffron"), p["saffron"]["lambda"]),
        "addis": lambda s, x: online.addis(
            s, x, alpha, g2, wealth("addis"), p["addis"]["lambda"], p["addis"]["tau"]
        ),
    }  # fmt: skip
    answers: Answers = {}
    for name in p["methods"]:
        state, taken = online.State(), []
        for value in case.table().number("p"):
            state, one = steps[name](state, value)
            taken.append(one)
        answers |= {
            f"{name}.alpha_t": [one.level for one in taken], f"{name}.rejected": [int(one.rejected) for one in taken],
            f"{name}.n_rejected": sum(one.rejected for one in taken),
        }  # fmt: skip
    return answers


def group_sequential(case: Case) -> Answers:
    """Constants and spending bounds at the stated information fractions."""
    p = case.params
    t, alpha, sides = p["information_fractions"], p["alpha"], p["sides"]
    fleming, pocock = sequential.obrien_fleming(t, alpha, sides), sequential.pocock(t, alpha, sides)
    return {
        "obrien_fleming_constant": fleming[-1] * math.sqrt(t[-1]), "obrien_fleming_z": fleming,
        "pocock_constant": pocock[0],
        "lan_demets_obf_z": sequential.spending(t, alpha, sequential.spend_obrien_fleming, sides),
        "lan_demets_pocock_z": sequential.spending(t, alpha, sequential.spend_pocock, sides),
    }  # fmt: skip


def ewma(case: Case) -> Answers:
    """The recursion and both forms of its limits."""
    p = case.params
    chart = charts.Ewma.start(p["lambda"], p["target"])
    values, exact, signals = [], [], []
    low, high = chart.limits(p["s"], p["L"])
    for x in case.table().number("x"):
        chart = chart.add(x)
        values.append(chart.z)
        exact.append(chart.limits(p["s"], p["L"], asymptotic=False)[1])
        if not low <= chart.z <= high:
            signals.append(chart.t)
    return {
        "ewma": values, "ucl_asymptotic": high, "lcl_asymptotic": low, "ucl_exact_by_t": exact,
        "signals_asymptotic_limits": signals,
    }  # fmt: skip


def cusum(case: Case) -> Answers:
    """Both sums and the first signal."""
    p = case.params
    states, first = charts.run(charts.Cusum(p["target"], p["k"], p["h"]), case.table().number("x"))
    return {"s_hi": [s.high for s in states], "s_lo": [s.low for s in states], "first_signal": first}


def run_length(case: Case) -> Answers:
    """One chart and shift a row."""
    table = case.table(case.params.get("charts_in"))
    answers: Answers = {}
    for number in range(len(table)):
        row = table.row(number)
        numbers = float(row["p1"]), float(row["p2"]), float(row["shift_sd"])
        if row["chart"] == "ewma":
            answers[f"ewma_lambda{row['p1']}_L{row['p2']}_shift{row['shift_sd']}"] = charts.ewma_arl(*numbers)
        else:
            answers[f"cusum_k{row['p1']}_h{row['p2']}_shift{row['shift_sd']}"] = charts.cusum_arl(*numbers)
    return answers
