"""Who publishes: a token, looked up anew after a few seconds, or a topic that is trusted with one role and prefix."""

import pytest

from events.errors import Forbidden, Invalid, Unauthenticated
from events.rules.access import Principal
from services.access.tokens import Tokens
from services.store.log import Log, wall_clock
from services.transports.kafka.ingress import principals
from services.transports.kafka.ingress.principals import TOKEN, Principals, trusted_topics


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_trusted_topics_name_role_prefix_and_party():
    found = trusted_topics("line-7=bench:/benches/B7; mag.in = supplier:/suppliers/magnus:magnus:M 1 ;all=admin:/;")
    assert found["line-7"] == Principal("topic line-7", "bench", None, "/benches/B7")
    assert str(found["mag.in"].party) == "magnus:M%201"
    assert found["all"].source_prefix is None
    assert trusted_topics(None) == {}


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "t=bench",
        "t=bench:benches",
        "=bench:/b",
        "t=auditor:/b",
        "t=nobody:/b",
        "t=supplier:/s",
        "t=bench:/a;t=bench:/b",
    ],
)
def test_a_trusted_topic_that_is_not_right_is_named(text):
    with pytest.raises(Invalid, match="LODESTONE_KAFKA_TRUSTED_TOPICS"):
        trusted_topics(text)


def test_a_token_is_looked_up_once_in_ten_seconds_and_a_revoked_one_is_refused_after_that(database):
    tokens, clock = Tokens(database, Log(database), wall_clock), Clock()
    secret = tokens.issue("bench", "B1", source_prefix="/benches/B1")
    reader = tokens.issue("auditor", "A")
    known = Principals(tokens, {"trusted": Principal("t", "bench")}, clock)
    shown = [(TOKEN, secret.encode())]
    assert getattr(known.of("t", shown), "source_prefix", None) == "/benches/B1"
    tokens.revoke(tokens.list()[0]["token_id"], "lost")
    assert isinstance(known.of("t", shown), Principal)
    clock.now = principals.KEPT_S + 0.1
    assert isinstance(known.of("t", shown), Unauthenticated)
    assert isinstance(known.of("trusted", shown), Unauthenticated)
    assert isinstance(known.of("trusted", []), Principal)
    assert isinstance(known.of("t", []), Unauthenticated)
    assert isinstance(known.of("t", [*shown, *shown]), Unauthenticated)
    assert isinstance(known.of("t", [(TOKEN, b"\xff\x00")]), Unauthenticated)
    assert isinstance(known.of("t", [(TOKEN, None)]), Unauthenticated)
    assert isinstance(known.of("t", [(TOKEN.title(), reader.encode())]), Forbidden)


def test_what_is_remembered_of_tokens_is_bounded_and_holds_no_token(database):
    known = Principals(Tokens(database, Log(database), wall_clock), {}, kept=3)
    for number in range(8):
        known.of("t", [(TOKEN, f"lode_{number}".encode())])
    assert len(known._known) <= 3
    assert "lode_7" not in repr(known._known)
