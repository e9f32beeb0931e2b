"""Certificates: the measurements in force of a lot, corrected, replaced, inspected, processed."""

from projections.folds.certificates import CERTIFICATES, LotMeasurement
from tests.folds.dictionaries import fold_all, state_digest
from tests.folds.plants import at, event, recorded, ref


def reading(value, key="magnet.HcJ", unit="kA/m", **more):
    return {"characteristic": key, "value": {"value": value, "unit": unit, "u": 10}, **more}


def certificate(id, *readings, hour=1, name="C1", correct=False, **more):
    data = {"lot": ref("a"), "certificate": name, "laboratory": ref("lab"), "method": "IEC 60404-5", **more}
    kind = "lots.certificate_corrected" if correct else "lots.lot_certified"
    reason = {"reason": "Wrong column."} if correct else {}
    return event(kind, id, hour, {**data, **reason, "measurements": list(readings)})


def process(id, *readings, stage="sinter", hour=1, performed=1):
    data = {"lot": ref("a"), "stage": stage, "performed_at": at(performed), "parameters": list(readings)}
    return event("lots.process_recorded", id, hour, data)


def fold(*posted):
    return fold_all(CERTIFICATES, recorded(posted))


def rows_of(*posted):
    found = fold(*posted).tables[LotMeasurement].values()
    return sorted(found, key=lambda row: (row.kind, row.document, row.characteristic, row.number))


def values(*posted):
    return [row.value for row in rows_of(*posted)]


def test_a_measurement_is_kept_in_its_canonical_unit_with_its_uncertainty_and_temperature():
    kelvin = {"value": 423.15, "unit": "K"}
    hot = {"characteristic": "magnet.HcJ", "value": {"value": 10, "unit": "kOe", "u": 0.1}, "temperature": kelvin}
    (row,) = rows_of(certificate("1", hot | {"n": 5, "statistic": "minimum"}))
    assert (row.lot, row.kind, row.document, row.statistic, row.n) == ("works:a", "certificate", "C1", "minimum", 5)
    assert abs(row.value - 795.77) < 0.01 and abs(row.u - 7.96) < 0.01 and row.unit == "kA/m"
    assert row.temperature_Cel == 150.0 and row.laboratory == "works:lab"


def test_a_corrected_certificate_replaces_the_whole_of_it_and_the_latest_holds():
    first = certificate("1", reading(1700), reading(1.3, "magnet.Br", "T"))
    second = certificate("2", reading(1650), hour=5, correct=True)
    third = certificate("3", reading(1640), hour=4, correct=True)
    for posted in ((first, second, third), (third, second, first)):
        assert values(*posted) == [1650.0]
        assert rows_of(*posted)[0].corrected and not rows_of(*posted)[0].conflict


def test_certificates_of_other_names_stand_beside_it():
    assert values(certificate("1", reading(1700)), certificate("2", reading(1500), name="C2")) == [1700.0, 1500.0]


def test_two_certificates_of_one_name_are_a_shown_conflict_and_the_lower_holds():
    (row,) = rows_of(certificate("b", reading(1700)), certificate("a", reading(1600)))
    assert (row.value, row.conflict, row.event_id) == (1600.0, True, "a")


def test_a_replaced_certificate_is_as_if_it_had_never_been():
    right = certificate("2", reading(1600), replaces={"source": "/plant", "id": "1"})
    rows = fold(right, certificate("1", reading(1700), reading(1.3, "magnet.Br", "T")))
    assert state_digest(rows) == state_digest(fold(certificate("2", reading(1600))))


def test_an_inspection_and_a_process_record_stand_beside_the_certificate():
    inspected = {"lot": ref("a"), "laboratory": ref("own"), "method": "IEC 60404-5", "measurements": [reading(1690)]}
    rows = rows_of(
        certificate("1", reading(1700)),
        event("lots.incoming_inspected", "2", 3, inspected),
        process("3", reading(1060, "process.T_s", "Cel")),
    )
    assert [(row.kind, row.value, row.stage) for row in rows] == [
        ("certificate", 1700.0, None), ("inspection", 1690.0, None), ("process", 1060.0, "sinter"),
    ]  # fmt: skip


def test_a_stage_recorded_in_parts_is_one_and_the_same_parameter_twice_is_a_conflict():
    parts = process("1", reading(1060, "process.T_s", "Cel")), process("2", reading(1.8, "process.B_al", "T"))
    assert [(row.value, row.conflict) for row in rows_of(*parts)] == [(1.8, False), (1060.0, False)]
    twice = process("1", reading(1060, "process.T_s", "Cel")), process("2", reading(1070, "process.T_s", "Cel"))
    assert [(row.value, row.conflict) for row in rows_of(*twice)] == [(1060.0, True)]
    again = (
        process("1", reading(1060, "process.T_s", "Cel")),
        process("2", reading(1070, "process.T_s", "Cel"), performed=2),
    )
    assert len(rows_of(*again)) == 2


def test_equal_characteristics_of_one_certificate_are_told_apart():
    assert values(certificate("1", reading(1700), reading(1690))) == [1690.0, 1700.0]
