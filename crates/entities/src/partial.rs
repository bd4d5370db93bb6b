//! Parts of configurations that several plugins share.
//!
//! A plugin names partials in `partials`; what a node gets is the plugin with the parts put in
//! their places ([`crate::Catalogue::with_partials`]), so nodes know no partials.

use schema::{Check, Field, FieldKind, Map, Schema};
use serde_json::Value;

use crate::kind::EntityKind;
use crate::partial_kinds;

/// What a partial is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("partials", "partial", "partials", describe());
    kind.endpoint_key = Some("name");
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("partials")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::string("name")
                .unique()
                .describe("Name of the part, by which plugins and files address it."),
        )
        .field(
            Field::string("type")
                .required()
                .one_of(partial_kinds::NAMES)
                .describe("What the part configures."),
        )
        .field(
            Field::abstract_record("config")
                .required()
                .sealed()
                .describe("The shared members; which there are depends on `type`."),
        )
        .field(Field::tags())
}

/// The description of a partial of one type: that of partials with its own configuration.
pub(crate) fn schema_of(name: &str) -> Option<Schema> {
    let config = partial_kinds::config(name)?;
    let mut schema = describe();
    for field in &mut schema.fields {
        if field.name == "config"
            && let Some(config) = &config
        {
            *field = Field::record("config", config.clone())
                .required()
                .sealed()
                .describe("The shared members.");
        }
    }
    Some(schema)
}

/// Puts a part in its place in the configuration of a plugin (`config.redis`, or the place of
/// that type in most plugins). Members of the part win; the rest of the configuration stays.
pub(crate) fn apply(plugin: &mut Map, partial: &Map, path: Option<&str>) {
    let kind = partial
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let path = path.unwrap_or_else(|| partial_kinds::usual_path(kind));
    let Some(Value::Object(part)) = partial.get("config") else {
        return;
    };
    let mut place = plugin;
    for step in path.split('.') {
        let slot = place.entry(step).or_insert(Value::Null);
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        let Value::Object(inner) = slot else { return };
        place = inner;
    }
    for (name, value) in part {
        place.insert(name.clone(), value.clone());
    }
}

/// The description of a plugin without the checks that look at what its partials bring: they are
/// tried on the plugin with the parts in their places.
pub(crate) fn without_checks(schema: &Schema, plugin: &Map) -> Schema {
    let named = plugin.get("partials").and_then(Value::as_array);
    let mut places: Vec<&str> = Vec::new();
    for item in named.into_iter().flatten() {
        match item.get("path").and_then(Value::as_str) {
            Some(path) => places.push(path),
            None => places.extend(partial_kinds::NAMES.map(partial_kinds::usual_path)),
        }
    }
    let mut schema = schema.clone();
    schema.checks.retain(|check| !looks_into(check, &places));
    let inside: Vec<&str> = places
        .iter()
        .filter_map(|place| place.strip_prefix("config."))
        .collect();
    for field in &mut schema.fields {
        if let ("config", FieldKind::Record(config)) = (field.name, &mut field.kind) {
            config.checks.retain(|check| !looks_into(check, &inside));
        }
    }
    schema
}

/// Whether a check judges a member below one of these places.
fn looks_into(check: &Check, places: &[&str]) -> bool {
    let members: Vec<&str> = match check {
        Check::AtLeastOneOf(fields)
        | Check::OnlyOneOf(fields)
        | Check::MutuallyRequired(fields)
        | Check::MutuallyExclusive(fields)
        | Check::Distinct(fields)
        | Check::Announced { fields, .. } => fields.clone(),
        Check::ConditionalAtLeastOneOf {
            then_any, else_any, ..
        } => [then_any.as_slice(), else_any].concat(),
        Check::Conditional { then_field, .. } => vec![then_field],
        Check::Custom(custom) => custom.fields.to_vec(),
    };
    let is_below = |member: &str, place: &str| {
        member
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    members
        .iter()
        .any(|member| places.iter().any(|place| is_below(member, place)))
}

/// Whether a plugin names partials.
pub(crate) fn are_named(plugin: &Map) -> bool {
    let named = plugin.get("partials").and_then(Value::as_array);
    named.is_some_and(|named| !named.is_empty())
}
