"""Regression on properties that are themselves measured: lots against certificates, both with stated errors."""
