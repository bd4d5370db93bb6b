//! The reference's own schema document (`GET /schemas/…`) of a description.
//!
//! Compat: clients (decK, go-kong) walk exactly this shape to learn defaults. Validators in code
//! and messages of their own have no place in it, except where the reference publishes them.

use serde_json::{Map, Value, json};

use crate::check::{Check, Condition};
use crate::field::{Deprecation, Field, FieldKind, Schema};
use crate::rule::Rule;
use crate::shorthand::{Expansion, Shorthand};

/// Kong's next major version, in which deprecated fields go.
const REMOVAL: &str = "4.0";

impl Schema {
    /// The schema document that the Admin API publishes: `fields` and `entity_checks`.
    #[must_use]
    pub fn admin_form(&self) -> Value {
        let mut form = Map::new();
        form.insert("fields".to_owned(), fields(self, Place::of(self, "")));
        form.insert("entity_checks".to_owned(), checks(&self.checks));
        Value::Object(form)
    }

    /// This description as the `config` of a plugin: a required record.
    #[must_use]
    pub fn config_form(&self) -> Value {
        let mut form = Map::new();
        form.insert("type".to_owned(), Value::from("record"));
        form.insert("required".to_owned(), Value::Bool(true));
        record_members(self, Place::of(self, "config"), &mut form);
        Value::Object(form)
    }

    /// The checks that run on the plugin around this configuration.
    #[must_use]
    pub fn outer_checks_form(&self) -> Value {
        checks(&self.outer_checks)
    }
}

/// Where in a plugin's configuration a record stands; notes on old names say so.
#[derive(Clone, Copy)]
struct Place<'a> {
    plugin: &'a str,
    path: &'a str,
}

impl<'a> Place<'a> {
    fn of(schema: &Schema, path: &'a str) -> Self {
        Self {
            plugin: schema.name,
            path,
        }
    }
}

/// The list of fields, each an object of one member.
fn fields(schema: &Schema, place: Place<'_>) -> Value {
    let one = |field: &Field| json!({ field.name: attributes(field, place) });
    let listed = schema.fields.iter().filter(|field| !field.extension);
    Value::Array(listed.map(one).collect())
}

/// The attributes of a field.
fn attributes(field: &Field, place: Place<'_>) -> Value {
    let mut form = Map::new();
    form.insert("type".to_owned(), Value::from(field.kind.name()));
    kind_members(field, place, &mut form);
    if let Some(required) = field.required.filter(|is| !is || !field.name.is_empty()) {
        form.insert("required".to_owned(), Value::Bool(required));
    }
    if let Some(default) = field.default.clone() {
        form.insert("default".to_owned(), default);
    }
    marks(field, &mut form);
    if let Some(deprecation) = &field.deprecation {
        form.insert("deprecation".to_owned(), note(deprecation));
    }
    for (name, value) in field.rules.iter().filter_map(published) {
        form.insert(name.to_owned(), value);
    }
    if field.published_abstract {
        form.remove("required");
    }
    Value::Object(form)
}

fn note(deprecation: &Deprecation) -> Value {
    let mut note = json!({"message": deprecation.message, "removal_in_version": REMOVAL});
    if let Some(old) = &deprecation.old_default {
        note["old_default"] = old.clone();
    }
    note
}

/// What a kind says besides its name.
fn kind_members(field: &Field, place: Place<'_>, form: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| form.insert(name.to_owned(), value);
    match &field.kind {
        FieldKind::Array(element) | FieldKind::Set(element) => {
            put("elements", attributes(element, place));
        }
        FieldKind::Map { keys, values } => {
            put("keys", attributes(keys, place));
            put("values", attributes(values, place));
        }
        FieldKind::Foreign(entity) => {
            put("reference", Value::from(*entity));
        }
        FieldKind::Abstract => {
            put("abstract", Value::Bool(true));
        }
        FieldKind::Record(_) if field.published_abstract => {
            put("abstract", Value::Bool(true));
        }
        FieldKind::Record(schema) => {
            let path = match (place.path, field.name) {
                ("", name) => name.to_owned(),
                (path, "") => path.to_owned(),
                (path, name) => format!("{path}.{name}"),
            };
            let place = Place {
                path: &path,
                ..place
            };
            record_members(schema, place, form);
        }
        FieldKind::String | FieldKind::Integer | FieldKind::Number | FieldKind::Boolean => {}
        FieldKind::Json => {
            if let Some(published) = field.json_description {
                put("json_schema", published());
            }
        }
    }
}

