"""Characteristics of the sourcing level: the rows of the catalogue, as data."""

from events.vocabulary.characteristics.row import Row

ROWS: tuple[Row, ...] = (
    ("sourcing.source", "", "Source of a level of the chain", "1", "target", "supplier record", "", 1.0, 0.0),
)
