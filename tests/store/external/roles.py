"""A database as an operator makes it by docs/operations.md: one role owns it, another is the service's."""

import os
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from tests.store.facts import straight

PASSWORD = "of-the-tests"


@dataclass
class External:
    """Names of the database and of both roles, and the URLs."""

    server: EmbeddedPostgres
    name: str
    owner: str
    service: str

    def url(self, role: str) -> str:
        """The database as this role."""
        url = make_url(self.server.addresses(self.name).admin).set(username=role, password=PASSWORD)
        return url.render_as_string(hide_password=False)

    def admin(self, *statements: str) -> None:
        """What only a superuser does."""
        with straight(self.server.addresses(self.name).admin) as connection:
            for statement in statements:
                connection.execute(statement)

    def database(self) -> Database:
        """The database with both roles."""
        return Database(self.url(self.service), self.url(self.owner), pool_size=2)

    def remove(self) -> None:
        self.server.drop_database(self.name)
        with straight(self.server.addresses("postgres").admin) as connection:
            connection.execute(f'DROP ROLE "{self.service}"')
            connection.execute(f"DROP ROLE {self.owner}")


def made_external(server: EmbeddedPostgres, number: int) -> External:
    """Both roles, and the owner's empty database."""
    mark = f"{os.getpid()}_{number}"
    made = External(server, f"external_{mark}", f"plant_owner_{mark}", f"Plant-service-{mark}")
    with straight(server.addresses("postgres").admin) as connection:
        for role in (made.owner, made.service):
            connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{PASSWORD}'")
        connection.execute(f"CREATE DATABASE {made.name} OWNER {made.owner}")
        connection.execute(f"REVOKE CONNECT ON DATABASE {made.name} FROM PUBLIC")
    return made