fn marks(field: &Field, form: &mut Map<String, Value>) {
    let flags = [
        ("auto", field.auto),
        ("unique", field.unique),
        ("unique_across_ws", field.unique_across_workspaces),
        ("immutable", field.immutable),
        ("referenceable", field.referenceable),
        ("encrypted", field.published_as_secret),
        ("transient", field.transient),
    ];
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        form.insert((*name).to_owned(), Value::Bool(true));
    }
    insert_text(form, "on_delete", field.on_delete);
    insert_text(form, "err", field.err);
    let description = Some(field.description).filter(|text| !text.is_empty());
    insert_text(form, "description", description);
}

fn record_members(schema: &Schema, place: Place<'_>, form: &mut Map<String, Value>) {
    form.insert("fields".to_owned(), fields(schema, place));
    let list = checks(&schema.checks);
    if list.as_array().is_some_and(|list| !list.is_empty()) {
        form.insert("entity_checks".to_owned(), list);
    }
    if !schema.shorthands.is_empty() {
        let one = |item: &Shorthand| shorthand(item, place);
        let list = schema.shorthands.iter().map(one).collect();
        form.insert("shorthand_fields".to_owned(), Value::Array(list));
    }
}

fn shorthand(shorthand: &Shorthand, place: Place<'_>) -> Value {
    let Value::Object(mut form) = attributes(&shorthand.field, place) else {
        return Value::Null;
    };
    if let (Expansion::Into(path), true) = (&shorthand.expansion, shorthand.deprecated) {
        let Place { plugin, path: at } = place;
        let name = shorthand.field.name;
        let message =
            format!("{plugin}: {at}.{name} is deprecated, please use {at}.{path} instead");
        let path: Vec<&str> = path.split('.').collect();
        let note = json!({
            "message": message,
            "removal_in_version": REMOVAL,
            "replaced_with": [{ "path": path }],
        });
        form.insert("deprecation".to_owned(), note);
    }
    json!({ shorthand.field.name: form })
}

