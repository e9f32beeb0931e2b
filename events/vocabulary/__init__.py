"""The field's words and numbers, as data: quantities, units, characteristics, standards. Sees nothing but the errors."""
