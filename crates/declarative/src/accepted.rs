//! The body with which an accepted configuration is answered.
//!
//! Compat: the reference answers with the rows as they were before secrets were hashed and
//! digests made, and shows SNIs that a file nests in a certificate with that certificate. A
//! running configuration keeps neither, so what is needed is remembered from the document.

use std::collections::{HashMap, HashSet};

use entities::Map;
use serde_json::{Value, json};

use crate::config::Config;
use crate::document::Document;

/// What the answer needs from the document besides the configuration.
#[derive(Default)]
pub struct Accepted {
    /// Passwords as they were written, by user name.
    passwords: HashMap<String, Value>,
    /// Digests of certificates that were written down.
    digests: HashSet<String>,
    /// Names that are nested in certificates.
    names: HashSet<String>,
}

impl Accepted {
    /// Remembers what is needed of this document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let mut accepted = Self::default();
        let is_transformed = document.value().get("_transform") == Some(&Value::Bool(false));
        accepted.collect(document.value(), !is_transformed);
        accepted
    }

    fn collect(&mut self, value: &Value, is_plain: bool) {
        let Value::Object(members) = value else {
            return;
        };
        for (name, list) in members {
            for row in list.as_array().into_iter().flatten() {
                let text = |member: &str| row.get(member).and_then(Value::as_str);
                match name.as_str() {
                    "basicauth_credentials" if is_plain => {
                        if let (Some(user), Some(password)) =
                            (text("username"), row.get("password"))
                        {
                            self.passwords.insert(user.to_owned(), password.clone());
                        }
                    }
                    "ca_certificates" => self.digests.extend(text("cert_digest").map(lower)),
                    "certificates" => {
                        let nested = row.get("snis").and_then(Value::as_array);
                        let names = nested.into_iter().flatten();
                        let names = names.filter_map(|sni| sni.get("name")?.as_str());
                        self.names.extend(names.map(str::to_owned));
                    }
                    _ => {}
                }
                self.collect(row, is_plain);
            }
        }
    }

    /// The body: rows by kind and primary key.
    #[must_use]
    pub fn body(&self, config: &Config) -> Value {
        let mut kinds = Map::new();
        for (kind, rows) in &config.tables {
            let mut by_id = Map::new();
            for row in rows {
                let id = row.get("id").or_else(|| row.get("key"));
                if let Some(id) = id.and_then(Value::as_str) {
                    by_id.insert(id.to_owned(), self.shown(kind, row, config));
                }
            }
            if !by_id.is_empty() {
                kinds.insert(kind.clone(), Value::Object(by_id));
            }
        }
        Value::Object(kinds)
    }

    fn shown(&self, kind: &str, row: &Map, config: &Config) -> Value {
        let mut row = row.clone();
        match kind {
            "basicauth_credentials" => {
                let user = row.get("username").and_then(Value::as_str);
                if let Some(password) = user.and_then(|user| self.passwords.get(user)) {
                    row.insert("password".to_owned(), password.clone());
                }
            }
            "ca_certificates" => {
                let digest = row.get("cert_digest").and_then(Value::as_str).map(lower);
                if digest.is_none_or(|digest| !self.digests.contains(&digest)) {
                    row.insert("cert_digest".to_owned(), Value::Null);
                }
            }
            "certificates" => {
                let names = self.nested_names(&row, config);
                row.insert("snis".to_owned(), names);
            }
            _ => {}
        }
        Value::Object(row)
    }

    /// The names nested in a certificate as whole rows; null when there are none.
    fn nested_names(&self, certificate: &Map, config: &Config) -> Value {
        let is_nested = |row: &&Map| {
            row.get("certificate").and_then(|key| key.get("id")) == certificate.get("id")
                && row
                    .get("name")
                    .and_then(Value::as_str)
                    .is_some_and(|name| self.names.contains(name))
        };
        if self.names.is_empty() {
            return Value::Null;
        }
        let rows = config.rows("snis").iter().filter(is_nested).map(|row| {
            let mut row = row.clone();
            row.insert("_comment".to_owned(), Value::Null);
            row.insert("_ignore".to_owned(), Value::Null);
            Value::Object(row)
        });
        match rows.collect::<Vec<_>>() {
            rows if rows.is_empty() => Value::Null,
            rows => json!(rows),
        }
    }
}

impl std::fmt::Debug for Accepted {
    // It holds passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accepted").finish_non_exhaustive()
    }
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}
