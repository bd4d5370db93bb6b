//! Database and its cache.

use super::{Property, array, boolean, choice, number, string};

const ONE_SERVER: &str = "a node reads and writes one server; put a pooler before replicas";
const NO_SLOTS: &str = "queries share the connections of the pool; none waits for a slot";
const NO_POLLING: &str = "changes are announced, not looked for";
const NO_CACHE: &str = "a configuration is held once, compiled, without a cache";

pub(super) const PROPERTIES: &[Property] = &[
    choice(
        "database",
        &["sqlite", "postgres", "off"],
        "",
        "Where entities are kept: in a file below `prefix`, in PostgreSQL, or nowhere. Unset: \
         `postgres` when any `pg_*` is set, `sqlite` otherwise.",
    )
    .acted(),
    string("pg_host", "127.0.0.1", "Postgres: server.").acted(),
    number("pg_port", "5432", "Postgres: port.").acted(),
    number(
        "pg_timeout",
        "5000",
        "Postgres: milliseconds to connect, read and write.",
    )
    .acted(),
    string("pg_user", "kong", "Postgres: user.").acted(),
    string("pg_password", "", "Postgres: password.")
        .acted()
        .secret(),
    string("pg_database", "kong", "Postgres: database.").acted(),
    string("pg_schema", "", "Postgres: schema.").acted(),
    boolean("pg_ssl", "off", "Postgres: TLS when the server can.").acted(),
    boolean(
        "pg_ssl_required",
        "off",
        "Postgres: with `pg_ssl`, refuse a server without TLS.",
    )
    .acted(),
    boolean("pg_ssl_verify", "off", "Postgres: verify the server.").acted(),
    number(
        "pg_max_concurrent_queries",
        "0",
        "Postgres: queries at once.",
    )
    .never(NO_SLOTS),
    number(
        "pg_semaphore_timeout",
        "60000",
        "Postgres: milliseconds to wait for a slot.",
    )
    .never(NO_SLOTS),
    number(
        "pg_keepalive_timeout",
        "",
        "Postgres: milliseconds that idle connections are kept.",
    )
    .acted(),
    number("pg_pool_size", "", "Postgres: connections.").acted(),
    number("pg_backlog", "", "Postgres: waiting queries.").never(NO_SLOTS),
    string("pg_ro_host", "", "Postgres replica: server.").never(ONE_SERVER),
    number("pg_ro_port", "", "Postgres replica: port.").never(ONE_SERVER),
    number(
        "pg_ro_timeout",
        "",
        "Postgres replica: milliseconds to connect, read and write.",
    )
    .never(ONE_SERVER),
    string("pg_ro_user", "", "Postgres replica: user.").never(ONE_SERVER),
    string("pg_ro_password", "", "Postgres replica: password.")
        .never(ONE_SERVER)
        .secret(),
    string("pg_ro_database", "", "Postgres replica: database.").never(ONE_SERVER),
    string("pg_ro_schema", "", "Postgres replica: schema.").never(ONE_SERVER),
    boolean("pg_ro_ssl", "", "Postgres replica: TLS.").never(ONE_SERVER),
    boolean(
        "pg_ro_ssl_verify",
        "",
        "Postgres replica: verify the server.",
    )
    .never(ONE_SERVER),
    number(
        "pg_ro_max_concurrent_queries",
        "",
        "Postgres replica: queries at once.",
    )
    .never(ONE_SERVER),
    number(
        "pg_ro_semaphore_timeout",
        "",
        "Postgres replica: milliseconds to wait for a slot.",
    )
    .never(ONE_SERVER),
    number(
        "pg_ro_keepalive_timeout",
        "",
        "Postgres replica: milliseconds that idle connections are kept.",
    )
    .never(ONE_SERVER),
    number("pg_ro_pool_size", "", "Postgres replica: connections.").never(ONE_SERVER),
    number("pg_ro_backlog", "", "Postgres replica: waiting queries.").never(ONE_SERVER),
    string(
        "database_key",
        "",
        "File with the key that seals secrets in the database, made when it is absent; nodes of \
         one database share a copy. Unset: `node.key` below `prefix`.",
    )
    .acted(),
    string(
        "declarative_config",
        "",
        "File with the configuration of a node without control plane, YAML or JSON.",
    )
    .acted(),
    string("declarative_config_string", "", "The same, inline.")
        .acted()
        .secret(),
    string(
        "lmdb_environment_path",
        "dbless.lmdb",
        "Folder of the reference's local store.",
    )
    .never("the node keeps one sealed file below the prefix"),
    string("lmdb_map_size", "2048m", "Largest size of that store.")
        .never("the node keeps one sealed file below the prefix"),
    number(
        "db_update_frequency",
        "5",
        "Seconds between two looks for changes in the database.",
    )
    .never(NO_POLLING),
    number(
        "db_update_propagation",
        "0",
        "Seconds that a change needs to spread.",
    )
    .never(NO_POLLING),
    number("db_cache_ttl", "0", "Seconds that a cached entity lives.").never(NO_CACHE),
    number(
        "db_cache_neg_ttl",
        "",
        "Seconds that the absence of an entity is remembered.",
    )
    .never(NO_CACHE),
    number(
        "db_resurrect_ttl",
        "30",
        "Seconds that an outdated entity may serve.",
    )
    .never(NO_CACHE),
    array(
        "db_cache_warmup_entities",
        "services",
        "Entities loaded at start.",
    )
    .never(NO_CACHE),
];
