"""Lets `python -m services.cli` be the command line, as the supervised worker is started."""

from services.cli import main

main()
