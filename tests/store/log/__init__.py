"""Tests of the log's writer, one module for each thing it promises."""
