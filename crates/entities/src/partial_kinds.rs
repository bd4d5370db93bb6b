//! The types of partials and what each may hold.
//!
//! Types whose members follow a provider (models, vectors) take any members: the plugin that uses
//! the part judges them.

use schema::{Field, Schema};
use serde_json::Value;

use crate::redis::{redis, simple_redis};

/// All types.
pub(crate) const NAMES: [&str; 5] = ["redis-ce", "redis-ee", "vectordb", "model", "embeddings"];

/// The members of a type's configuration: `Some(None)` takes any; `None` is no type.
pub(crate) fn config(name: &str) -> Option<Option<Schema>> {
    Some(match name {
        "redis-ce" => Some(simple_redis()),
        "redis-ee" => Some(redis()),
        "vectordb" | "model" | "embeddings" => None,
        _ => return None,
    })
}

/// Where most plugins have what the type configures.
pub(crate) fn usual_path(name: &str) -> &'static str {
    match name {
        "vectordb" => "config.vectordb",
        "embeddings" => "config.embeddings",
        "model" => "config.llm",
        _ => "config.redis",
    }
}

/// The published schema document of a type.
pub(crate) fn form(name: &str) -> Option<Value> {
    let config = config(name)?.unwrap_or_default();
    Some(
        Schema::new("")
            .field(Field::record("config", config).required())
            .admin_form(),
    )
}
