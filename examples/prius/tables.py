"""The example's real tables, read from the package."""

import csv
from importlib.resources import files

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """The rows of a table in `data/` as text by column."""
    text = files("examples.prius").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def grade(name: str) -> dict[str, float]:
    """One magnet grade of the pyleecan table: B_r in T, recoil permeability, alpha in %/K, resistivity in uOhm.m.

    Raises KeyError when the table has no such grade.
    """
    for row in rows("pyleecan_magnet_grades"):
        if row["name"] == name:
            return {
                "Br_T": float(row["Brm20_T"]),
                "mu_rec": float(row["mur_lin"]),
                "alpha_pct_per_K": 100.0 * float(row["alpha_Br_per_K"]),
                "rho_e_uOhm_m": 1e6 * float(row["rho_ohm_m"]),
            }
    raise KeyError(name)


def design_value(parameter: str, column: str = "2004_prius") -> float:
    """One number of the design table, in the unit of its row. Raises KeyError when it is not there."""
    for row in rows("hev_motor_design"):
        if row["parameter"] == parameter:
            return float(row[column])
    raise KeyError(parameter)
