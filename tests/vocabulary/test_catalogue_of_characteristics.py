"""The catalogue of characteristics and the prior table are whole, and speak the same language."""

import re

import pytest

from events.errors import Invalid
from events.vocabulary import characteristics, failure_modes, priors
from events.vocabulary.characteristics import CHARACTERISTICS
from events.vocabulary.covariates import COVARIATES
from events.vocabulary.units import convert, unit

LARGEST = {"M": 44, "G": 39, "A": 24, "P": 32}
"""Rows of each level in the dossier's section I."""


def test_every_row_of_the_dossier_is_there():
    ids = {row.catalogue_id for row in CHARACTERISTICS.values() if row.catalogue_id}
    assert ids == {f"{level}-{number:03d}" for level, last in LARGEST.items() for number in range(1, last + 1)}


@pytest.mark.parametrize("row", CHARACTERISTICS.values(), ids=lambda row: row.key)
def test_a_row_has_an_ascii_key_a_known_unit_and_a_resolution(row):
    assert re.fullmatch(r"(motor|magnet|alloy|process|sourcing)\.[A-Za-z0-9_]+", row.key)
    assert convert(1.0, row.unit, row.unit) == 1.0
    assert unit(row.unit).code == row.unit
    assert row.tick > 0.0
    assert row.value(row.ticks(row.origin + 37.0 * row.tick)) == pytest.approx(row.origin + 37.0 * row.tick)


PLAUSIBLE = {
    "motor.eta": (70, 99.9), "motor.Ke20": (1, 1000), "motor.psi_m20": (0.001, 1.0), "motor.dpsi_irr": (-5, 100),
    "motor.v": (0, 50), "motor.v_1x": (0, 50), "motor.D_ins": (0, 5), "magnet.Br": (1.0, 1.6),
    "magnet.HcJ": (800, 3000), "magnet.SQ": (0.5, 1), "alloy.Dy": (0, 12), "process.T_s": (900, 1200),
    "process.w_HRE": (0, 2), "magnet.kappa": (0.005, 0.012),
}  # fmt: skip


@pytest.mark.parametrize("key", PLAUSIBLE)
def test_plausible_values_stay_below_two_to_the_twentieth_of_ticks(key):
    row = characteristics.find(key)
    assert max(abs(row.ticks(value)) for value in PLAUSIBLE[key]) < 2**20


def test_conditions_have_a_frozen_resolution_too():
    assert (COVARIATES["magnet_temperature"].tick, COVARIATES["magnet_temperature"].origin) == (0.1, 20.0)
    assert COVARIATES["magnet_temperature"].ticks(83.24) == 632
    assert all(unit(row.unit).code == row.unit and abs(row.ticks(50_000.0)) < 2**20 for row in COVARIATES.values())


@pytest.mark.parametrize(
    ("wrong", "near"), [("magnet.Hcj", "magnet.HcJ"), ("HcJ", "magnet.HcJ"), ("alloy.Br", "magnet.Br")]
)
def test_an_unknown_key_is_refused_with_its_near_matches(wrong, near):
    with pytest.raises(Invalid, match=re.escape(near)):
        characteristics.find(wrong)


@pytest.mark.parametrize("alias", priors.PRINTED_ALIASES)
def test_a_printed_alias_is_never_accepted_and_names_a_known_key(alias):
    characteristics.find(priors.PRINTED_ALIASES[alias])
    with pytest.raises(Invalid):
        characteristics.find(alias)


def test_the_prior_table_is_whole():
    ids = [row.id for row in priors.PRIORS] + [row.id for row in priors.BY_DESIGN]
    assert sorted(ids) == [f"P{number:02d}" for number in range(1, 58)]


@pytest.mark.parametrize("row", priors.PRIORS, ids=lambda row: row.id)
def test_a_prior_joins_two_known_characteristics_and_says_how_well_it_is_known(row):
    assert characteristics.find(row.parent).key != characteristics.find(row.child).key
    assert row.sigma > 0.0 and row.mean != 0.0
    assert row.expected_sign == (1 if row.mean > 0 else -1)
    assert row.provenance
    assert (row.scale is not None) == (row.form == "saturating")
    assert row.valid_from is None or row.valid_to is None or row.valid_from < row.valid_to


@pytest.mark.parametrize("row", priors.BY_DESIGN, ids=lambda row: row.id)
def test_a_prior_of_the_design_joins_known_characteristics(row):
    assert characteristics.find(row.parent).key != characteristics.find(row.child).key
    assert (row.sigma is None) != (row.sigma_relative is None)


def test_suspects_of_failure_modes_are_characteristics():
    for mode in failure_modes.MODES.values():
        assert [characteristics.find(key).key for key in mode.suspects] == list(mode.suspects)


def test_only_the_named_failure_modes_may_reach_magnet_specifications_by_themselves():
    allowed = {code for code, mode in failure_modes.MODES.items() if mode.propagates}
    by_rule = {
        code
        for code in failure_modes.MODES
        if code.startswith(("FM-DEM-", "FM-MAG-")) or code in {"FM-ROT-UNB", "FM-NVH-COG", "FM-EFF-LOW"}
    }
    assert allowed == by_rule
    assert len(failure_modes.MODES) == 19
