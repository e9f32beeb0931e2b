"""Operations: readiness by part, and the figures of processes that have no door of their own."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from services.measurements.catalogue import METRICS, STANDARD
from services.store import leases
from services.store.log import Advance, Append
from services.store.reports import body, report
from tests.doors.facts import efficiency
from tests.doors.service import Service, post
from tests.house.tree import modules
from tests.house.tree import text as text_of
from tests.store.facts import draft


def ready(service: Service, status: int = 200) -> dict:
    answer = service.client().get("/readyz")
    assert answer.status_code == status, answer.text
    return answer.json()


def aged(service: Service, seconds: float) -> None:
    """As if everything had been recorded, and reported, that much earlier."""
    moved = service.runtime.clock
    service.runtime.clock = lambda: moved() + timedelta(seconds=seconds)


def everybody(service: Service, *names: str) -> None:
    for name in names:
        assert report(service.database, name, f"{name}:1", body("working"))


def test_a_service_without_a_worker_is_ready_and_says_what_to_start(service):
    found = ready(service)
    assert found["status"] == "degraded"
    assert "lodestone worker" in found["degraded"]["worker"]
    everybody(service, "worker")
    found = ready(service)
    assert (found["status"], found["degraded"]) == ("ready", {})
    assert found["parts"]["worker"] == {"ready": True, "living": 1, "working": 1}


def test_with_kafka_a_relay_is_expected_and_an_ingress_or_shard_only_once_one_was_started(service):
    everybody(service, "worker")
    service.runtime.kafka = True
    found = ready(service)
    assert set(found["degraded"]) == {"relay"} and "start `lodestone relay`" in found["degraded"]["relay"]
    everybody(service, "relay")
    found = ready(service)
    assert found["status"] == "ready" and not {"ingress", "shard"} & set(found["parts"])
    service.log.append(Append((), advances=(Advance("kafka lodestone.bench.events.v1 id 0", None, 7),)))
    assert "lodestone worker --ingress" in ready(service)["degraded"]["ingress"]
    everybody(service, "ingress")
    assert ready(service)["status"] == "ready"
    everybody(service, "shard")
    with service.database.begin() as connection:
        connection.execute(text("UPDATE process_reports SET at = at - interval '1 minute' WHERE name = 'shard'"))
    assert "lodestone worker --shard" in ready(service)["degraded"]["shard"]


def test_a_relay_that_stands_still_while_the_log_grows_is_late(service):
    service.runtime.kafka = True
    everybody(service, "worker", "ingress")
    service.log.append(Append((draft(),)))
    report(service.database, "relay", "relay:1", body("working", None, {"lodestone_relay_position": 0}))
    assert ready(service)["parts"]["relay"]["lag"] == 1
    aged(service, 90)
    service.fold()
    found = ready(service)
    assert "1 events" in found["degraded"]["relay"]
    metrics = service.client().get("/metrics").text
    assert "lodestone_relay_lag_events 1.0" in metrics
    assert 'lodestone_relay_position{process="relay:1"} 0.0' in metrics


def test_a_role_s_own_words_are_what_readiness_says(service):
    service.runtime.kafka = True
    everybody(service, "worker", "ingress")
    report(service.database, "relay", "relay:1", body("waiting", "The broker at k:9092 does not answer."))
    report(service.database, "relay", "relay:2", body("standby"))
    assert ready(service)["degraded"]["relay"] == "The broker at k:9092 does not answer."
    report(service.database, "relay", "relay:2", body("working"))
    assert ready(service)["degraded"] == {}


def test_projections_are_late_by_the_age_of_the_oldest_event_that_they_miss(service):
    everybody(service, "worker")
    post(service.client("bench", source_prefix="/benches/B1"), efficiency("M1"))
    found = ready(service)["parts"]["projections"]["projections"]["correlation"]
    assert (found["position"], found["lag"] > 0) == (0, True)
    aged(service, 120)
    found = ready(service)
    assert found["status"] == "degraded"
    assert found["parts"]["projections"]["projections"]["correlation"]["lag_s"] >= 120
    assert "Late by more than 60 s" in found["degraded"]["projections"]
    assert "Nothing was sealed" in found["degraded"]["seals"]
    service.fold()
    found = ready(service)["parts"]["projections"]
    assert found["projections"]["correlation"] == {"position": service.log.head(), "lag": 0, "lag_s": 0.0}
    assert "degraded" not in found


def test_a_database_that_is_only_read_degrades_and_does_not_take_the_pages_away(service):
    everybody(service, "worker")
    with service.database.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET default_transaction_read_only = on"))
    service.database.dispose()
    found = ready(service)
    assert found["parts"]["database"]["ready"] is True
    assert "takes no writes" in found["degraded"]["database"]


def test_a_process_that_is_stopping_says_so_and_takes_nothing_more(service):
    service.runtime.stopping.set()
    found = ready(service, 503)
    assert found["status"] == "stopping"
    assert found["parts"]["service"]["ready"] is False


@pytest.fixture
def scraped(decided: Service) -> str:
    everybody(decided, "worker")
    leases.take(decided.database, "relay", "one:1")
    with decided.database.begin() as connection:
        connection.execute(text("UPDATE leases SET expires_at = now() - interval '1 s' WHERE name = 'relay'"))
    leases.take(decided.database, "relay", "two:1")
    return decided.client().get("/metrics").text


def test_a_scrape_tells_of_log_leases_pool_and_people(scraped):
    for line in (
        'lodestone_lease_takeovers_total{lease="relay"} 1.0',
        'lodestone_lease_held{lease="relay",owner="two:1"} 1.0',
        'lodestone_process_up{process="worker:1",role="worker"} 1.0',
        "db_client_connection_max 12.0",
        "lodestone_database_up 1.0",
        'lodestone_parked_events{projection="cases"} 0.0',
        'lodestone_projection_lag_events{projection="decider"} 0.0',
    ):
        assert line in scraped
    assert "lodestone_proposals_open 0.0" not in scraped
    assert "python_gc_objects_collected_total" in scraped


def test_a_scrape_has_everything_that_the_catalogue_promises_of_a_service(decided):
    decided.runtime.kafka = True
    report(decided.database, "relay", "relay:1", body("working", None, {"lodestone_relay_position": 0}))
    leases.take(decided.database, "relay", "relay:1")
    with decided.database.begin() as connection:
        statement = "INSERT INTO log_checkpoints VALUES (1, 1, decode(repeat('00', 32), 'hex'), 'x', now())"
        connection.execute(text(statement))
    post(decided.client("bench", source_prefix="/benches/B1"), efficiency("M1"))
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", decided.client().get("/metrics").text, flags=re.MULTILINE))
    told = {name: metric.kind for name, metric in METRICS.items() if not metric.reported}
    assert {name: types.get(name) for name in told} == told
    ours = {name for name in types if not name.startswith(STANDARD)}
    assert ours <= set(METRICS)


def test_every_figure_of_another_process_is_counted_somewhere():
    code = "\n".join(text_of(path) for path in modules("services") if path.name != "catalogue.py")
    reported = [name for name, metric in METRICS.items() if metric.reported]
    assert [name for name in reported if f'"{name}"' not in code] == []


def test_a_database_that_is_away_is_told_of_at_a_scrape(service):
    engine, service.database.engine = (
        service.database.engine,
        create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1}),
    )
    found = service.client().get("/metrics").text
    service.database.engine = engine
    assert "lodestone_database_up 0.0" in found
    assert "lodestone_log_position" not in found
    assert "lodestone_log_position 0.0" in service.client().get("/metrics").text


def test_status_tells_what_readiness_and_metrics_tell(service):
    everybody(service, "worker")
    found = service.client("auditor").get("/v1/status").json()
    assert found["processes"]["worker"][0]["state"] == "working"
    assert "relay" not in found
    assert set(found["decider"]) == {"position", "lag", "lag_s"}
