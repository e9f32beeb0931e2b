"""Tests of the reduction of samples to quantities with uncertainty."""
