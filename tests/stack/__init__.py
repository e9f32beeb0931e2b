"""Tests of `services/stack`: the real parts as local processes."""
