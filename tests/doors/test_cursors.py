"""Cursors after a log was restored: up to the fork a reader goes on, beyond it is told so, and nothing is skipped."""

import pytest

from events.errors import Gone, Invalid, Unavailable
from events.receive import Origin, draft
from events.rules.ledger import EpochOpened
from services.doors.cursors import Cursors, Fork
from services.store.log import Append
from services.store.sealing.ledger import log_id
from tests.doors.facts import lot
from tests.doors.notices import tell
from tests.doors.service import post

ORIGIN = Origin("/services/ledger", "2026-03-01T08:00:00.000000Z")


def opened(service, epoch, fork):
    """Open an epoch, as `lodestone recover` does."""
    with service.database.connect() as connection:
        ours = log_id(connection)
    model = EpochOpened(log=ours, epoch=epoch, fork_position=fork, reason="A disk was lost.")
    service.log.append(Append((draft(model, id=f"epoch-{epoch}", origin=ORIGIN),)))


def test_in_the_first_epoch_a_cursor_is_a_plain_number():
    cursors = Cursors()
    assert cursors.write(7) == "7"
    assert [cursors.read(cursor) for cursor in (None, "", "0", "7", "1-7")] == [0, 0, 0, 7, 7]


@pytest.mark.parametrize("cursor", ["x", "-1", "1-", "-", "0-1", "1-2-3", "1 2", "٣", "9" * 19, "01-5"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(Invalid):
        Cursors().read(cursor)


def test_each_epoch_between_a_cursor_and_now_has_to_share_its_number():
    cursors = Cursors((Fork(2, 100, 100), Fork(3, 40, 40)))
    assert cursors.write(41) == "3-41"
    assert [cursors.read(cursor) for cursor in ("40", "2-40", "3-41", "3-900")] == [40, 40, 41, 900]
    for cursor in ("41", "100", "101", "2-41"):
        with pytest.raises(Gone) as gone:
            cursors.read(cursor)
        assert (gone.value.facts["fork_position"], gone.value.facts["cursor"]) == (40, "3-40")
    with pytest.raises(Unavailable, match="is in epoch 3: it was restored"):
        cursors.read("4-1")


def test_a_reader_of_the_log_beyond_the_fork_gets_410_and_the_cursor_to_go_on_from(service):
    post(service.client("admin"), *(lot(f"L{number}") for number in range(5)))
    auditor = service.client("auditor")
    fork = service.log.head()
    assert auditor.get("/v1/events").json()["next_cursor"] == str(fork)
    opened(service, 2, fork)
    old = auditor.get("/v1/events", params={"cursor": str(fork)}).json()
    assert [item["position"] for item in old["items"]] == [fork + 1]
    assert old["next_cursor"] == f"2-{fork + 1}"
    gone = auditor.get("/v1/events", params={"cursor": str(fork + 1)})
    assert (gone.status_code, gone.headers["content-type"]) == (410, "application/problem+json")
    assert gone.json()["type"] == "urn:lodestone:problem:gone"
    assert (gone.json()["fork_position"], gone.json()["cursor"]) == (fork, f"2-{fork}")
    again = auditor.get("/v1/events", params={"cursor": gone.json()["cursor"]}).json()
    assert again["items"] == old["items"]


def test_a_reader_of_a_feed_beyond_the_fork_gets_the_feeds_own_number(service):
    magnus = service.supplier("magnus")
    tell(service.log, "magnus", 1, 2)
    fork = service.log.head()
    opened(service, 2, fork)
    tell(service.log, "magnus", 3)
    gone = magnus.get("/v1/feed", params={"cursor": "3"})
    assert gone.status_code == 410
    assert (gone.json()["fork_number"], gone.json()["fork_position"], gone.json()["cursor"]) == (2, fork, "2-2")
    page = magnus.get("/v1/feed", params={"cursor": "2-2"}).json()
    assert ([item["sequence"] for item in page["items"]], page["next_cursor"]) == ([3], "2-3")
    assert magnus.get("/v1/feed", params={"cursor": "2"}).json()["items"] == page["items"]
    assert magnus.get("/v1/feed/stream", headers={"Last-Event-ID": "3"}).status_code == 410
    with magnus.stream("GET", "/v1/feed/stream", headers={"Last-Event-ID": "2"}) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("id:")) == "id: 2-3"


def test_a_live_feed_ends_when_another_history_takes_the_place_of_what_it_sent(service):
    magnus = service.supplier("magnus")
    tell(service.log, "magnus", 1, 2)
    sent = []
    with magnus.stream("GET", "/v1/feed/stream") as stream:
        for line in stream.iter_lines():  # until the stream comes to its end by itself
            sent += [line] if line.startswith("id:") else []
            if line == "id: 2":
                opened(service, 2, 1)
    assert sent[:2] == ["id: 1", "id: 2"] and "id: 3" not in sent
    assert magnus.get("/v1/feed/stream", headers={"Last-Event-ID": "2"}).status_code == 410


def test_epochs_of_another_log_that_was_imported_are_not_ours(service):
    model = EpochOpened(log="another-log", epoch=9, fork_position=0, reason="Elsewhere.")
    service.log.append(Append((draft(model, id="epoch-9", origin=ORIGIN),)))
    assert service.client("auditor").get("/v1/events").json()["next_cursor"] == str(service.log.head())
