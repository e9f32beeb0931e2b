"""External databases: TLS, two roles, standbys and failover."""
