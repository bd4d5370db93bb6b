//! What the tests of this room share: a catalogue with two small plugins.

use std::sync::Arc;

use gatehouse_entities::{Catalogue, Map, PluginCatalogue, Scope};
use schema::{Check, Condition, Field, Schema, Shorthand};
use serde_json::Value;

/// Two plugins: one that limits and one that consumers cannot have.
pub(crate) struct TwoPlugins {
    limit: Schema,
    auth: Schema,
}

impl Default for TwoPlugins {
    fn default() -> Self {
        let redis = Schema::record([Field::host("host"), Field::port("port").default(6379)]);
        let limit = Schema::new("limit")
            .field(Field::number("minute").gt(0))
            .field(Field::number("hour").gt(0))
            .field(Field::record("redis", redis).required())
            .field(Field::string("backend").one_of(["memory", "redis"]))
            .shorthand(Shorthand::replaced(
                Field::string("redis_host"),
                "redis.host",
            ))
            .outer_check(Check::AtLeastOneOf(vec!["config.minute", "config.hour"]))
            .outer_check(Check::conditional(
                "config.backend",
                Condition::eq("redis"),
                "config.redis.host",
                Condition::required(),
            ));
        let auth = Schema::new("auth").field(
            Field::array("key_names", Field::header_name(""))
                .required()
                .default(vec!["apikey"]),
        );
        Self { limit, auth }
    }
}

impl PluginCatalogue for TwoPlugins {
    fn schema(&self, name: &str) -> Option<&Schema> {
        match name {
            "limit" => Some(&self.limit),
            "auth" => Some(&self.auth),
            _ => None,
        }
    }

    fn names(&self) -> Vec<&str> {
        vec!["auth", "limit"]
    }

    fn allows_scope(&self, name: &str, scope: Scope) -> bool {
        !(name == "auth" && scope == Scope::Consumer)
    }

    fn protocols(&self, name: &str) -> Option<&[&'static str]> {
        (name == "auth").then_some(&["grpc", "grpcs", "http", "https"])
    }
}

/// A catalogue with those plugins.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(Arc::new(TwoPlugins::default()))
}

/// The members of an object.
pub(crate) fn map(value: Value) -> Map {
    let object: Option<Map> = match value {
        Value::Object(members) => Some(members),
        _ => None,
    };
    object.expect("the test writes objects")
}
