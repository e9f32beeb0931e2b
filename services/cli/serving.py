"""Commands that stay: serve, worker, run; and the demo, which drives the service through its door."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from events.errors import Unavailable
from services import settings
from services.cli.data import NoDecider
from services.cli.demo_tokens import demo_tokens
from services.cli.opening import parts
from services.cli.people import sign_in_links
from services.cli.printing import Json, result, words
from services.logs import configure_logs

if TYPE_CHECKING:
    from examples.prius.story import Publish
    from services.serving import Service
    from services.settings import Settings
    from services.wiring import Parts
    from services.worker import Concluding, Together


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(serve)
    app.command()(worker)
    app.command()(run)
    app.command()(demo)


def serve(
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the API; a worker runs elsewhere.")] = False,
    no_decider: NoDecider = False,
) -> None:
    """The API and the pages, with a worker as a supervised child process."""
    configure_logs("info", as_json=not sys.stderr.isatty())
    with parts(settings.load()) as here:
        service = _service(here, with_worker=not no_worker, with_decider=not no_decider)
        service.start()
        words(f"Lodestone listens at {here.settings.url}.")
        service.wait()


def worker(
    no_decider: NoDecider = False,
    no_fold: Annotated[
        bool, typer.Option("--no-fold", help="Fold, conclude and seal nothing; another worker does.")
    ] = False,
    ingress: Annotated[bool, typer.Option("--ingress", help="Take in what benches publish to Kafka.")] = False,
    shard: Annotated[bool, typer.Option("--shard", help="Fold a share of the motors from the log's topic.")] = False,
    supervised: Annotated[
        bool, typer.Option("--supervised", hidden=True, help="End when standard input ends.")
    ] = False,
) -> None:
    """Folds and decisions alone, with --ingress Kafka's events, with --shard shares; any number on one database."""
    from services import wiring
    from services.serving import stop_on_signals
    from services.worker import Beside, Together, Worker

    if no_fold and not (ingress or shard):
        raise typer.BadParameter("With --no-fold there is nothing left to do; add --ingress or --shard.")
    configure_logs("info", as_json=not sys.stderr.isatty())
    with parts(settings.load()) as here:
        beside = [Beside("ingress", wiring.ingress(here))] if ingress else []
        if shard:
            beside.append(Beside("shard", wiring.shards(here)))
        folding = Worker(here.projector, None if no_decider else _decider(here), here.sealer) if not no_fold else None
        working = Together(folding, beside)
        stop_on_signals(working.stop)
        if supervised:
            threading.Thread(target=_stop_with_parent, args=(working,), daemon=True).start()
        working.run()


def _stop_with_parent(working: "Together") -> None:
    """Who started us holds the other end of this pipe and writes nothing: it ends when that process does."""
    while os.read(sys.stdin.fileno(), 64):
        pass
    working.stop()


def _decider(here: "Parts") -> "Concluding":
    # Inference brings scipy, which takes a second to import: only what concludes pays for it.
    from services.engine.decider import Decider
    from services.store.log import wall_clock

    return Decider(here.database, here.log, here.projector, wall_clock)


def _service(here: "Parts", *, with_worker: bool, with_decider: bool) -> "Service":
    from services.serving import Service

    return Service(here, with_worker=with_worker, with_decider=with_decider)


def run() -> None:
    """Everything: set up, the worked example once round the loop, then the service in the foreground."""
    with parts(settings.load()) as here:
        service = _service(here, with_worker=True, with_decider=True)
        service.start()
        _story(here)
        _ready(here)
        service.wait()


def demo(
    json: Json = False,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Publish the facts to Kafka, where a worker --ingress takes them in.")
    ] = False,
) -> None:
    """The worked example, on the running service or on one started for the while; a second run changes nothing."""
    found = settings.load()
    with parts(found) as here, _publisher(found) if kafka else _served(here) as publish:
        summary = _story(here, publish)
    result(summary, json)


@contextmanager
def _publisher(found: "Settings") -> Iterator["Publish"]:
    """What publishes to the Kafka of these settings. Raises Unavailable where nothing runs that would take it in."""
    from services import wiring
    from services.cli.publishing import publisher

    if not _answers(found.url):
        raise Unavailable(
            f"No service answers at {found.url}, and what is published would wait for a `lodestone worker --ingress`. "
            "Start them first; `make stack` starts everything, and says how to reach it."
        )
    with publisher(wiring.cluster(found)) as publish:
        yield publish


@contextmanager
def _served(here: "Parts") -> Iterator[None]:
    """The service at our URL: the running one, or one of our own until the end."""
    if _answers(here.settings.url):
        yield
        return
    service = _service(here, with_worker=True, with_decider=True)
    service.start()
    try:
        yield
    finally:
        service.stop()


def _answers(url: str) -> bool:
    import httpx

    try:
        return bool(httpx.get(f"{url}/healthz", timeout=2.0).json().get("service") == "lodestone")
    except (httpx.HTTPError, ValueError):
        return False


def _story(here: "Parts", publish: "Publish | None" = None) -> dict[str, object]:
    import httpx

    from examples.prius.story import Story, seats

    here.prepare()
    tokens = demo_tokens(here, seats())
    try:
        return Story(here.settings.url, tokens, words, publish=publish).run()
    except httpx.HTTPError as error:
        words(f"The service at {here.settings.url} did not answer the example: {error}")
        sys.exit(1)


def _ready(here: "Parts") -> None:
    words(f"Lodestone is ready: {here.settings.url}")
    for who, link in sign_in_links(here.sessions, here.settings.url):
        words(f"  sign in as {who:<13} {link}")
    words("Each link works once. Stop with Ctrl-C.")
