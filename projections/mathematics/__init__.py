"""The mathematics: small pure functions on arrays; knows no event, no row, no unit but those it is told."""
