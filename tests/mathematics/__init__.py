"""The mathematics against independent oracles, against its own algebra, and on input that carries no answer."""
