"""`python -m services.stack up|status|down`: the whole topology on this machine."""

from services.stack.commands import main

if __name__ == "__main__":
    main()
