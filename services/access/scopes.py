"""Whose things are whose: what is kept of a call belongs to the caller's scope, never to a name that two may share."""

from events.rules.access import Principal


def scope(principal: Principal) -> str:
    """The role with the party, else the source prefix, else the name: tokens that are renewed keep their scope."""
    whose = principal.party or principal.source_prefix or f"name {principal.name}"
    return f"{principal.role} {whose}"


def caller(principal: Principal) -> str:
    """The scope with the name: one program or person."""
    return f"{scope(principal)} {principal.name}"
