//! References to vaults, `{vault://NAME/RESOURCE/KEY?prefix=…}`, resolved while a configuration is
//! compiled: what is stored and shown keeps the reference.
//!
//! Variables of the process do not change while it runs, so nothing is looked up a second time.
//! Config stores of a control plane are not delivered to nodes; what refers to them counts as one
//! that cannot be resolved.

use std::collections::{BTreeMap, HashMap};

use conf::{Secret, Settings};
use declarative::Config;
use schema::{Field, FieldKind, Schema};
use serde_json::{Map, Value};

use super::compile::rows;

/// The vault of variables, as settings and entities call it.
const ENVIRONMENT: &str = "env";

/// What the settings of a node say of vaults. Holds the environment of the process.
#[derive(Clone, Default)]
pub(super) struct VaultSettings {
    environment: BTreeMap<String, Secret>,
    prefix: String,
    is_enabled: bool,
}

impl VaultSettings {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            environment: settings.environment.clone(),
            prefix: settings
                .dynamic("vault_env_prefix")
                .unwrap_or_default()
                .to_owned(),
            is_enabled: settings.vaults.has_bundled(ENVIRONMENT),
        }
    }
}

/// The vaults of a configuration.
pub(super) struct Vaults<'a> {
    settings: &'a VaultSettings,
    /// Kind and prefix of variables, by what references call a vault.
    named: HashMap<&'a str, (&'a str, Option<&'a str>)>,
}

impl<'a> Vaults<'a> {
    /// Reads the vaults that the configuration names.
    pub(super) fn read(config: &'a Config, settings: &'a VaultSettings) -> Self {
        let mut named = HashMap::new();
        for row in rows(config, "vaults") {
            let text = |name: &str| row.body.get(name).and_then(Value::as_str);
            let own = row.body.get("config").and_then(|own| own.get("prefix"));
            if let (Some(prefix), Some(kind)) = (text("prefix"), text("name")) {
                named.insert(prefix, (kind, own.and_then(Value::as_str)));
            }
        }
        Self { settings, named }
    }

    /// Replaces the references in the members of a record that may hold some. One that cannot be
    /// resolved becomes an empty text, and is said with its place.
    ///
    /// Compat: as in the reference, a configuration does not fail for it.
    pub(super) fn resolve(
        &self,
        schema: &Schema,
        record: &mut Map<String, Value>,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        for field in &schema.fields {
            if let Some(value) = record.get_mut(field.name) {
                let path = format!("{path}{}", field.name);
                self.resolve_value(field, value, &path, faults);
            }
        }
    }

    fn resolve_value(
        &self,
        field: &Field,
        value: &mut Value,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        match (&field.kind, value) {
            (FieldKind::Record(schema), Value::Object(record)) => {
                self.resolve(schema, record, &format!("{path}."), faults);
            }
            (FieldKind::Map { values, .. }, Value::Object(members)) => {
                for (name, value) in members {
                    self.resolve_value(values, value, &format!("{path}.{name}"), faults);
                }
            }
            (FieldKind::Array(element) | FieldKind::Set(element), Value::Array(values)) => {
                for (at, value) in values.iter_mut().enumerate() {
                    self.resolve_value(element, value, &format!("{path}[{at}]"), faults);
                }
            }
            (_, Value::String(text)) if field.referenceable && is_reference(text) => {
                *text = self.text(text).unwrap_or_else(|fault| {
                    faults.push(format!("`{path}`: {fault}; it counts as empty"));
                    String::new()
                });
            }
            _ => {}
        }
    }

    /// What a reference stands for.
    ///
    /// # Errors
    ///
    /// Why it cannot be resolved. Says names, never values.
    pub(super) fn text(&self, reference: &str) -> Result<String, String> {
        let inner = reference
            .strip_prefix(START)
            .and_then(|rest| rest.strip_suffix('}'));
        let inner = inner.ok_or("it is no reference to a vault")?;
        // A version is taken for others' sake; variables have none.
        let inner = inner.split('#').next().unwrap_or_default();
        let (path, query) = inner.split_once('?').unwrap_or((inner, ""));
        let mut parts = path.split('/');
        let vault = parts.next().unwrap_or_default();
        let (kind, own_prefix) = match self.named.get(vault) {
            Some(named) => *named,
            None if vault == ENVIRONMENT => (ENVIRONMENT, None),
            None => return Err(format!("no vault is called `{vault}`")),
        };
        if kind != ENVIRONMENT {
            return Err(format!("this node cannot read vaults of the kind `{kind}`"));
        }
        if !self.settings.is_enabled {
            return Err("the vault `env` is switched off by `vaults`".to_owned());
        }
        let resource = parts.next().filter(|name| !name.is_empty());
        let resource = resource.ok_or("the reference names no variable")?;
        let asked = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("prefix="));
        let prefix = asked.or(own_prefix).unwrap_or(&self.settings.prefix);
        let variable = format!("{prefix}{resource}")
            .replace('-', "_")
            .to_ascii_uppercase();
        let found = self.settings.environment.get(&variable);
        let found = found.ok_or_else(|| format!("the variable `{variable}` is not set"))?;
        match parts.next().filter(|key| !key.is_empty()) {
            None => Ok(found.expose().to_owned()),
            Some(key) => member(found.expose(), key).ok_or_else(|| {
                format!("the variable `{variable}` holds no JSON object with `{key}`")
            }),
        }
    }
}

