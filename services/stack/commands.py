"""What a person does with the stack: bring it up, look at it, take it down. Each loads only what it needs."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from events.errors import Unavailable
from services import settings
from services.cli.opening import application, run
from services.cli.printing import Json, result, words
from services.logs import configure_logs
from services.settings import Settings
from services.stack.home import Home
from services.stack.topology import ENGINES, PARTS

READY_S = 120.0
DOWN_S = 150.0
WELL = ("ready", "done")
ONCE = {part.name for part in PARTS if part.once}
HOPELESS = 3
"""A part that ended so often in a row before it was ever well is not waited for."""

app = application("stack", "The topology of docker-compose.yml as processes of this machine.")


def main() -> None:
    """The command `python -m services.stack`."""
    run(app, interrupted="Interrupted; what was started goes on. `make stack-down` ends it.")


@app.command()
def up() -> None:
    """Start what is not running, wait until everything is well, and print addresses and sign-in links."""
    found = settings.load()
    home = Home.of(found)
    home.make()
    already = home.is_kept()
    if already:
        words(f"The stack in {home.folder} is running already; nothing was changed.")
    _wait(home, None if already else _begin(home))
    _told(home)
    if not already:
        _links(home, found)


def _begin(home: Home) -> subprocess.Popen[bytes]:
    """Start the supervisor, detached from this terminal. Raises Unavailable naming a port that is taken."""
    running = home.running()
    home.check_ports(running)
    if running:
        words(f"Found running from before: {', '.join(sorted(running))}; the rest is started.")
    known = home.state()["parts"]
    left = {name: {key: known[name].get(key) for key in ("pid", "born")} for name in running & set(known)}
    home.keep_state({"parts": left})
    out = home.open_log("supervisor")
    command = [sys.executable, "-m", "services.stack", "supervise"]
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    finally:
        os.close(out)


def _wait(home: Home, begun: subprocess.Popen[bytes] | None) -> None:
    """Until every part is well, saying each; raises Unavailable with the part that is not, and why."""
    deadline, said = time.monotonic() + READY_S, set[str]()
    while True:
        parts: dict[str, Any] = home.state()["parts"]
        well = {name for name, part in parts.items() if part.get("state") in WELL}
        for name in [name for name in parts if begun and name in well - said]:
            words(f"  {name:<10} {parts[name]['state']}")
        said |= well
        if len(well) == len(PARTS) + len(ENGINES):
            return
        ended = begun is not None and begun.poll() is not None
        if ended or time.monotonic() > deadline or any(_hopeless(part) for part in parts.values()):
            raise Unavailable(_unwell(home, parts, ended))
        time.sleep(0.1)


def _hopeless(part: dict[str, Any]) -> bool:
    return part.get("state") == "failed" and int(part["starts"]) >= HOPELESS


def _unwell(home: Home, parts: dict[str, Any], ended: bool) -> str:
    if ended or not parts:
        return f"The supervisor ended at once; {home.log('supervisor')} says why."
    wrong = [
        f"  {name}: {part.get('detail')} Its log: {home.log(name)}"
        for name, part in parts.items()
        if part.get("state") not in WELL
    ]
    return "\n".join(["The stack is not ready; it goes on trying until `make stack-down` ends it.", *wrong])


def _told(home: Home) -> None:
    """Where everything is, and the file that points a shell's `lodestone` to it."""
    at = home.ports
    words(f"Lodestone is ready: {home.public_url} (and http://{home.host}:{at['service-2']})")
    words(f"  PostgreSQL       127.0.0.1:{at['postgres']}, database lodestone")
    words(f"  Kafka            127.0.0.1:{at['kafka']}")
    words(f"  data and logs    {home.folder}")
    words(f"  command line     . {shlex.quote(str(home.environment_file))}; then lodestone status")
    words("  how it does      make stack-status")


def _links(home: Home, found: Settings) -> None:
    """A sign-in link for each role."""
    from services.access.sessions import Sessions
    from services.cli.people import sign_in_links
    from services.store.database import Database
    from services.store.log import wall_clock

    database = Database(home.environment()["LODESTONE_DATABASE_URL"], pool_size=1)
    try:
        for who, link in sign_in_links(Sessions(database, wall_clock), found.url):
            words(f"  sign in as {who:<13} {link}")
    finally:
        database.dispose()
    words("Each link works once. End everything with `make stack-down`.")


@app.command()
def status(json: Json = False) -> None:
    """How each part is; exit 1 unless all are well."""
    home = Home.of(settings.load())
    parts, kept = home.state()["parts"], home.is_kept()
    well = kept and bool(parts) and all(part.get("state") in WELL for part in parts.values())
    if json:
        result({"supervised": kept, "well": well, "folder": str(home.folder), "parts": parts}, True)
    else:
        table = Table("Part", "State", "Since", "Process", "Starts", "What is wrong", box=None)
        for name, part in parts.items():
            cells = [part.get(key) for key in ("state", "since", "pid", "starts", "detail")]
            table.add_row(name, *("" if cell is None else str(cell) for cell in cells))
        Console(soft_wrap=True).print(table)
        if not kept:
            words("No supervisor runs: `make stack` starts what is missing, `make stack-down` ends the rest.")
    sys.exit(0 if well else 1)


@app.command()
def down(
    remove_data: Annotated[bool, typer.Option("--remove-data", help="Remove everything that the stack kept.")] = False,
) -> None:
    """End every process of the stack in order; data and logs stay unless told otherwise."""
    home = Home.of(settings.load())
    if not home.folder.exists():
        words(f"There is no stack in {home.folder}.")
        return
    home.make()
    if home.is_kept():
        _end_by_supervisor(home)
    elif home.running():
        from services.stack.supervisor import Supervisor

        Supervisor(home).end(words)
    else:
        words("Nothing of the stack runs.")
    if remove_data:
        shutil.rmtree(home.folder)
        words(f"Removed {home.folder}.")
    else:
        words(f"Data and logs are kept in {home.folder}; `make stack-down ARGS=--remove-data` removes them.")


def _end_by_supervisor(home: Home) -> None:
    pid = int(home.state()["supervisor"])
    os.kill(pid, signal.SIGTERM)
    deadline, said = time.monotonic() + DOWN_S, set[str]()
    while home.is_kept():
        _say_ended(home, said)
        if time.monotonic() > deadline:
            raise Unavailable(f"The supervisor (process {pid}) does not end; look at {home.log('supervisor')}.")
        time.sleep(0.1)
    _say_ended(home, said)


def _say_ended(home: Home, said: set[str]) -> None:
    for name, part in sorted(home.state()["parts"].items(), key=lambda item: str(item[1].get("since"))):
        if part.get("state") == "ended" and name not in said and name not in ONCE:
            said.add(name)
            words(f"  {name:<10} {part.get('detail') or 'ended'}")


@app.command(hidden=True)
def supervise() -> None:
    """Keep the stack until told to stop."""
    configure_logs("info", as_json=True)
    from services.stack.supervisor import supervise as keep

    sys.exit(keep(Home.of(settings.load())))
