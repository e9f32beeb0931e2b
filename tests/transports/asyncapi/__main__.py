"""Write docs/asyncapi.yaml again: `python -m tests.transports.asyncapi`."""

from tests.transports.asyncapi import DOCUMENT, text

DOCUMENT.write_text(text(), encoding="utf-8")
