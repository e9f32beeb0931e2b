"""Other ways in and out for the same events. Translates and carries; decides nothing."""
