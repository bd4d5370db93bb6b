//! Plugins: what is done with requests on their way.

use schema::{Check, DecodeError, Field, Map, Reader, Schema};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::plugin_catalogue::{PluginCatalogue, Scope};
use crate::protocol::Protocol;
use crate::reading;

/// A configured plugin as the data path sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Id.
    pub id: Uuid,
    /// Which plugin.
    pub name: String,
    /// Name of this instance, unique.
    pub instance_name: Option<String>,
    /// Its configuration, complete.
    pub config: Map,
    /// The service it is limited to.
    pub service: Option<Uuid>,
    /// The route it is limited to.
    pub route: Option<Uuid>,
    /// The consumer it is limited to.
    pub consumer: Option<Uuid>,
    /// The group of consumers it is limited to.
    pub consumer_group: Option<Uuid>,
    /// Whether it runs.
    pub enabled: bool,
    /// The protocols it runs for.
    pub protocols: Vec<Protocol>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a plugin is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("plugins", "plugin", "plugins", describe());
    kind.endpoint_key = Some("instance_name");
    kind.cache_key = &["name", "route", "service", "consumer"];
    kind.cache_key_extension = &["consumer_group"];
    kind.nulls_collide = true;
    kind.referring_lists = &[("partials", "partials")];
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 10] = [
    ("name", "Which plugin."),
    (
        "instance_name",
        "Name of this instance, by which paths and files address it.",
    ),
    ("route", "The route it is limited to."),
    ("service", "The service it is limited to."),
    ("consumer", "The consumer it is limited to."),
    ("consumer_group", "The group of consumers it is limited to."),
    (
        "config",
        "What the plugin is told; which members there are depends on `name`.",
    ),
    ("protocols", "The protocols it runs for."),
    ("enabled", "Whether it runs."),
    (
        "partials",
        "Parts of the configuration that are kept elsewhere.",
    ),
];

fn describe() -> Schema {
    let scope = |name, entity| {
        Field::foreign(name, entity)
            .default(Value::Null)
            .on_delete("cascade")
    };
    Schema::new("plugins")
        .field(Field::id())
        .field(Field::string("name").required())
        .field(Field::string("instance_name").utf8_name().unique())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(scope("route", "routes"))
        .field(scope("service", "services"))
        .field(scope("consumer", "consumers"))
        .field(
            Field::foreign("consumer_group", "consumer_groups")
                .on_delete("cascade")
                .extension(),
        )
        .field(Field::abstract_record("config"))
        .field(
            Field::set("protocols", Field::string("").one_of(Protocol::NAMES))
                .required()
                .default(json!(["grpc", "grpcs", "http", "https"])),
        )
        .field(Field::boolean("enabled").required().default(true))
        .field(Field::tags())
        .field(Field::array("partials", Field::record("", partial())).extension())
        .check(Check::MutuallyExclusive(vec!["consumer", "consumer_group"]))
        .describe(&MEANINGS)
}

/// A part of the configuration that is kept elsewhere.
fn partial() -> Schema {
    Schema::record([
        Field::string("id")
            .uuid()
            .required()
            .describe("Id of the partial."),
        Field::string("name")
            .extension()
            .describe("Name of the partial, as it was when it was named."),
        Field::string("path")
            .extension()
            .describe("Where the part belongs; its usual place if left out."),
    ])
}

/// The description of a plugin entity of one plugin.
pub(crate) fn schema_of(name: &str, plugins: &dyn PluginCatalogue) -> Option<Schema> {
    let config = plugins.schema(name)?;
    let mut schema = describe();
    for field in &mut schema.fields {
        match field.name {
            "config" => {
                *field = Field::record("config", config.clone())
                    .required()
                    .describe("What the plugin is told.");
            }
            "protocols" => narrow_protocols(field, name, plugins),
            "route" => forbid(field, plugins.allows_scope(name, Scope::Route)),
            "service" => forbid(field, plugins.allows_scope(name, Scope::Service)),
            "consumer" => forbid(field, plugins.allows_scope(name, Scope::Consumer)),
            "consumer_group" => forbid(field, plugins.allows_scope(name, Scope::ConsumerGroup)),
            _ => {}
        }
    }
    schema.checks.extend(config.outer_checks.iter().cloned());
    Some(schema)
}

/// The schema document of one plugin.
pub(crate) fn form(name: &str, plugins: &dyn PluginCatalogue) -> Option<Value> {
    let config = plugins.schema(name)?;
    let scopes = [
        ("consumer", "consumers", Scope::Consumer),
        ("service", "services", Scope::Service),
        ("route", "routes", Scope::Route),
    ];
    let mut fields: Vec<Value> = scopes
        .into_iter()
        .filter(|(.., scope)| !plugins.allows_scope(name, *scope))
        .map(|(field, entity, _)| {
            json!({ field: {"type": "foreign", "reference": entity, "eq": null} })
        })
        .collect();
    let allowed = plugins.protocols(name).unwrap_or(&Protocol::NAMES);
    fields.push(json!({"protocols": {
        "type": "set",
        "required": true,
        "default": plugins.default_protocols(name),
        "elements": {"type": "string", "one_of": allowed},
    }}));
    fields.push(json!({"config": config.config_form()}));
    Some(json!({"fields": fields, "entity_checks": config.outer_checks_form()}))
}

fn narrow_protocols(field: &mut Field, name: &str, plugins: &dyn PluginCatalogue) {
    let defaults = plugins.default_protocols(name).to_vec();
    let mut element = Field::string("");
    element = match plugins.protocols(name) {
        Some(allowed) => element.one_of(allowed.to_vec()),
        None => element.one_of(Protocol::NAMES),
    };
    *field = Field::set("protocols", element)
        .required()
        .default(defaults)
        .describe("The protocols it runs for.");
}

fn forbid(field: &mut Field, allowed: bool) {
    if !allowed {
        *field = field.clone().eq(Value::Null);
    }
}

impl TryFrom<&Map> for Plugin {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", body);
        let protocols = reading::protocols(&read, "protocols")?.unwrap_or_else(|| {
            vec![
                Protocol::Grpc,
                Protocol::Grpcs,
                Protocol::Http,
                Protocol::Https,
            ]
        });
        Ok(Self {
            id: reading::id(&read)?,
            name: read.required_text("name")?,
            instance_name: read.text("instance_name")?,
            config: read.members("config")?.cloned().unwrap_or_default(),
            service: reading::foreign(&read, "service")?,
            route: reading::foreign(&read, "route")?,
            consumer: reading::foreign(&read, "consumer")?,
            consumer_group: reading::foreign(&read, "consumer_group")?,
            enabled: read.boolean("enabled")?.unwrap_or(true),
            protocols,
            tags: read.texts("tags")?,
        })
    }
}
