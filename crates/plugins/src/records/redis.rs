//! How Redis is reached.

pub(crate) use entities::simple_redis as redis;
use schema::{Check, Condition, Field, Shorthand};

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
