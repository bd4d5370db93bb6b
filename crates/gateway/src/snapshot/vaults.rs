//! References to vaults, `{vault://NAME/RESOURCE/KEY?prefix=…}`, resolved while a configuration is
//! compiled: what is stored and shown keeps the reference.
//!
//! Variables of the process do not change while it runs, and the secrets of a config store come
//! with each configuration, so nothing is looked up a second time and nothing grows old: a secret
//! that changes is a change of the configuration.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use conf::{Secret, Settings};
use declarative::Config;
use plugin_api::ReadSecret;
use schema::{Field, FieldKind, Schema};
use serde_json::{Map, Value};

use super::compile::rows;

/// The vault of variables, as settings and entities call it.
const ENVIRONMENT: &str = "env";

/// The vault of a config store of the control plane.
const CONFIG_STORE: &str = "konnect";

/// What the settings of a node say of vaults. Holds the environment of the process.
#[derive(Clone, Default)]
pub(super) struct VaultSettings {
    environment: Arc<BTreeMap<String, Secret>>,
    prefix: String,
    is_enabled: bool,
}

impl VaultSettings {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            environment: Arc::new(settings.environment.clone()),
            prefix: settings.vault_env_prefix.clone(),
            is_enabled: settings.vaults.has_bundled(ENVIRONMENT),
        }
    }
}

/// The vaults of a configuration, with what they hold.
#[derive(Clone, Default)]
pub(super) struct Vaults {
    settings: VaultSettings,
    /// By what references call them.
    named: HashMap<String, Vault>,
}

/// A vault.
#[derive(Clone)]
enum Vault {
    /// Variables with a prefix of their own.
    Environment { prefix: Option<String> },
    /// What a config store holds.
    ConfigStore(HashMap<String, Secret>),
    /// One of a kind that this node does not know.
    Other { kind: String },
}

impl Vaults {
    /// Reads the vaults that the configuration names.
    pub(super) fn read(config: &Config, settings: &VaultSettings) -> Self {
        let mut named = HashMap::new();
        for row in rows(config, "vaults") {
            let text = |name: &str| row.body.get(name).and_then(Value::as_str);
            let (Some(prefix), Some(kind)) = (text("prefix"), text("name")) else {
                continue;
            };
            let own = row.body.get("config").and_then(|own| own.get("prefix"));
            let vault = match kind {
                ENVIRONMENT => Vault::Environment {
                    prefix: own.and_then(Value::as_str).map(str::to_owned),
                },
                CONFIG_STORE => {
                    let secrets = config.config_store_secrets(row.body);
                    let secrets = secrets.map(|(key, text)| (key.to_owned(), Secret::new(text)));
                    Vault::ConfigStore(secrets.collect())
                }
                kind => Vault::Other {
                    kind: kind.to_owned(),
                },
            };
            named.insert(prefix.to_owned(), vault);
        }
        Self {
            settings: settings.clone(),
            named,
        }
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
        let named = self.named.get(vault);
        let resource = parts.next().filter(|name| !name.is_empty());
        let key = parts.next().filter(|key| !key.is_empty());
        let own_prefix = match named {
            Some(Vault::ConfigStore(secrets)) => {
                let resource = resource.ok_or("the reference names no secret")?;
                let found = secrets.get(resource);
                let found = found.ok_or_else(|| {
                    format!("the config store of `{vault}` holds no secret `{resource}`")
                })?;
                return part(found, key, &format!("the secret `{resource}`"));
            }
            Some(Vault::Other { kind }) => {
                return Err(format!("this node cannot read vaults of the kind `{kind}`"));
            }
            Some(Vault::Environment { prefix }) => prefix.as_deref(),
            None if vault == ENVIRONMENT => None,
            None => return Err(format!("no vault is called `{vault}`")),
        };
        if !self.settings.is_enabled {
            return Err("the vault `env` is switched off by `vaults`".to_owned());
        }
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
        part(found, key, &format!("the variable `{variable}`"))
    }
}

impl ReadSecret for Vaults {
    fn read(&self, reference: &str) -> Result<String, String> {
        self.text(reference)
    }
}

/// A secret, or a member of the JSON object that it is.
fn part(secret: &Secret, key: Option<&str>, what: &str) -> Result<String, String> {
    match key {
        None => Ok(secret.expose().to_owned()),
        Some(key) => member(secret.expose(), key)
            .ok_or_else(|| format!("{what} holds no JSON object with `{key}`")),
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
            environment: Arc::new(
                environment
                    .map(|(name, text)| (name.to_owned(), Secret::new(text)))
                    .collect(),
            ),
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
                "the config store of `far` holds no secret `x`",
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
    fn secrets_of_a_config_store_come_with_the_configuration() {
        let (mut config, settings) = (config(VAULTS), settings());
        let secret = |store: &str, key: &str, value: &str| {
            json!({"config_store": {"id": store}, "key": key, "value": value})
                .as_object()
                .unwrap()
                .clone()
        };
        let own = "11111111-1111-4111-8111-111111111111";
        let other = "22222222-2222-4222-8222-222222222222";
        config.tables.insert(
            "config_store_secrets".to_owned(),
            vec![
                secret(other, "token", "not mine"),
                secret(own, "token", "mine"),
                secret(own, "db", r#"{"password":"p"}"#),
            ],
        );
        let vaults = Vaults::read(&config, &settings);
        assert_eq!(vaults.text("{vault://far/token}").as_deref(), Ok("mine"));
        assert_eq!(vaults.text("{vault://far/db/password}").as_deref(), Ok("p"));
        let fault = "the secret `db` holds no JSON object with `user`";
        assert_eq!(vaults.text("{vault://far/db/user}"), Err(fault.to_owned()));
        let fault = "the reference names no secret";
        assert_eq!(vaults.text("{vault://far/}"), Err(fault.to_owned()));
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
