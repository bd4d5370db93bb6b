//! `{vault://env/…}` references in values.

use super::merge::Merged;
use crate::error::ConfError;

/// Replaces references by what the environment holds; each that cannot be resolved is a mistake.
pub(super) fn resolve(merged: &mut Merged, environment: &[(String, String)]) {
    let prefix = merged
        .values
        .get("vault_env_prefix")
        .map(|value| value.text.clone());
    let mut errors = Vec::new();
    for (name, value) in &mut merged.values {
        let Some(reference) = inner(&value.text) else {
            continue;
        };
        let find = |variable: &str| {
            let found = environment.iter().rev();
            let mut found = found.filter(|(name, _)| name == variable);
            found.next().map(|(_, value)| value.as_str())
        };
        match look_up(reference, prefix.as_deref().unwrap_or_default(), find) {
            Ok(text) => value.text = text,
            Err(message) => errors.push(ConfError::Value {
                property: name.clone(),
                value: value.text.clone(),
                origin: value.origin.clone(),
                message,
            }),
        }
    }
    merged.errors.append(&mut errors);
}

pub(crate) fn inner(text: &str) -> Option<&str> {
    text.strip_prefix("{vault://")
        .and_then(|rest| rest.strip_suffix('}'))
}

/// `Compat:` `env/name-of-secret` reads `NAME_OF_SECRET`; `env/name/key` takes a key of the JSON
/// object that the variable holds; `?prefix=…` replaces `vault_env_prefix`.
pub(crate) fn look_up<'e>(
    reference: &str,
    prefix: &str,
    find: impl Fn(&str) -> Option<&'e str>,
) -> Result<String, String> {
    let (path, query) = reference.split_once('?').unwrap_or((reference, ""));
    let mut parts = path.split('/');
    if parts.next() != Some("env") {
        return Err(
            "only the vault `env` can be used in settings; set a variable and write \
                    `{vault://env/name-of-variable}`"
                .to_owned(),
        );
    }
    let resource = parts.next().filter(|name| !name.is_empty());
    let resource = resource.ok_or("the reference names no variable")?;
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="))
        .unwrap_or(prefix);
    let variable = format!("{prefix}{resource}")
        .replace('-', "_")
        .to_ascii_uppercase();
    let value = find(&variable);
    let value = value.ok_or_else(|| format!("the variable `{variable}` is not set"))?;
    match parts.next().filter(|key| !key.is_empty()) {
        None => Ok(value.to_owned()),
        Some(key) => json_key(value, key)
            .ok_or_else(|| format!("the variable `{variable}` is no JSON object with `{key}`")),
    }
}

fn json_key(text: &str, key: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    match object.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
            Some(value.to_string())
        }
        _ => None,
    }
}
