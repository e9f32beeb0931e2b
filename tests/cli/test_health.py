"""`lodestone health`: what a container's health check is told about the processes without a door."""

from services.cli.health import trouble
from services.store import leases
from services.store.reports import body, report

HERE = leases.owner_of(0).removesuffix("0")


def test_a_role_is_well_when_a_process_of_this_machine_says_so(database):
    report(database, "worker", leases.owner_of(7), body("standby"))
    assert trouble(database, ["worker"], HERE) is None
    assert trouble(database, ["worker"], "another-machine:") == "No worker has reported within the last seconds."
    assert trouble(database, ["worker", "ingress"], HERE) == "No ingress has reported within the last seconds."


def test_a_role_that_is_in_trouble_says_what_it_is(database):
    report(database, "relay", leases.owner_of(7), body("waiting", "Kafka does not answer."))
    assert trouble(database, ["relay"], HERE) == "Kafka does not answer."
    report(database, "relay", leases.owner_of(8), body("working"))
    assert trouble(database, ["relay"], HERE) is None