fn published(rule: &Rule) -> Option<(&'static str, Value)> {
    let patterns = |list: &[(crate::Pattern, &'static str)]| {
        let one = |(pattern, err): &(crate::Pattern, &'static str)| json!({"pattern": pattern.lua(), "err": err});
        Value::Array(list.iter().map(one).collect())
    };
    Some(match rule {
        Rule::Eq(value) => ("eq", value.clone()),
        Rule::Ne(value) => ("ne", value.clone()),
        Rule::NotOneOf(list) => ("not_one_of", Value::Array(list.clone())),
        Rule::OneOf(list) | Rule::OneOfOr(list, _) => ("one_of", Value::Array(list.clone())),
        Rule::Gt(limit) => ("gt", number(*limit)),
        Rule::Timestamp => ("timestamp", Value::Bool(true)),
        Rule::Uuid => ("uuid", Value::Bool(true)),
        Rule::IsRegex => ("is_regex", Value::Bool(true)),
        Rule::Between(low, high) => ("between", json!([number(*low), number(*high)])),
        Rule::LenEq(length) => ("len_eq", Value::from(*length)),
        Rule::LenMin(length) => ("len_min", Value::from(*length)),
        Rule::LenMax(length) => ("len_max", Value::from(*length)),
        Rule::StartsWith(prefix) => ("starts_with", Value::from(*prefix)),
        Rule::NotMatch(pattern) => ("not_match", Value::from(pattern.lua())),
        Rule::MatchNone(list) => ("match_none", patterns(list)),
        Rule::Match(pattern) => ("match", Value::from(pattern.lua())),
        Rule::MatchAll(list) => ("match_all", patterns(list)),
        Rule::MatchAny(list, err) => {
            let list: Vec<&str> = list.iter().map(crate::Pattern::lua).collect();
            ("match_any", json!({"patterns": list, "err": err}))
        }
        Rule::Contains(value) => ("contains", value.clone()),
        Rule::ExclusiveSubsets(sets) => ("mutually_exclusive_subsets", json!(sets)),
        Rule::Custom(..) => return None,
    })
}

/// A limit; infinity is a text, because JSON has none.
fn number(limit: f64) -> Value {
    if limit.is_infinite() {
        return Value::from(if limit > 0.0 { "inf" } else { "-inf" });
    }
    let value = Value::from(limit);
    crate::whole_number(&value).map_or(value, Value::from)
}

fn checks(list: &[Check]) -> Value {
    let published = |item: &&Check| match item {
        Check::Custom(custom) => !custom.published.is_empty(),
        _ => true,
    };
    Value::Array(list.iter().filter(published).map(check).collect())
}

fn check(check: &Check) -> Value {
    match check {
        Check::AtLeastOneOf(fields) => json!({"at_least_one_of": fields}),
        Check::OnlyOneOf(fields) => json!({"only_one_of": fields}),
        Check::MutuallyRequired(fields) => json!({"mutually_required": fields}),
        Check::MutuallyExclusive(fields) => json!({"mutually_exclusive": fields}),
        Check::Distinct(fields) => json!({"distinct": fields}),
        Check::ConditionalAtLeastOneOf {
            if_field,
            if_match,
            then_any,
            then_err,
            else_any,
            else_err,
        } => {
            let mut form = Map::new();
            form.insert("if_field".to_owned(), Value::from(*if_field));
            form.insert("if_match".to_owned(), condition(if_match));
            form.insert("then_at_least_one_of".to_owned(), json!(then_any));
            insert_text(&mut form, "then_err", *then_err);
            if !else_any.is_empty() {
                form.insert("else_then_at_least_one_of".to_owned(), json!(else_any));
            }
            insert_text(&mut form, "else_then_err", *else_err);
            json!({"conditional_at_least_one_of": form})
        }
        Check::Conditional {
            if_field,
            if_match,
            then_field,
            then_match,
            then_err,
        } => {
            let mut form = Map::new();
            form.insert("if_field".to_owned(), Value::from(*if_field));
            form.insert("if_match".to_owned(), condition(if_match));
            form.insert("then_field".to_owned(), Value::from(*then_field));
            form.insert("then_match".to_owned(), condition(then_match));
            insert_text(&mut form, "then_err", *then_err);
            json!({"conditional": form})
        }
        Check::Announced {
            fields,
            run_with_invalid_fields,
        } => in_code(fields, false, *run_with_invalid_fields),
        Check::Custom(custom) => in_code(
            custom.published,
            custom.run_with_missing_fields,
            custom.run_with_invalid_fields,
        ),
    }
}

fn in_code(fields: &[&'static str], with_missing: bool, with_invalid: bool) -> Value {
    let mut form = Map::new();
    if with_missing {
        form.insert("run_with_missing_fields".to_owned(), Value::Bool(true));
    }
    if with_invalid {
        form.insert("run_with_invalid_fields".to_owned(), Value::Bool(true));
    }
    form.insert("field_sources".to_owned(), json!(fields));
    json!({"custom_entity_check": form})
}

fn insert_text(form: &mut Map<String, Value>, name: &str, text: Option<&'static str>) {
    if let Some(text) = text {
        form.insert(name.to_owned(), Value::from(text));
    }
}

fn condition(condition: &Condition) -> Value {
    let mut form = Map::new();
    if condition.required {
        form.insert("required".to_owned(), Value::Bool(true));
    }
    for (name, value) in condition.rules.iter().filter_map(published) {
        form.insert(name.to_owned(), value);
    }
    if !condition.elements.is_empty() {
        let mut elements = Map::new();
        elements.insert("type".to_owned(), Value::from("string"));
        for (name, value) in condition.elements.iter().filter_map(published) {
            elements.insert(name.to_owned(), value);
        }
        form.insert("elements".to_owned(), Value::Object(elements));
    }
    Value::Object(form)
}
