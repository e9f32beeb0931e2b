"""The local broker: shared by who holds it, started again after a crash, gone when nobody needs it."""

from services.stack.kafka import KafkaBroker


def test_a_broker_that_was_killed_comes_back_at_its_address_and_ends_with_its_last_user(tmp_path):
    first, second = KafkaBroker(tmp_path), KafkaBroker(tmp_path)
    address = first.open()
    assert second.open() == address
    first.kill()
    assert not first.answers()
    first.revive()
    assert second.answers()
    first.close()
    assert second.answers()
    second.close()
    assert second.pid() is None
