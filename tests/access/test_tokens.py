"""Tokens: issued by an event and a row, shown once, looked up by hash, revoked for good."""

import pytest
from sqlalchemy import select, text

from events.errors import Invalid, NotFound, Unauthenticated
from services.access.secrets import digest
from services.access.tokens import Tokens
from services.store.log import wall_clock
from services.store.tables import access_tokens


@pytest.fixture
def tokens(database, log):
    return Tokens(database, log, wall_clock)


def test_a_token_says_who_its_bearer_is(tokens):
    secret = tokens.issue("supplier", "magnus-api", party="magnus:magnus", source_prefix="/suppliers/magnus")
    principal = tokens.principal(secret)
    assert (principal.name, principal.role) == ("magnus-api", "supplier")
    assert str(principal.party) == "magnus:magnus"
    assert principal.source_prefix == "/suppliers/magnus"


def test_the_secret_is_kept_nowhere_only_its_hash_in_the_log_and_the_table(tokens, database, log):
    secret = tokens.issue("engineer", "Elin")
    assert secret.startswith("lode_")
    assert len(secret) >= 48
    stored = b"".join(body for _, body in log.read_bytes(0, 10))
    with database.connect() as connection:
        rows = str(connection.execute(select(access_tokens)).all())
    assert secret not in stored.decode() + rows
    assert digest(secret) in stored.decode()
    assert digest(secret) in rows


def test_an_unknown_token_is_nobody(tokens):
    tokens.issue("engineer", "Elin")
    for secret in ("", "lode_x", "Elin", "\ud800"):
        with pytest.raises(Unauthenticated):
            tokens.principal(secret)


def test_a_revoked_token_is_nobody_and_the_log_says_so(tokens, log):
    secret = tokens.issue("engineer", "Elin")
    token = tokens.list()[0]["token_id"]
    tokens.revoke(token, "lost laptop")
    tokens.revoke(token, "lost laptop")
    with pytest.raises(Unauthenticated):
        tokens.principal(secret)
    assert [event.type for event in log.read(0, 10)] == [
        "lodestone.access.token_issued.v1",
        "lodestone.access.token_revoked.v1",
    ]
    with pytest.raises(NotFound):
        tokens.revoke("nothing", "typing error")


def test_a_token_whose_event_cannot_be_stored_leaves_no_row(tokens, database, postgres):
    with database.begin() as connection:
        connection.execute(text("SELECT 1"))
    with pytest.raises(Invalid):
        tokens.issue("emperor", "Nero")
    with pytest.raises(Invalid):
        tokens.issue("supplier", "nobody's")
    with pytest.raises(Invalid):
        tokens.issue("supplier", "x", party="no-colon")
    assert tokens.list() == []
