#!/bin/sh
# Run once by the PostgreSQL image, on an empty volume: the role that owns the tables and the role that serves.
# The second is granted what it needs, and nothing more, by `lodestone migrate`.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" \
    --set database="$POSTGRES_DB" \
    --set owner_password="$LODESTONE_DATABASE_OWNER_PASSWORD" \
    --set service_password="$LODESTONE_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE lodestone_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE lodestone_service LOGIN PASSWORD :'service_password';
ALTER DATABASE :"database" OWNER TO lodestone_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO lodestone_service;
SQL
