//! Constant values of Lua.

use serde_json::{Map, Number, Value};

/// A constant value.
#[derive(Clone, Debug, PartialEq)]
pub enum Lua {
    /// Nothing.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// A table.
    Table(Table),
    /// The module with usual definitions.
    Typedefs,
    /// One of the usual definitions, with members that were changed.
    Typedef(String, Table),
    /// A function, which is not run.
    Function,
}

/// A table: what has numbers, and what has names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Members with numbers, in order.
    pub list: Vec<Lua>,
    /// Members with names.
    pub members: Vec<(String, Lua)>,
}

impl Table {
    /// The member of a name, if it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Lua> {
        let found = self.members.iter().rev().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value)
            .filter(|value| **value != Lua::Nil)
    }

    /// Puts a member in the place of an earlier one of that name.
    pub fn set(&mut self, name: String, value: Lua) {
        self.members.retain(|(key, _)| *key != name);
        self.members.push((name, value));
    }

    /// A member that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Lua::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A member that is `true` or `false`.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Lua::Bool(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl Lua {
    /// The value as JSON; an empty table is a list when `is_list`.
    #[must_use]
    pub fn json(&self, is_list: bool) -> Option<Value> {
        Some(match self {
            Self::Nil => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => json_number(*number)?,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Table(table) if table.members.is_empty() => {
                let list: Option<Vec<_>> = table.list.iter().map(|item| item.json(false)).collect();
                let list = list?;
                if list.is_empty() && !is_list {
                    Value::Object(Map::new())
                } else {
                    Value::Array(list)
                }
            }
            Self::Table(table) if table.list.is_empty() => {
                let mut members = Map::new();
                for (name, value) in &table.members {
                    members.insert(name.clone(), value.json(false)?);
                }
                Value::Object(members)
            }
            Self::Table(_) | Self::Typedefs | Self::Typedef(..) | Self::Function => return None,
        })
    }
}

fn json_number(number: f64) -> Option<Value> {
    if let Some(whole) = schema::whole_number(&Value::from(number)) {
        return Some(Value::from(whole));
    }
    Number::from_f64(number).map(Value::Number)
}
