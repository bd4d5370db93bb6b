//! Members of the record that the configuration adds or removes by Lua code.
//!
//! Compat: of Lua only `return` with a constant expression is understood; anything else is said
//! when a configuration is taken and leaves the record as it is.

use serde_json::{Map, Value as Json};

use crate::template::{Scope, Template, Value};

/// The members, prepared.
#[derive(Clone, Debug, Default)]
pub(crate) struct CustomFields {
    /// Name and value; none takes the member away.
    fields: Vec<(String, Option<Json>)>,
}

/// Constants see nothing of a request.
struct Nothing;

impl Scope for Nothing {
    fn header(&self, _name: &[u8]) -> Value {
        Value::Nil
    }

    fn parameter(&self, _name: &[u8]) -> Value {
        Value::Nil
    }

    fn capture(&self, _name: &Value) -> Value {
        Value::Nil
    }
}

impl CustomFields {
    /// Prepares the member `custom_fields_by_lua` of a configuration.
    pub(crate) fn prepare(config: &Map<String, Json>, notices: &mut Vec<String>) -> Self {
        let code = config.get("custom_fields_by_lua").and_then(Json::as_object);
        let mut fields = Vec::new();
        for (name, code) in code.into_iter().flatten() {
            match constant(code.as_str().unwrap_or_default()) {
                Some(value) => fields.push((name.clone(), value)),
                None => notices.push(format!(
                    "`custom_fields_by_lua.{name}`: only `return` with a constant is understood; \
                     the record stays as it is"
                )),
            }
        }
        Self { fields }
    }

    /// Adds and removes the members.
    pub(super) fn apply(&self, record: &mut Map<String, Json>) {
        for (name, value) in &self.fields {
            match value {
                Some(value) => record.insert(name.clone(), value.clone()),
                None => record.shift_remove(name),
            };
        }
    }
}

/// The value that the code returns, if it is a constant; inside none for `nil`.
fn constant(code: &str) -> Option<Option<Json>> {
    let expression = code.trim().strip_prefix("return")?;
    let expression = expression.trim().trim_end_matches(';');
    let has_tables = ["headers", "query_params", "uri_captures", "shared"]
        .iter()
        .any(|table| expression.contains(table));
    if has_tables {
        return None;
    }
    if let Ok(number) = expression.parse::<f64>() {
        return Some(Some(number.into()));
    }
    match expression {
        "nil" | "" => return Some(None),
        "true" => return Some(Some(true.into())),
        "false" => return Some(Some(false.into())),
        _ => {}
    }
    let template = Template::parse(&format!("$({expression})")).ok()?;
    let value = template.render(&Nothing).ok()?;
    Some(Some(String::from_utf8_lossy(&value).into_owned().into()))
}
