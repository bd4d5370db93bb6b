//! Messages as JSON, and back.
//!
//! Compat: members have the names of the fields, numbers of 64 bits are numbers, fields of proto3
//! without a value have their default, as in the reference.

use prost_reflect::prost::Message;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions,
};
use serde_json::{Map, Value};

/// A message as JSON; `member` names the one of its fields that is wanted, if not all.
///
/// # Errors
///
/// When the bytes are no such message.
pub(crate) fn decode(
    kind: &MessageDescriptor,
    bytes: &[u8],
    member: &str,
) -> Result<Vec<u8>, String> {
    let message = DynamicMessage::decode(kind.clone(), bytes);
    let message = message.map_err(|error| error.to_string())?;
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(false)
        .use_proto_field_name(true)
        .skip_default_fields(false);
    let value = message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|error| error.to_string())?;
    let value = match value {
        Value::Object(mut members) if !member.is_empty() => {
            members.remove(member).unwrap_or_default()
        }
        value => value,
    };
    serde_json::to_vec(&value).map_err(|error| error.to_string())
}

/// A message out of JSON. Members that the message has not are passed over.
///
/// # Errors
///
/// A sentence about the member that does not fit.
pub(crate) fn encode(kind: &MessageDescriptor, mut value: Value) -> Result<Vec<u8>, String> {
    if let Value::Object(members) = &mut value {
        fit_members(kind, members)?;
    }
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let message = DynamicMessage::deserialize_with_options(kind.clone(), value, &options);
    message
        .map(|message| message.encode_to_vec())
        .map_err(|error| error.to_string())
}

/// Puts a text that came with a path or a query to the field of a dotted name; a name that leads
/// nowhere is passed over.
pub(crate) fn place(
    kind: &MessageDescriptor,
    members: &mut Map<String, Value>,
    name: &str,
    text: String,
) {
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let Some(field) = field(kind, first) else {
        return;
    };
    let kept = members.entry(field.name().to_owned());
    match (rest, field.kind()) {
        (None, _) if field.is_list() => {
            let list = kept.or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(text.into());
            }
        }
        (None, _) => *kept.or_insert(Value::Null) = text.into(),
        (Some(rest), Kind::Message(kind)) if !field.is_list() && !field.is_map() => {
            let inner = kept.or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                place(&kind, inner, rest, text);
            }
        }
        (Some(_), _) => {}
    }
}

fn field(kind: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    let by_json = || kind.get_field_by_json_name(name);
    kind.get_field_by_name(name).or_else(by_json)
}

/// Makes values fit that the reference takes and the JSON of protocol buffers does not.
fn fit_members(kind: &MessageDescriptor, members: &mut Map<String, Value>) -> Result<(), String> {
    if kind.full_name().starts_with("google.protobuf.") {
        return Ok(());
    }
    for (name, value) in members {
        let Some(field) = field(kind, name) else {
            continue;
        };
        match value {
            Value::Array(list) if field.is_list() => {
                for value in list {
                    fit(&field.kind(), name, value)?;
                }
            }
            Value::Object(entries) if field.is_map() => {
                if let Kind::Message(entry) = field.kind() {
                    let kind = entry.map_entry_value_field().kind();
                    for value in entries.values_mut() {
                        fit(&kind, name, value)?;
                    }
                }
            }
            value => fit(&field.kind(), name, value)?,
        }
    }
    Ok(())
}

fn fit(kind: &Kind, name: &str, value: &mut Value) -> Result<(), String> {
    match (kind, &mut *value) {
        (Kind::Message(kind), Value::Object(members)) => return fit_members(kind, members),
        (Kind::Message(kind), Value::String(text))
            if kind.full_name() == "google.protobuf.Timestamp" && lacks_zone(text) =>
        {
            text.push('Z');
        }
        (Kind::Message(_), _) => {}
        // Compat: refused, although the JSON of protocol buffers takes it for the default.
        (_, Value::Null) => return Err(format!("`{name}` is null")),
        (Kind::Bool, Value::String(text)) => {
            *value = match text.as_str() {
                "true" | "1" => true.into(),
                "false" | "0" | "" => false.into(),
                _ => return Err(format!("`{name}` is no boolean")),
            };
        }
        (Kind::String, Value::Number(number)) => *value = number.to_string().into(),
        (Kind::Enum(_), Value::String(text)) => {
            if let Ok(number) = text.parse::<i32>() {
                *value = number.into();
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a time of a day names no zone.
fn lacks_zone(text: &str) -> bool {
    let Some((_, time)) = text.split_once('T') else {
        return false;
    };
    !time.contains(['Z', 'z', '+', '-'])
}
