//! Members of the record that the code of a configuration names.

use plugin_api::Locals;
use serde_json::{Map, Value};

/// Members with dots in their names where they lie deeper.
#[derive(Debug, Default)]
pub(super) struct Named(Vec<(String, Value)>);

/// Most members that one request may name.
const MEMBERS_MAX: usize = 100;

/// Has a member written into the record of this request; `null` takes it away.
pub(crate) fn add(locals: &mut Locals, name: String, value: Value) {
    if locals.get::<Named>().is_none() {
        locals.insert(Named::default());
    }
    if let Some(named) = locals.get_mut::<Named>()
        && named.0.len() < MEMBERS_MAX
    {
        named.0.push((name, value));
    }
}

impl Named {
    /// Writes the members into a record.
    pub(super) fn apply(&self, record: &mut Map<String, Value>) {
        for (name, value) in &self.0 {
            let mut parts: Vec<&str> = name.split('.').collect();
            let Some(last) = parts.pop() else { continue };
            put(record, &parts, last, value);
        }
    }
}

fn put(record: &mut Map<String, Value>, parts: &[&str], last: &str, value: &Value) {
    let Some((first, rest)) = parts.split_first() else {
        match value {
            Value::Null => record.shift_remove(last),
            value => record.insert(last.to_owned(), value.clone()),
        };
        return;
    };
    let inner = record
        .entry(*first)
        .or_insert_with(|| Value::Object(Map::new()));
    // What is no object stays what it is.
    if let Value::Object(inner) = inner {
        put(inner, rest, last, value);
    }
}
