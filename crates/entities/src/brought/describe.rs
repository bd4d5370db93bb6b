//! From a constant table to a description.

use crate::Scope;
use schema::{Field, Schema};

use super::CustomPlugin;
use super::fault::SchemaFault;
use super::names::keep;
use super::value::{Lua, Table};
use super::{rules, typedefs};

/// Characters of a plugin's name.
const MAX_NAME: usize = 128;

/// What members of a definition mean, besides rules and those that say the kind.
const KNOWN: [&str; 39] = [
    "type",
    "required",
    "default",
    "elements",
    "keys",
    "values",
    "fields",
    "entity_checks",
    "reference",
    "schema",
    "referenceable",
    "encrypted",
    "description",
    "deprecation",
    "err",
    "auto",
    "immutable",
    "unique",
    "abstract",
    "nullable",
    "eq",
    "ne",
    "one_of",
    "not_one_of",
    "gt",
    "timestamp",
    "uuid",
    "is_regex",
    "between",
    "len_eq",
    "len_min",
    "len_max",
    "starts_with",
    "match",
    "not_match",
    "contains",
    "custom_validator",
    "json_schema",
    "indexed",
];

pub(super) fn plugin(value: &Lua) -> Result<CustomPlugin, SchemaFault> {
    let Lua::Table(table) = value else {
        return Err(SchemaFault::whole("a description is a table"));
    };
    let name = table.text("name").filter(|name| is_name(name));
    let name = name.ok_or_else(|| {
        let reason = "`name` must be given: letters, digits, `-`, `_` and `.`, at most 128";
        SchemaFault::whole(reason)
    })?;
    let Some(Lua::Table(fields)) = table.get("fields") else {
        return Err(SchemaFault::whole("`fields` must be a list"));
    };
    let mut plugin = CustomPlugin {
        name: keep(name)?,
        config: Schema::new(keep(name)?),
        protocols: None,
        forbidden: Vec::new(),
        origin: "",
        version: None,
    };
    let mut has_config = false;
    for item in &fields.list {
        let (member, definition) = single(item)?;
        match member {
            "config" => {
                let Lua::Table(definition) = definition else {
                    return Err(SchemaFault::whole("`config` must be a record"));
                };
                plugin.config = record(definition, plugin.name, "config")?;
                has_config = true;
            }
            "protocols" => plugin.protocols = Some(protocols(definition)?),
            "consumer" => forbid(&mut plugin, Scope::Consumer, definition)?,
            "consumer_group" => forbid(&mut plugin, Scope::ConsumerGroup, definition)?,
            "service" => forbid(&mut plugin, Scope::Service, definition)?,
            "route" => forbid(&mut plugin, Scope::Route, definition)?,
            other => {
                let reason = format!("plugins have no member `{other}`");
                return Err(SchemaFault::whole(reason));
            }
        }
    }
    if !has_config {
        return Err(SchemaFault::whole("`fields` has no `config`"));
    }
    plugin.config.outer_checks = rules::checks(table)?;
    Ok(plugin)
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_part)
}

/// The one member of an item of a list of fields.
fn single(item: &Lua) -> Result<(&str, &Lua), SchemaFault> {
    if let Lua::Table(table) = item
        && let [(name, value)] = table.members.as_slice()
        && table.list.is_empty()
    {
        return Ok((name, value));
    }
    let reason = "an item of `fields` is a table with one member: `{ name = { … } }`";
    Err(SchemaFault::whole(reason))
}

fn protocols(definition: &Lua) -> Result<Vec<&'static str>, SchemaFault> {
    let fault = || SchemaFault::whole("`protocols` must be one of the usual definitions");
    match definition {
        Lua::Typedef(name, _) => typedefs::protocols(name).ok_or_else(fault),
        _ => Err(fault()),
    }
}

