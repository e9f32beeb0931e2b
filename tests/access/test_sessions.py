"""Sign-in: a link works once and for a while, a session ends, a form carries its session's value."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from events.errors import Forbidden, Invalid, Unauthenticated
from services.access.sessions import LINK_LIFE, SESSION_LIFE, Sessions
from services.store.tables import access_links, access_sessions


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(database, clock):
    return Sessions(database, clock)


def test_a_link_works_once(sessions):
    code = sessions.link("approver", "Ada")
    session = sessions.find(sessions.sign_in(code))
    assert (session.principal.name, session.principal.role) == ("Ada", "approver")
    with pytest.raises(Unauthenticated):
        sessions.sign_in(code)


def test_a_link_expires(sessions, clock):
    code = sessions.link("approver", "Ada")
    clock.now += LINK_LIFE + timedelta(seconds=1)
    with pytest.raises(Unauthenticated):
        sessions.sign_in(code)


def test_a_session_expires_and_ends_with_signing_out(sessions, clock):
    one = sessions.sign_in(sessions.link("engineer", "Elin"))
    two = sessions.sign_in(sessions.link("engineer", "Elin"))
    sessions.sign_out(one)
    with pytest.raises(Unauthenticated):
        sessions.find(one)
    assert sessions.find(two)
    clock.now += SESSION_LIFE
    with pytest.raises(Unauthenticated):
        sessions.find(two)


def test_only_hashes_of_links_and_sessions_are_kept(sessions, database):
    code = sessions.link("engineer", "Elin")
    secret = sessions.sign_in(code)
    with database.connect() as connection:
        rows = str(connection.execute(select(access_links)).all() + connection.execute(select(access_sessions)).all())
    assert code not in rows
    assert secret not in rows


def test_a_form_needs_the_value_of_its_own_session(sessions):
    mine = sessions.find(sessions.sign_in(sessions.link("engineer", "Elin")))
    other = sessions.find(sessions.sign_in(sessions.link("engineer", "Elin")))
    mine.check_csrf(mine.csrf)
    for sent in (None, "", other.csrf):
        with pytest.raises(Forbidden):
            mine.check_csrf(sent)


def test_a_supplier_signs_in_for_a_party_and_nobody_in_an_unknown_role(sessions):
    session = sessions.find(sessions.sign_in(sessions.link("supplier", "Quality", "magnus:magnus")))
    assert str(session.principal.party) == "magnus:magnus"
    with pytest.raises(Invalid):
        sessions.link("supplier", "Quality")
    with pytest.raises(Invalid):
        sessions.link("emperor", "Nero")
