"""Quick checks: every fact has a struct derived from its model, which takes less than the model and never more."""

import subprocess
import sys
from typing import Annotated, Any, Literal

import orjson
import pytest
from msgspec import ValidationError, convert
from pydantic import BaseModel, Field, field_validator, model_validator

from events.catalogue import CATALOGUE
from events.quick import quick
from events.vocabulary.quantities import Plain, UnitCode
from tests.golden.pins import EXAMPLES, example
from tests.waiting import PATIENCE_S

POSTED = sorted(name for name, line in CATALOGUE.items() if line.by)


@pytest.mark.parametrize("event_type", POSTED)
def test_every_fact_has_a_struct_that_takes_its_example(event_type):
    assert (EXAMPLES / f"{event_type}.json").exists()
    struct = quick(CATALOGUE[event_type].model)
    assert struct is not None
    data, model = convert(example(event_type)["data"], struct), CATALOGUE[event_type].model
    assert set(struct.__struct_fields__) == set(model.model_fields)
    assert str(getattr(data, CATALOGUE[event_type].key)) == str(
        getattr(model.model_validate(example(event_type)["data"]), CATALOGUE[event_type].key)
    )


FIRST_OF_MANY = """
import sys, threading
from msgspec import convert
from events.catalogue import CATALOGUE
from events.quick import quick
from tests.golden.pins import example

facts = [(quick(line.model), example(name)["data"]) for name, line in CATALOGUE.items() if line.by]
together = threading.Barrier(8)

def check():
    for struct, data in facts:
        together.wait()
        convert(data, struct)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=check) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_many_threads_may_be_the_first_to_check_a_fact():
    done = subprocess.run([sys.executable, "-c", FIRST_OF_MANY], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")


class Part(Plain):
    unit: UnitCode
    size: Annotated[int, Field(gt=0)]
    name: Annotated[str, Field(pattern=r"^[a-z]+$")] = "a"

    @model_validator(mode="after")
    def _small(self):
        if self.twice() > 10:
            raise ValueError("too large")
        return self

    def twice(self):
        return 2 * self.size


class Whole(Plain):
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    kind: Literal["a", "b"] | None = None


def test_a_struct_says_what_its_model_says_of_every_part():
    struct: Any = quick(Whole)
    good: dict[str, Any] = {"unit": "T", "size": 5}
    wrong: list[dict[str, Any]] = [
        {"unit": "x"},
        {"size": 0},
        {"size": 6},
        {"size": 1.0},
        {"size": True},
        {"name": "b\n"},
        {"more": 1},
    ]
    for parts in ([good], [good, {**good, "name": "b"}]):
        assert convert({"parts": parts, "kind": "a"}, struct).parts[0].twice() == 10
    for data in [{"parts": []}, {"parts": [good], "kind": "c"}, *[{"parts": [{**good, **it}]} for it in wrong]]:
        with pytest.raises(ValidationError):
            convert(data, struct)
        with pytest.raises(ValueError):
            Whole.model_validate_json(orjson.dumps(data), strict=True)


class Loose(BaseModel):
    name: str


class Other(Plain):
    name: str

    @field_validator("name")
    @classmethod
    def _lower(cls, name):
        return name.lower()


class Classes(Plain):
    name: Annotated[str, Field(pattern=r"^\d$")]


class Anything(Plain):
    name: dict[str, int]


class Before(Plain):
    name: str

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data):
        return data


@pytest.mark.parametrize("model", [Loose, Other, Classes, Anything, Before])
def test_a_model_that_says_what_no_struct_can_say_has_none(model):
    assert quick(model) is None