/// What a reference begins with.
const START: &str = "{vault://";

/// Whether a text is a reference to a vault.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with(START) && text.ends_with('}')
}

/// Whether anything in a record is a reference.
pub(super) fn holds_reference(record: &Map<String, Value>) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::String(text) => is_reference(text),
            Value::Array(values) => values.iter().any(holds),
            Value::Object(members) => members.values().any(holds),
            _ => false,
        }
    }
    record.values().any(holds)
}

/// A member of a JSON object, as text.
fn member(text: &str, key: &str) -> Option<String> {
    let object: Value = serde_json::from_str(text).ok()?;
    match object.get(key)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::config;

    fn settings() -> VaultSettings {
        let variables = [
            ("TOKEN", "plain"),
            ("APP_TOKEN", "of the app"),
            ("DB", r#"{"password":"p","port":5432,"list":[]}"#),
        ];
        let environment = variables.into_iter();
        VaultSettings {
            environment: environment
                .map(|(name, text)| (name.to_owned(), Secret::new(text)))
                .collect(),
            prefix: String::new(),
            is_enabled: true,
        }
    }

    const VAULTS: &str = "vaults:\n- prefix: my-env\n  name: env\n  config: {prefix: app_}\n\
                          - prefix: far\n  name: konnect\n  config:\n    \
                          config_store_id: 11111111-1111-4111-8111-111111111111\n";

    #[test]
    fn references_are_resolved_by_vault_prefix_and_key() {
        let (config, settings) = (config(VAULTS), settings());
        let vaults = Vaults::read(&config, &settings);
        for (reference, text) in [
            ("{vault://env/token}", "plain"),
            ("{vault://my-env/token}", "of the app"),
            ("{vault://env/token?prefix=app-}", "of the app"),
            ("{vault://env/token#3}", "plain"),
            ("{vault://env/db/password}", "p"),
            ("{vault://env/db/port}", "5432"),
        ] {
            assert_eq!(vaults.text(reference).as_deref(), Ok(text), "{reference}");
        }
        for (reference, fault) in [
            ("{vault://env/other}", "the variable `OTHER` is not set"),
            ("{vault://env/}", "the reference names no variable"),
            ("{vault://none/x}", "no vault is called `none`"),
            (
                "{vault://far/x}",
                "this node cannot read vaults of the kind `konnect`",
            ),
            (
                "{vault://env/db/list}",
                "the variable `DB` holds no JSON object with `list`",
            ),
            (
                "{vault://env/token/x}",
                "the variable `TOKEN` holds no JSON object with `x`",
            ),
        ] {
            assert_eq!(vaults.text(reference), Err(fault.to_owned()), "{reference}");
        }
    }

    #[test]
    fn only_members_that_may_hold_a_reference_are_resolved() {
        let (config, settings) = (config(VAULTS), settings());
        let vaults = Vaults::read(&config, &settings);
        let schema = Schema::record([
            Field::string("secret").referenceable(),
            Field::string("plain"),
            Field::map(
                "headers",
                Field::string(""),
                Field::string("").referenceable(),
            ),
            Field::record(
                "inner",
                Schema::record([Field::string("key").referenceable()]),
            ),
            Field::array("list", Field::string("").referenceable()),
        ]);
        let reference = "{vault://env/token}";
        let body = json!({"secret": reference, "plain": reference, "headers": {"a": reference},
            "inner": {"key": "{vault://env/none}"}, "list": ["x", reference]});
        let mut body = body.as_object().unwrap().clone();
        assert!(holds_reference(&body));
        let mut faults = Vec::new();
        vaults.resolve(&schema, &mut body, "config.", &mut faults);
        assert_eq!(
            Value::Object(body),
            json!({"secret": "plain", "plain": reference, "headers": {"a": "plain"},
                "inner": {"key": ""}, "list": ["x", "plain"]})
        );
        let fault = "`config.inner.key`: the variable `NONE` is not set; it counts as empty";
        assert_eq!(faults, [fault]);
    }
}
