//! The catalogue of the `entities` room as the store's model.

use serde_json::Value;
use uuid::Uuid;

use crate::Body;
use crate::model::{KindFacts, Model, OnDelete, Reference, UniqueKey};

/// Fields that are sealed besides those the schema marks. The marks say what the reference's
/// commercial edition encrypts; whatever opens a door is sealed here as well.
fn sealed_besides(kind: &str) -> &'static [&'static str] {
    match kind {
        // Passwords of Redis, tokens of collectors, keys of sessions …
        "plugins" | "vaults" => &["config"],
        "keyauth_credentials" => &["key"],
        "hmacauth_credentials" | "jwt_secrets" => &["secret"],
        "keys" => &["jwk", "pem"],
        "acme_storage" => &["value"],
        "sessions" => &["data"],
        "oauth2_tokens" => &["access_token", "refresh_token"],
        "oauth2_authorization_codes" => &["code"],
        _ => &[],
    }
}

impl Model for entities::Catalogue {
    fn kinds(&self) -> Vec<KindFacts> {
        let facts = |kind: &entities::EntityKind| {
            let marked = kind.schema.fields.iter().filter(|field| field.encrypted);
            let mut sealed: Vec<&'static str> = marked.map(|field| field.name).collect();
            sealed.extend(sealed_besides(kind.name));
            sealed.sort_unstable();
            sealed.dedup();
            KindFacts {
                name: kind.name,
                is_exported: kind.exported,
                has_ttl: kind.has_ttl,
                sealed,
            }
        };
        self.kinds().iter().map(facts).collect()
    }

    fn unique_keys(&self, kind: &str, body: &Body) -> Vec<UniqueKey> {
        let keys = self
            .kind(kind)
            .map(|kind| kind.unique_keys(body))
            .unwrap_or_default();
        let own = |field: &&str| (*field).to_owned();
        keys.into_iter()
            .map(|key| UniqueKey {
                fields: key.fields.iter().map(own).collect(),
                value: key.value,
            })
            .collect()
    }

    fn references(&self, kind: &str, body: &Body) -> Vec<Reference> {
        let references = self
            .kind(kind)
            .map(|kind| kind.references(body))
            .unwrap_or_default();
        let hard = references.into_iter().map(|reference| Reference {
            field: reference.field.to_owned(),
            kind: reference.kind.to_owned(),
            id: reference.id,
            on_delete: match reference.on_delete {
                entities::OnDelete::Cascade => OnDelete::Cascade,
                entities::OnDelete::Restrict => OnDelete::Restrict,
                entities::OnDelete::SetNull => OnDelete::SetNull,
            },
            is_soft: false,
        });
        hard.chain(trusted(kind, body)).collect()
    }
}

/// Trusted certificates of a service or plugin. Compat: that they exist is not checked when they
/// are named, but one that is named cannot be removed.
fn trusted(kind: &str, body: &Body) -> Vec<Reference> {
    const KIND: &str = "ca_certificates";
    let ids = match kind {
        "services" => body.get(KIND),
        "plugins" => body.get("config").and_then(|config| config.get(KIND)),
        _ => None,
    };
    let ids = ids.and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(|id| Uuid::try_parse(id.as_str()?).ok())
        .map(|id| Reference {
            field: KIND.to_owned(),
            kind: KIND.to_owned(),
            id,
            on_delete: OnDelete::Restrict,
            is_soft: true,
        })
        .collect()
}
