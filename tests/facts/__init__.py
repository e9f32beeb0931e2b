"""Tests of the facts: what each refuses about itself."""
