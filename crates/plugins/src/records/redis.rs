//! How Redis is reached.

use schema::{Check, Condition, Field, Schema, Shorthand};

/// The members of a `redis` record.
pub(crate) fn redis() -> Schema {
    Schema::record([
        Field::host("host").describe("Name or address of the server."),
        Field::port("port")
            .default(6379)
            .describe("Port of the server."),
        Field::timeout("timeout")
            .default(2000)
            .describe("Milliseconds to connect, send and receive."),
        Field::string("username")
            .referenceable()
            .describe("User for access lists."),
        Field::string("password")
            .len_min(0)
            .encrypted()
            .referenceable()
            .describe("Password."),
        Field::integer("database")
            .default(0)
            .describe("Number of the database."),
        Field::boolean("ssl")
            .optional()
            .default(false)
            .describe("Whether TLS is used."),
        Field::boolean("ssl_verify")
            .optional()
            .default(false)
            .describe("Whether the server's certificate is verified."),
        Field::sni("server_name")
            .optional()
            .describe("Server name for TLS."),
    ])
}

/// The names these settings had before they moved into `redis`.
pub(crate) fn old_names() -> [Shorthand; 9] {
    const NOTE: &str = "moved into `redis`";
    let old = |field: Field, path| Shorthand::replaced(field.deprecated(NOTE), path);
    [
        old(Field::string("redis_host"), "redis.host"),
        old(Field::integer("redis_port"), "redis.port"),
        old(Field::string("redis_password").len_min(0), "redis.password"),
        old(Field::string("redis_username"), "redis.username"),
        old(Field::boolean("redis_ssl"), "redis.ssl"),
        old(Field::boolean("redis_ssl_verify"), "redis.ssl_verify"),
        old(Field::string("redis_server_name"), "redis.server_name"),
        old(Field::integer("redis_timeout"), "redis.timeout"),
        old(Field::integer("redis_database"), "redis.database"),
    ]
}

/// What the policy `redis` cannot do without.
pub(crate) fn needed_by_policy() -> [Check; 3] {
    [
        "config.redis.host",
        "config.redis.port",
        "config.redis.timeout",
    ]
    .map(|field| {
        let is_redis = Condition::eq("redis");
        Check::conditional("config.policy", is_redis, field, Condition::required())
    })
}
