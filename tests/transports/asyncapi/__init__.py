"""Tests of the AsyncAPI document; `python -m tests.transports.asyncapi` writes docs/asyncapi.yaml again."""

from importlib.metadata import version
from pathlib import Path

import yaml

from services.transports.kafka.asyncapi import document

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml"
HEAD = "# Made from the catalogue of events and the topics: python -m tests.transports.asyncapi\n"


def text() -> str:
    """The document as the file holds it."""
    made = document(version("lodestone"))
    return HEAD + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=118)
