"""Tests of the field's words and numbers."""
