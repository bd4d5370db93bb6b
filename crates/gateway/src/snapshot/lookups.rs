//! Consumers and credentials, indexed for plugins.

use std::collections::HashMap;
use std::sync::Arc;

use declarative::Config;
use entities::Consumer;
use plugin_api::{ConsumerInfo, CredentialEntry, CredentialKind, Lookups, LookupsBuilder};
use schema::Reader;
use serde_json::Value;
use uuid::Uuid;

use super::compile::{Report, Row, bytes, id_text, rows};
use super::groups::Groups;

/// Indexes the consumers of a configuration and every kind of credential that a plugin declares.
pub(super) fn compile(config: &Config, groups: &Groups, report: &mut Report) -> LookupsBuilder {
    let kinds: Vec<&CredentialKind> = plugins::DEFINITIONS
        .iter()
        .flat_map(|definition| definition.credentials)
        .collect();
    let slots = kinds.iter().map(|kind| (kind.entity, kind.field));
    let mut builder = Lookups::builder(slots.collect());
    for row in rows(config, "consumers") {
        if let Some(consumer) = report.read::<Consumer>(row) {
            builder.consumer(ConsumerInfo {
                id: consumer.id,
                id_text: id_text(consumer.id),
                username: bytes(consumer.username.as_ref()),
                custom_id: bytes(consumer.custom_id.as_ref()),
                groups: groups.of(consumer.id).to_vec(),
                document: plugin_api::document(row.body),
            });
        }
    }
    for row in rows(config, "upstreams") {
        if let Some(name) = row.body.get("name").and_then(Value::as_str) {
            builder.upstream(name.to_owned());
        }
    }
    for row in rows(config, "acls") {
        acl(&mut builder, row, report);
    }
    let applications = applications(config);
    for kind in kinds {
        for row in rows(config, kind.entity) {
            credential(&mut builder, kind, &applications, row, report);
        }
    }
    builder
}

/// The owners of applications, which own their tokens.
fn applications(config: &Config) -> HashMap<Uuid, Uuid> {
    let pair = |row: Row<'_>| {
        let read = Reader::new("oauth2_credentials", row.body);
        let id = Uuid::parse_str(&read.text("id").ok()??).ok()?;
        let owner = Uuid::parse_str(read.foreign("consumer").ok()??).ok()?;
        Some((id, owner))
    };
    rows(config, "oauth2_credentials")
        .filter_map(pair)
        .collect()
}

/// Puts a consumer into a group.
fn acl(builder: &mut LookupsBuilder, row: Row<'_>, report: &mut Report) {
    let read = Reader::new("acls", row.body);
    let owner = read.foreign("consumer").ok().flatten();
    let owner = owner.and_then(|owner| Uuid::parse_str(owner).ok());
    let group = read.text("group").ok().flatten();
    match (owner, group) {
        (Some(owner), Some(group)) if builder.find_consumer(owner).is_some() => {
            builder.acl_group(owner, group.into());
        }
        _ => {
            let text = "its consumer is not part of the configuration".to_owned();
            report.problem(row, "consumer", text);
        }
    }
}

fn credential(
    builder: &mut LookupsBuilder,
    kind: &CredentialKind,
    applications: &HashMap<Uuid, Uuid>,
    row: Row<'_>,
    report: &mut Report,
) {
    let read = Reader::new(kind.entity, row.body);
    let id = read.text("id").ok().flatten();
    let id = id.and_then(|id| Uuid::parse_str(&id).ok());
    let shown = read.text(kind.field).ok().flatten();
    let (Some(id), Some(shown)) = (id, shown) else {
        let text = format!("a credential needs `id` and `{}`", kind.field);
        return report.problem(row, kind.field, text);
    };
    let foreign = |field| {
        let id = read.foreign(field).ok().flatten();
        id.and_then(|id| Uuid::parse_str(id).ok())
    };
    // A token belongs to whom its application belongs to.
    let owner = foreign("consumer").or_else(|| applications.get(&foreign("credential")?).copied());
    let consumer = owner.and_then(|owner| builder.find_consumer(owner));
    let slot = builder.slot_by(kind.entity, kind.field);
    let (Some(consumer), Some(slot)) = (consumer, slot) else {
        let text = "its consumer is not part of the configuration".to_owned();
        return report.problem(row, "consumer", text);
    };
    // Compat: in a configuration `ttl` is the second at which the credential ends.
    let expires_at: Option<u64> = read.integer("ttl").ok().flatten();
    let entry = CredentialEntry {
        id,
        id_text: id_text(id),
        consumer: Arc::clone(consumer),
        expires_at_ms: expires_at.map(|seconds| seconds.saturating_mul(1000)),
        prepared: kind.prepare.and_then(|prepare| prepare(row.body)),
    };
    builder.credential(slot, shown.as_bytes(), entry);
}
