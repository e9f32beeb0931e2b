"""Tests of the folds: by reflection over every projection, and each fold's own guarantees."""
