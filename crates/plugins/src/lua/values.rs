//! Values of Lua as JSON and back.

use mlua::{Lua, Table, Value};
use serde_json::{Map, Number, Value as Json};

/// Deepest nesting that is written or read.
const DEPTH_MAX: usize = 128;

/// Longest list with holes that is written.
const SPARSE_MAX: i64 = 10_000;

/// What cannot be told by a value of Lua alone.
#[derive(Clone)]
pub(super) struct Marks {
    /// Stands for `null`.
    pub(super) null: Value,
    /// The metatable of lists.
    pub(super) array: Table,
    /// A list without members.
    pub(super) empty_array: Value,
}

impl Marks {
    pub(super) fn new(lua: &Lua) -> mlua::Result<Self> {
        let array = lua.create_table()?;
        let empty = lua.create_table()?;
        empty.set_metatable(Some(array.clone()))?;
        Ok(Self {
            null: Value::NULL,
            array,
            empty_array: Value::Table(empty),
        })
    }
}

fn fault(text: &str) -> mlua::Error {
    mlua::Error::runtime(text)
}

/// A value as JSON.
pub(super) fn to_json(value: &Value, marks: &Marks, depth: usize) -> mlua::Result<Json> {
    if depth > DEPTH_MAX {
        return Err(fault("Cannot serialise, excessive depth"));
    }
    match value {
        Value::Nil | Value::LightUserData(_) => Ok(Json::Null),
        Value::Boolean(value) => Ok(Json::Bool(*value)),
        Value::Integer(value) => Ok((*value).into()),
        Value::Number(value) => number(*value),
        Value::String(text) => Ok(text.to_string_lossy().into()),
        Value::Table(members) => table(members, marks, depth),
        other => Err(fault(&format!(
            "Cannot serialise {}: type not supported",
            other.type_name()
        ))),
    }
}

fn number(value: f64) -> mlua::Result<Json> {
    let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
    let whole = is_whole
        .then(|| format!("{value:.0}").parse::<i64>().ok())
        .flatten();
    if let Some(whole) = whole {
        return Ok(whole.into());
    }
    let number = Number::from_f64(value);
    let number =
        number.ok_or_else(|| fault("Cannot serialise number: must not be NaN or Infinity"))?;
    Ok(Json::Number(number))
}

fn table(members: &Table, marks: &Marks, depth: usize) -> mlua::Result<Json> {
    let is_marked = members.metatable().is_some_and(|meta| meta == marks.array);
    let mut pairs = Vec::new();
    let (mut highest, mut is_list) = (0, true);
    for pair in members.pairs::<Value, Value>() {
        let (key, value) = pair?;
        match &key {
            Value::Integer(at) if *at > 0 => highest = highest.max(*at),
            Value::Number(at) if at.fract() == 0.0 && *at > 0.0 && *at < 1e15 => {
                highest = highest.max(format!("{at:.0}").parse().unwrap_or(0));
            }
            _ => is_list = false,
        }
        pairs.push((key, value));
    }
    if is_list && (is_marked || !pairs.is_empty()) {
        let count = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
        if highest > SPARSE_MAX && highest / 2 > count {
            return Err(fault("Cannot serialise table: excessively sparse array"));
        }
        let mut list = Vec::new();
        for at in 1..=highest {
            list.push(to_json(&members.raw_get(at)?, marks, depth + 1)?);
        }
        return Ok(Json::Array(list));
    }
    let mut object = Map::new();
    for (key, value) in pairs {
        let name = match key {
            Value::String(name) => name.to_string_lossy(),
            Value::Integer(number) => number.to_string(),
            Value::Number(number) => number.to_string(),
            _ => {
                return Err(fault(
                    "Cannot serialise table: table key must be a number or string",
                ));
            }
        };
        object.insert(name, to_json(&value, marks, depth + 1)?);
    }
    Ok(Json::Object(object))
}

/// JSON as a value.
pub(super) fn from_json(lua: &Lua, json: &Json, marks: &Marks) -> mlua::Result<Value> {
    Ok(match json {
        Json::Null => marks.null.clone(),
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(0.0)),
        Json::String(text) => Value::String(lua.create_string(text)?),
        Json::Array(list) => {
            let members = lua.create_table_with_capacity(list.len(), 0)?;
            for (at, one) in list.iter().enumerate() {
                members.raw_set(at + 1, from_json(lua, one, marks)?)?;
            }
            members.set_metatable(Some(marks.array.clone()))?;
            Value::Table(members)
        }
        Json::Object(object) => {
            let members = lua.create_table_with_capacity(0, object.len())?;
            for (name, one) in object {
                members.raw_set(name.as_str(), from_json(lua, one, marks)?)?;
            }
            Value::Table(members)
        }
    })
}

/// An entity as a table: what is not set is absent.
pub(super) fn entity(lua: &Lua, document: &[u8], marks: &Marks) -> mlua::Result<Value> {
    let mut json: Map<String, Json> = serde_json::from_slice(document).unwrap_or_default();
    json.retain(|_, value| !value.is_null());
    from_json(lua, &Json::Object(json), marks)
}
