"""Other ways in and out for the same events. Holds nothing in this release; decides nothing ever."""
