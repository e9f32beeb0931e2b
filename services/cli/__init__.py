"""The command line: results on standard output, words for people on standard error, exit 0 done, 1 refused, 2 usage."""

import gc
import sys


def main() -> None:
    """Run the command. `verify-receipt` runs alone: it loads nothing of the service but the verifier."""
    if sys.argv[1:2] == ["verify-receipt"]:
        from services.verifier import main as verify_receipt

        sys.exit(verify_receipt(sys.argv[2:]))
    # What is loaded stays: to look for cycles in it takes a sixth of the start. The wiring switches this on again.
    gc.disable()
    # Everything else brings the whole service, which an outsider with a receipt does not need to trust.
    from services.cli.commands import main as run

    run()