/// Compat: `no_consumer` and its siblings, or `eq = ngx.null` which only they write.
fn forbid(plugin: &mut CustomPlugin, scope: Scope, definition: &Lua) -> Result<(), SchemaFault> {
    match definition {
        Lua::Typedef(name, _) if name.starts_with("no_") => {
            plugin.forbidden.push(scope);
            Ok(())
        }
        _ => {
            let reason = "a scope can only be forbidden: `typedefs.no_consumer` and its siblings";
            Err(SchemaFault::whole(reason))
        }
    }
}

fn record(table: &Table, name: &'static str, path: &str) -> Result<Schema, SchemaFault> {
    let within = |fault: SchemaFault| SchemaFault::whole(format!("{path}: {}", fault.reason));
    if table.text("type").is_some_and(|kind| kind != "record") {
        return Err(SchemaFault::whole(format!("{path}: must be a record")));
    }
    let Some(Lua::Table(fields)) = table.get("fields") else {
        return Err(SchemaFault::whole(format!(
            "{path}: `fields` must be a list"
        )));
    };
    let mut schema = Schema::new(name);
    for item in &fields.list {
        let (member, definition) = single(item).map_err(within)?;
        let inner = format!("{path}.{member}");
        let field = field(keep(member)?, definition, &inner)?;
        schema = schema.field(field);
    }
    schema.checks = rules::checks(table).map_err(within)?;
    Ok(schema)
}

/// One field. `path` is for faults.
fn field(name: &'static str, definition: &Lua, path: &str) -> Result<Field, SchemaFault> {
    let within = |fault: SchemaFault| SchemaFault::whole(format!("{path}: {}", fault.reason));
    let refuse = |reason: String| Err(SchemaFault::whole(format!("{path}: {reason}")));
    let (field, table) = match definition {
        Lua::Typedef(typedef, changes) => {
            (typedefs::field(name, typedef).map_err(within)?, changes)
        }
        Lua::Table(table) => (kind(name, table, path)?, table),
        _ => return refuse("a definition is a table".to_owned()),
    };
    for (member, _) in &table.members {
        if !KNOWN.contains(&member.as_str()) {
            return refuse(format!("`{member}` is not read"));
        }
    }
    let mut field = rules::add(field, table).map_err(within)?;
    match table.flag("required") {
        Some(true) => field = field.required(),
        Some(false) => field = field.optional(),
        None => {}
    }
    if let Some(default) = table.get("default") {
        let is_list = matches!(table.text("type"), Some("array" | "set"));
        let Some(default) = default.json(is_list) else {
            return refuse("the default is no constant".to_owned());
        };
        field = field.default(default);
    }
    if table.flag("referenceable") == Some(true) {
        field = field.referenceable();
    }
    if table.flag("encrypted") == Some(true) {
        field = field.encrypted();
    }
    if let Some(message) = table.text("err") {
        field = field.err(keep(message)?);
    }
    if let Some(description) = table.text("description") {
        field = field.describe(keep(description)?);
    }
    Ok(field)
}

fn kind(name: &'static str, table: &Table, path: &str) -> Result<Field, SchemaFault> {
    let refuse = |reason: String| Err(SchemaFault::whole(format!("{path}: {reason}")));
    let part = |member: &str| match table.get(member) {
        Some(definition) => field("", definition, &format!("{path}.{member}")),
        None => Ok(Field::string("")),
    };
    Ok(match table.text("type") {
        Some("string") => Field::string(name),
        Some("integer") => Field::integer(name),
        Some("number") => Field::number(name),
        Some("boolean") => Field::boolean(name),
        Some("array") => Field::array(name, part("elements")?),
        Some("set") => Field::set(name, part("elements")?),
        Some("map") => Field::map(name, part("keys")?, part("values")?),
        Some("record") => Field::record(name, record(table, "", path)?),
        Some("json" | "any") => Field::json(name),
        Some(other) => return refuse(format!("the type `{other}` is not known")),
        None if table.get("fields").is_some() => Field::record(name, record(table, "", path)?),
        None => return refuse("`type` must be given".to_owned()),
    })
}
