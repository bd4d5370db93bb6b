//! The whole document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::components;
use super::operation::{Access, Operation};

/// What a host serves.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// What it is about, in a few words.
    pub title: String,
    /// Where it is served; without one, at the place it is read from.
    pub server: Option<String>,
    /// Everything that can be called.
    pub operations: Vec<Operation>,
    /// Named schemas that operations refer to.
    pub schemas: Map<String, Value>,
}

impl Document {
    /// The document in OpenAPI 3.1.
    #[must_use]
    pub fn render(&self) -> Value {
        let mut paths: Map<String, Value> = Map::new();
        for operation in &self.operations {
            let item = paths
                .entry(operation.path.clone())
                .or_insert_with(|| json!({}));
            item[operation.method.to_ascii_lowercase()] = operation.describe();
        }
        let server = self.server.as_deref().unwrap_or("/");
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": format!("Gatehouse: {}", self.title),
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": server}],
            "tags": self.tags(),
            "paths": paths,
            "components": {
                "securitySchemes": self.security(),
                "schemas": self.components(),
            },
        })
    }

    fn tags(&self) -> Value {
        let tags: BTreeSet<_> = self
            .operations
            .iter()
            .map(|operation| operation.tag)
            .collect();
        tags.into_iter().map(|name| json!({"name": name})).collect()
    }

    fn security(&self) -> Value {
        let mut schemes = json!({});
        let has = |access| self.operations.iter().any(|one| one.access == access);
        if has(Access::Token) {
            schemes["token"] = json!({
                "type": "http",
                "scheme": "bearer",
                "description": "A personal access token or one of a system account",
            });
        }
        if has(Access::Certificate) {
            schemes["certificate"] = json!({
                "type": "mutualTLS",
                "description": "A client certificate that is registered with the control plane",
            });
        }
        schemes
    }

    fn components(&self) -> Map<String, Value> {
        let mut schemas = self.schemas.clone();
        for operation in &self.operations {
            let form = operation.errors;
            schemas
                .entry(form.component())
                .or_insert_with(|| components::error(form));
        }
        schemas
    }
}
