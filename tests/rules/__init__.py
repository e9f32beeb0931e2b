"""Tests of the rules: given events, when a command, then events or a refusal."""
