//! Typed reading of a validated document.
//!
//! Lenient where the reference's wire is: numbers may be floats, `{}` and `[]` both mean
//! empty, a foreign key is an object or a plain id.

use serde_json::Value;

use crate::Map;

/// A member that cannot be read as its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entity}`: member `{field}` is not {expected}")]
pub struct DecodeError {
    /// Plural name of the entity.
    pub entity: &'static str,
    /// The member.
    pub field: &'static str,
    /// What it should have been.
    pub expected: &'static str,
}

/// Reads members of one document.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    entity: &'static str,
    body: &'a Map,
}

impl<'a> Reader<'a> {
    /// A reader of an entity (plural name).
    #[must_use]
    pub fn new(entity: &'static str, body: &'a Map) -> Self {
        Self { entity, body }
    }

    /// The member, unless absent or null.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&'a Value> {
        self.body.get(field).filter(|value| !value.is_null())
    }

    /// An error about a member.
    #[must_use]
    pub fn error(&self, field: &'static str, expected: &'static str) -> DecodeError {
        DecodeError {
            entity: self.entity,
            field,
            expected,
        }
    }

    /// Text, if there.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn text(&self, field: &'static str) -> Result<Option<String>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.error(field, "a string")),
        }
    }

    /// Text that must be there.
    ///
    /// # Errors
    ///
    /// If it is absent or something else.
    pub fn required_text(&self, field: &'static str) -> Result<String, DecodeError> {
        self.text(field)?
            .ok_or_else(|| self.error(field, "a string"))
    }

    /// A whole number, if there; floats without a fraction count.
    ///
    /// # Errors
    ///
    /// If it is something else or out of range.
    pub fn integer<T: TryFrom<i64>>(&self, field: &'static str) -> Result<Option<T>, DecodeError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        whole_number(value)
            .and_then(|number| T::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| self.error(field, "an integer in range"))
    }

    /// A number, if there.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn number(&self, field: &'static str) -> Result<Option<f64>, DecodeError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        value
            .as_f64()
            .map(Some)
            .ok_or_else(|| self.error(field, "a number"))
    }

    /// True or false, if there.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn boolean(&self, field: &'static str) -> Result<Option<bool>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.error(field, "a boolean")),
        }
    }

    /// The elements of a list; absent is empty.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn list(&self, field: &'static str) -> Result<&'a [Value], DecodeError> {
        match self.value(field) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(Value::Object(members)) if members.is_empty() => Ok(&[]),
            Some(_) => Err(self.error(field, "an array")),
        }
    }

    /// A list of texts; absent is empty.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn texts(&self, field: &'static str) -> Result<Vec<String>, DecodeError> {
        self.list(field)?
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.error(field, "an array of strings"))
    }

    /// The members of a record or map; absent is empty.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn members(&self, field: &'static str) -> Result<Option<&'a Map>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(Value::Array(items)) if items.is_empty() => Ok(None),
            Some(_) => Err(self.error(field, "an object")),
        }
    }

    /// The id inside a foreign key: `{"id": "…"}` or the plain id.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn foreign(&self, field: &'static str) -> Result<Option<&'a str>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(id)) => Ok(Some(id)),
            Some(Value::Object(key)) => match key.get("id") {
                Some(Value::String(id)) => Ok(Some(id)),
                _ => Err(self.error(field, "a reference with an `id`")),
            },
            Some(_) => Err(self.error(field, "a reference")),
        }
    }
}

/// The whole number in a JSON number, if it is one and fits.
#[must_use]
pub fn whole_number(value: &Value) -> Option<i64> {
    /// Beyond this a float no longer tells neighbouring integers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let float = value.as_f64()?;
    if float.fract() != 0.0 || float.abs() > EXACT {
        return None;
    }
    format!("{float:.0}").parse().ok()
}
