//! Database and its cache. A node of Gatehouse has no database.

use super::{Property, array, boolean, choice, number, string};

const NO_POSTGRES: &str =
    "Gatehouse needs no Postgres; the platform keeps its configuration itself";
const NO_CACHE: &str = "a configuration is held once, compiled, without a cache";

pub(super) const PROPERTIES: &[Property] = &[
    choice(
        "database",
        &["postgres", "off"],
        "postgres",
        "Where entities are kept; a node of Gatehouse needs `off`.",
    )
    .acted(),
    string("pg_host", "127.0.0.1", "Postgres: server.").never(NO_POSTGRES),
    number("pg_port", "5432", "Postgres: port.").never(NO_POSTGRES),
    number(
        "pg_timeout",
        "5000",
        "Postgres: milliseconds to connect, read and write.",
    )
    .never(NO_POSTGRES),
    string("pg_user", "kong", "Postgres: user.").never(NO_POSTGRES),
    string("pg_password", "", "Postgres: password.")
        .never(NO_POSTGRES)
        .secret(),
    string("pg_database", "kong", "Postgres: database.").never(NO_POSTGRES),
    string("pg_schema", "", "Postgres: schema.").never(NO_POSTGRES),
    boolean("pg_ssl", "off", "Postgres: TLS.").never(NO_POSTGRES),
    boolean("pg_ssl_verify", "off", "Postgres: verify the server.").never(NO_POSTGRES),
    number(
        "pg_max_concurrent_queries",
        "0",
        "Postgres: queries at once.",
    )
    .never(NO_POSTGRES),
    number(
        "pg_semaphore_timeout",
        "60000",
        "Postgres: milliseconds to wait for a slot.",
    )
    .never(NO_POSTGRES),
    number(
        "pg_keepalive_timeout",
        "",
        "Postgres: milliseconds that idle connections are kept.",
    )
    .never(NO_POSTGRES),
    number("pg_pool_size", "", "Postgres: connections.").never(NO_POSTGRES),
    number("pg_backlog", "", "Postgres: waiting queries.").never(NO_POSTGRES),
    string("pg_ro_host", "", "Postgres replica: server.").never(NO_POSTGRES),
    number("pg_ro_port", "", "Postgres replica: port.").never(NO_POSTGRES),
    number(
        "pg_ro_timeout",
        "",
        "Postgres replica: milliseconds to connect, read and write.",
    )
    .never(NO_POSTGRES),
    string("pg_ro_user", "", "Postgres replica: user.").never(NO_POSTGRES),
    string("pg_ro_password", "", "Postgres replica: password.")
        .never(NO_POSTGRES)
        .secret(),
    string("pg_ro_database", "", "Postgres replica: database.").never(NO_POSTGRES),
    string("pg_ro_schema", "", "Postgres replica: schema.").never(NO_POSTGRES),
    boolean("pg_ro_ssl", "", "Postgres replica: TLS.").never(NO_POSTGRES),
    boolean(
        "pg_ro_ssl_verify",
        "",
        "Postgres replica: verify the server.",
    )
    .never(NO_POSTGRES),
    number(
        "pg_ro_max_concurrent_queries",
        "",
        "Postgres replica: queries at once.",
    )
    .never(NO_POSTGRES),
    number(
        "pg_ro_semaphore_timeout",
        "",
        "Postgres replica: milliseconds to wait for a slot.",
    )
    .never(NO_POSTGRES),
    number(
        "pg_ro_keepalive_timeout",
        "",
        "Postgres replica: milliseconds that idle connections are kept.",
    )
    .never(NO_POSTGRES),
    number("pg_ro_pool_size", "", "Postgres replica: connections.").never(NO_POSTGRES),
    number("pg_ro_backlog", "", "Postgres replica: waiting queries.").never(NO_POSTGRES),
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
    .never(NO_POSTGRES),
    number(
        "db_update_propagation",
        "0",
        "Seconds that a change needs to spread.",
    )
    .never(NO_POSTGRES),
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
