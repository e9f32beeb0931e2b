"""Commands of the seal: seal now, list the keys, rotate them."""

import time
from typing import TYPE_CHECKING

import typer

from events.errors import Refused
from services import settings
from services.cli.opening import parts
from services.cli.printing import Json, result, words

if TYPE_CHECKING:
    from services.store.sealing.checkpoints import Signed
    from services.wiring import Parts

keys = typer.Typer(help="The keys that sign the log's checkpoints.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(seal)
    app.add_typer(keys, name="keys")


def seal(json: Json = False) -> None:
    """Seal the log up to its head now, and print the signed checkpoint; a running worker does it by itself."""
    with parts(settings.load()) as here:
        here.prepare()
        signed = _sealed(here)
    if not json:
        typer.echo(signed.note, nl=False)
        return
    result({"size": signed.size, "root": signed.root.hex(), "epoch": signed.epoch, "note": signed.note}, True)


def _sealed(here: "Parts") -> "Signed":
    """The checkpoint that covers the head as it is now, by us or by the worker that holds the lease."""
    from services.store.leases import LEASE_S
    from services.store.sealing.checkpoints import latest

    wanted, deadline = here.log.head(), time.monotonic() + LEASE_S + 2
    if wanted == 0:
        raise Refused("The log is empty; there is nothing to seal.")
    while True:
        here.sealer.finish()
        with here.database.connect() as connection:
            signed = latest(connection)
        if signed is not None and signed.size >= wanted:
            return signed
        if time.monotonic() > deadline:
            raise Refused("Another process holds the seal and does not get on; its log says why.")
        time.sleep(0.2)


@keys.command("list")
def list_keys(json: Json = False) -> None:
    """Every key of this log: its verifier key, and the sizes of the checkpoints that it signs."""
    from services.store.sealing.ledger.rotation import known_keys

    with parts(settings.load()) as here:
        here.prepare()
        found = known_keys(here.database, here.settings.data_dir)
    if json:
        result({"items": found}, True)
        return
    for key in found:
        until = "now" if key["until_size"] is None else key["until_size"]
        typer.echo(f"{key['verifier_key']}\n  signs checkpoints from size {key['from_size']} to {until}")


@keys.command("rotate")
def rotate_keys(json: Json = False) -> None:
    """Make a new key and let it sign from here on; what the old one signed until now stays good."""
    from services.store.sealing.ledger.rotation import rotate

    with parts(settings.load()) as here:
        here.prepare()
        position, verifier = rotate(here.log, here.settings.data_dir)
        signed = _sealed(here)
    result({"verifier_key": verifier, "position": position, "sealed": signed.size}, json)
    if not json:
        words("Give this verifier key to who verifies the log; keep the folder of keys where no one else reads it.")
