"""The field's words and numbers, as data: quantities, units, characteristics, standards. Knows no fact."""
