//! All kinds of entities, in foreign-key order, and validation of their bodies.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use schema::{FieldKind, Makers, Map, Mode, Schema, Violations};
use serde_json::Value;

use crate::kind::EntityKind;
use crate::plugin_catalogue::PluginCatalogue;
use crate::{finish, partial, partial_kinds, plugin, prepare, vault};

/// All kinds, with the plugins that are there.
pub struct Catalogue {
    kinds: Vec<EntityKind>,
    by_name: HashMap<&'static str, usize>,
    plugins: Arc<dyn PluginCatalogue>,
    plugin_schemas: HashMap<String, Schema>,
    partial_schemas: HashMap<&'static str, Schema>,
    vault_schemas: HashMap<&'static str, Schema>,
}

/// Where a body comes from, which changes how its times to live are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The API: `ttl` is in seconds from now.
    #[default]
    Api,
    /// A declarative document or the wire: `ttl` is a second since 1970.
    Declarative,
}

impl Catalogue {
    /// A catalogue with these plugins.
    #[must_use]
    pub fn new(plugins: Arc<dyn PluginCatalogue>) -> Self {
        let kinds = crate::kinds::all();
        let mut by_name = HashMap::new();
        for (index, kind) in kinds.iter().enumerate() {
            by_name.insert(kind.name, index);
            by_name.entry(kind.path).or_insert(index);
        }
        let plugin_schemas = plugins
            .names()
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), plugin::schema_of(name, &*plugins)?)))
            .collect();
        let partial_schemas = partial_kinds::NAMES
            .into_iter()
            .filter_map(|name| Some((name, partial::schema_of(name)?)))
            .collect();
        let vault_schemas = vault::TYPES
            .into_iter()
            .map(|name| (name, vault::schema_of(name)))
            .collect();
        Self {
            kinds,
            by_name,
            plugins,
            plugin_schemas,
            partial_schemas,
            vault_schemas,
        }
    }

    /// The same catalogue for nodes of the router flavor `expressions`: routes may have an
    /// `expression` and a `priority`, and sources and destinations with any protocol.
    #[must_use]
    pub fn with_expressions(mut self) -> Self {
        let routes = self.kinds.iter_mut().find(|kind| kind.name == "routes");
        if let Some(routes) = routes {
            *routes = crate::route::kind_with_expressions();
        }
        self
    }

    /// The kind of that plural name or path segment.
    #[must_use]
    pub fn kind(&self, name_or_path: &str) -> Option<&EntityKind> {
        self.by_name
            .get(name_or_path)
            .map(|index| &self.kinds[*index])
    }

    /// All kinds, parents before children.
    #[must_use]
    pub fn kinds(&self) -> &[EntityKind] {
        &self.kinds
    }

    /// The plugins.
    #[must_use]
    pub fn plugins(&self) -> &dyn PluginCatalogue {
        &*self.plugins
    }

    /// The description of a plugin entity of that plugin: the fields of plugins with the
    /// plugin's own configuration, scopes and protocols.
    #[must_use]
    pub fn plugin_schema(&self, plugin: &str) -> Option<&Schema> {
        self.plugin_schemas.get(plugin)
    }

    /// The schema document of a plugin as the reference publishes it: the members that differ
    /// from those of other plugins, `protocols` and `config`, with the checks of the plugin.
    #[must_use]
    pub fn plugin_form(&self, plugin: &str) -> Option<Value> {
        plugin::form(plugin, &*self.plugins)
    }

    /// Completes and validates a body that came through the API: the kind's schema, its own
    /// checks, and for plugins the configuration and scope. In an update the body becomes the
    /// whole new entity.
    ///
    /// # Errors
    ///
    /// All violations; for an unknown kind, one about the whole entity.
    pub fn validate(&self, kind: &str, body: &mut Map, mode: Mode<'_>) -> Result<(), Violations> {
        self.validate_from(kind, body, mode, Origin::Api)
    }

    /// [`Catalogue::validate`] for a body of another origin.
    ///
    /// # Errors
    ///
    /// All violations; for an unknown kind, one about the whole entity.
    pub fn validate_from(
        &self,
        kind: &str,
        body: &mut Map,
        mode: Mode<'_>,
        origin: Origin,
    ) -> Result<(), Violations> {
        let Some(kind) = self.kind(kind) else {
            return Err(Violations::of_entity(format!("unknown entity `{kind}`")));
        };
        prepare::prepare(kind.name, body, mode, origin)?;
        let mut schema = self.schema_of(kind, body, mode)?;
        let relaxed;
        let stored = match mode {
            Mode::Update { stored } if !body.contains_key("partials") => stored,
            _ => &*body,
        };
        if kind.name == "plugins" && partial::are_named(stored) {
            relaxed = partial::without_checks(schema, stored);
            schema = &relaxed;
        }
        let makers = Makers {
            unix_millis: clock::unix_millis,
            uuid: || clock::new_uuid().to_string(),
            secret: || clock::random_alphanumeric(SECRET_LENGTH),
        };
        let ttl = take_ttl(kind, body);
        // Hashes of applications and digests stay as they are when they are made again.
        let is_plain = body.contains_key("password") || kind.name != "basicauth_credentials";
        let outcome = schema.process_with(body, mode, Some(&makers));
        let ttl = finish::ttl(kind, ttl, mode, origin);
        match (outcome, ttl) {
            (Ok(()), Ok(ttl)) => {
                if origin == Origin::Api && is_plain {
                    self.transform(kind.name, body);
                }
                if let Some(ttl) = ttl {
                    body.insert("ttl".to_owned(), ttl);
                }
                Ok(())
            }
            (Ok(()), Err(violations)) | (Err(violations), Ok(_)) => Err(violations),
            (Err(mut violations), Err(more)) => {
                violations.merge(more);
                Err(violations)
            }
        }
    }

    /// Brings an accepted body into the form in which it is stored and sent: passwords of
    /// basic-auth are hashed with their owner, trusted certificates get their digest. Bodies from
    /// the API have been through this; documents say whether they have (`_transform: false`).
    pub fn transform(&self, kind: &str, body: &mut Map) {
        match kind {
            "basicauth_credentials" => crate::basicauth_credential::hash_password(body),
            "oauth2_credentials" => crate::oauth2_credential::hash_secret(body),
            "ca_certificates" => crate::ca_certificate::set_digest(body),
            _ => {}
        }
    }

    /// Makes of a stored body what the API shows: deprecated aliases in plugin configurations are
    /// added, members that are never shown are left out.
    pub fn expose(&self, kind: &str, body: &mut Map) {
        let Some(kind) = self.kind(kind) else { return };
        for field in kind.schema.fields.iter().filter(|field| field.write_only) {
            body.shift_remove(field.name);
        }
        self.add_aliases(kind.name, body);
    }

    /// Adds the deprecated aliases in a plugin's configuration, as the API and nodes get them.
    pub fn add_aliases(&self, kind: &str, body: &mut Map) {
        if kind != "plugins" {
            return;
        }
        let schema = body
            .get("name")
            .and_then(Value::as_str)
            .and_then(|n| self.plugins.schema(n));
        if let (Some(schema), Some(Value::Object(config))) = (schema, body.get_mut("config")) {
            schema.emit_shorthands(config);
        }
    }

    /// The kinds of vaults.
    pub fn vault_types(&self) -> impl Iterator<Item = &'static str> {
        vault::TYPES.into_iter()
    }

    /// The schema document of a kind of vaults as the reference publishes it.
    #[must_use]
    pub fn vault_form(&self, name: &str) -> Option<Value> {
        vault::form(name)
    }

    /// The types of partials.
    pub fn partial_types(&self) -> impl Iterator<Item = &'static str> {
        partial_kinds::NAMES.into_iter()
    }

    /// The description of a partial of that type.
    #[must_use]
    pub fn partial_schema(&self, partial_type: &str) -> Option<&Schema> {
        self.partial_schemas.get(partial_type)
    }

    /// The description of the `config` of a partial of that type; `None` if it takes any members.
    pub(crate) fn partial_config(&self, partial_type: &str) -> Option<&Schema> {
        match &self.partial_schema(partial_type)?.find("config")?.kind {
            FieldKind::Record(config) => Some(config),
            _ => None,
        }
    }

    /// The schema document of a type of partials as the reference publishes it.
    #[must_use]
    pub fn partial_form(&self, partial_type: &str) -> Option<Value> {
        partial_kinds::form(partial_type)
    }

    /// Whether a plugin is right with its partials in their places, as nodes get it.
    /// [`Catalogue::validate`] leaves the checks that look at what partials bring to this.
    ///
    /// # Errors
    ///
    /// All violations.
    pub fn check_with_partials<'p>(
        &self,
        plugin: &Map,
        find: impl Fn(&str) -> Option<&'p Map>,
    ) -> Result<(), Violations> {
        let mut whole = plugin.clone();
        self.with_partials(&mut whole, find);
        self.validate_from("plugins", &mut whole, Mode::Upsert, Origin::Declarative)
    }

    /// Works the partials that a plugin names into its configuration and forgets their names:
    /// what nodes get. `find` looks a partial up by its id; one that is not found changes
    /// nothing.
    pub fn with_partials<'p>(&self, plugin: &mut Map, find: impl Fn(&str) -> Option<&'p Map>) {
        let Some(Value::Array(named)) = plugin.shift_remove("partials") else {
            return;
        };
        for item in &named {
            let id = item.get("id").and_then(Value::as_str);
            if let Some(partial) = id.and_then(&find) {
                let path = item.get("path").and_then(Value::as_str);
                partial::apply(plugin, partial, path);
            }
        }
    }

    fn schema_of<'a>(
        &'a self,
        kind: &'a EntityKind,
        body: &Map,
        mode: Mode<'_>,
    ) -> Result<&'a Schema, Violations> {
        if kind.name == "vaults" {
            let name = chosen(body, mode, "name").unwrap_or_default();
            return Ok(self.vault_schemas.get(name).unwrap_or(&kind.schema));
        }
        if kind.name == "partials" {
            return Ok({
                let name = chosen(body, mode, "type").unwrap_or_default();
                self.partial_schemas.get(name).unwrap_or(&kind.schema)
            });
        }
        if kind.name != "plugins" {
            return Ok(&kind.schema);
        }
        let stored = match mode {
            Mode::Update { stored } => stored.get("name"),
            Mode::Insert | Mode::Upsert => None,
        };
        match body.get("name").or(stored) {
            None | Some(Value::Null) => Err(Violations::of("name", "required field missing")),
            Some(Value::String(name)) => self.plugin_schemas.get(name).ok_or_else(|| {
                Violations::of(
                    "name",
                    format!(
                        "plugin '{name}' not enabled; add it to the 'plugins' configuration \
                         property"
                    ),
                )
            }),
            Some(_) => Err(Violations::of("name", "expected a string")),
        }
    }
}

/// The text of the member that decides about others: the given one, else the stored one.
fn chosen<'b>(body: &'b Map, mode: Mode<'b>, member: &str) -> Option<&'b str> {
    let stored = match mode {
        Mode::Update { stored } => stored.get(member),
        Mode::Insert | Mode::Upsert => None,
    };
    body.get(member).or(stored)?.as_str()
}

/// Length of a made-up key or secret.
const SECRET_LENGTH: usize = 32;

/// `ttl` is no member of the schema: it is read by origin and put back in the end.
fn take_ttl(kind: &EntityKind, body: &mut Map) -> Option<Value> {
    if kind.has_ttl {
        body.shift_remove("ttl")
    } else {
        None
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue")
            .field("kinds", &self.kinds.len())
            .field("plugins", &self.plugins.names())
            .finish()
    }
}
