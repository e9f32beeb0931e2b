"""Operations: health, readiness, metrics and status. Tells how the service does; reveals no fact of the domain."""
