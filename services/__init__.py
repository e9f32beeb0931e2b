"""What we do about it: database, HTTP, pages, feeds, worker, command line. The only floor with I/O."""
