"""Given events, when a command, then events or a refusal: the parts that the tests of the rules are told with."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from events.catalogue import line_of
from events.envelope import Recorded, utc_text
from events.refs import Ref
from events.rules.policies import Policy
from events.rules.proposals import (
    Approve,
    Command,
    Content,
    Evidence,
    LotEvidence,
    OpenCase,
    Propose,
    ProposedRevision,
    decide,
    fold,
)
from events.rules.specs import Effectivity
from events.vocabulary.quantities import Range

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
SPEC = Ref(issuer="maker", id="magnet-A")
ITEM = Ref(issuer="maker", id="A")
NORTH = Ref(issuer="north", id="north")
SOUTH = Ref(issuer="south", id="south")
POLICY = Policy(refresh_interval_h=1.0, refresh_step_relative=0.005, rejected_evidence_step=0.5)
ENGINE = "lodestone engine"


def recorded(models: Iterable[BaseModel], at: datetime = START, first: int = 1) -> list[Recorded]:
    """The models as the log would give them back: data through JSON, versions dense."""
    return [_recorded(model, number, at) for number, model in enumerate(models, first)]


def _recorded(model: BaseModel, number: int, at: datetime) -> Recorded:
    line, time = line_of(type(model)), utc_text(at)
    stream = f"{line.stream}/{getattr(model, line.key)}"
    data = json.loads(model.model_dump_json())
    subject = line.subject_of(model)
    return Recorded(
        position=number,
        type=line.type,
        source="/services/engine",
        id=f"e-{number}",
        subject=subject,
        time=time,
        recorded_time=time,
        stream=stream,
        stream_version=number,
        parsed=data,
    )


def limits(lower: float | None = None, upper: float | None = None, target: float | None = None, unit: str = "kA/m"):
    return Range(lower=lower, target=target, upper=upper, unit=unit)


def revision(old: Range | None = None, new: Range | None = None, **more: Any) -> ProposedRevision:
    content = {"spec": SPEC, "level": "magnet", "item": ITEM, "characteristic": "magnet.HcJ", "why": "flux loss"}
    return ProposedRevision.model_validate({**content, "old": old, "new": new, **more})


def evidence(motors: int = 40, lots: int = 6, results: int = 50, bad: Sequence[str] = ("L1",)) -> Evidence:
    judged = tuple(
        LotEvidence(lot=Ref(issuer="north", id=name), motors=5, results=6, verdict="does_not_conform") for name in bad
    )
    return Evidence(
        position=100, method="m", policy=Ref(issuer="lodestone", id="default"), policy_version=1,
        motors=motors, lots=lots, results=results, lot_effects=judged,
    )  # fmt: skip


def content(lower: float = 1785, **more: Any) -> Content:
    said: dict[str, Any] = {
        "title": f"Raise magnet.HcJ to {lower}",
        "conclusion": "tighten",
        "revisions": (revision(limits(1700, target=2000), limits(lower, target=2000)),),
        "effectivity": Effectivity(date=date(2026, 6, 1)),
        "evidence": evidence(),
    }
    return Content(**{**said, **more})


class Given:
    """A case that lives through commands; each turn appends what was decided and folds it."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.now = START
        self.log: list[Recorded] = []
        self.when(OpenCase("c-1", "result", "Flux loss of A", item=ITEM))

    @property
    def state(self) -> Any:
        return fold(self.log)

    def when(self, command: Command) -> tuple[BaseModel, ...]:
        """Decide the command as things stand, keep what follows, and return it."""
        then = decide(self.state, command, self.policy)
        return self.keep(*then)

    def keep(self, *models: BaseModel) -> tuple[BaseModel, ...]:
        self.log += recorded(models, self.now, len(self.log) + 1)
        return models

    def later(self, hours: float) -> "Given":
        self.now += timedelta(hours=hours)
        return self

    def proposed(self, lower: float = 1785, by: str = ENGINE, **more: Any) -> "Given":
        self.when(Propose("c-1", content(lower, **more), by, self.now))
        return self

    def approve(self, by: str = "Ada", version: int | None = None) -> Approve:
        return Approve("c-1", by, "agreed", self.state.version if version is None else version)
