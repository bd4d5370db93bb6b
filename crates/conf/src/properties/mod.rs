//! The one table of properties: names, types, defaults, meaning, and whether Gatehouse acts.
//!
//! Names, types and defaults are the reference's (`Compat:` its `kong.conf.default` and the
//! additions of its commercial edition that copied configurations contain).

mod cluster;
mod datastore;
mod dns;
mod enterprise;
mod general;
mod gui;
mod listeners;
mod nginx;
mod tuning;

use Effect::{Acted, Never, NotYet};

/// Beginnings of names that are open-ended.
pub(crate) const DYNAMIC_PREFIXES: [&str; 14] = [
    "nginx_main_",
    "nginx_events_",
    "nginx_http_",
    "nginx_upstream_",
    "nginx_proxy_",
    "nginx_location_",
    "nginx_status_",
    "nginx_admin_",
    "nginx_stream_",
    "nginx_supstream_",
    "nginx_sproxy_",
    "nginx_wasm_",
    "pluginserver_",
    "vault_",
];

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Entries separated by commas.
    Array,
    /// `on`, `off`, `true`, `false`; anything else means off.
    Boolean,
    /// One of a fixed set.
    Enum(&'static [&'static str]),
    /// A number.
    Number,
    /// Text.
    String,
}

/// Whether Gatehouse acts on a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what the description says.
    Acted,
    /// It has no effect, by design, for the reason given.
    Never(&'static str),
    /// It has no effect yet.
    NotYet,
}

/// A group of properties in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Prefix, logs, plugins.
    General,
    /// Nodes and control planes.
    Cluster,
    /// The connection to a platform.
    Konnect,
    /// Listeners, TLS, headers.
    Listeners,
    /// Directives of nginx that have a meaning here.
    Nginx,
    /// Database and its cache.
    Datastore,
    /// Name resolution.
    Dns,
    /// Router, limits, outgoing TLS.
    Tuning,
    /// The reference's own user interface and WebAssembly.
    Gui,
    /// Additions of the reference's commercial edition.
    Enterprise,
}

/// One property.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Name in the file; the variable is `KONG_` and the name in upper case.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// The built-in default, as it would be written.
    pub default: Option<&'static str>,
    /// Meaning, in one line.
    pub doc: &'static str,
    /// Whether Gatehouse acts on it.
    pub effect: Effect,
    /// Whether its value must not be shown.
    pub is_secret: bool,
}

impl Property {
    const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Self {
        let default = if default.is_empty() {
            None
        } else {
            Some(default)
        };
        Self {
            name,
            kind,
            default,
            doc,
            effect: NotYet,
            is_secret: false,
        }
    }

    const fn acted(mut self) -> Self {
        self.effect = Acted;
        self
    }

    const fn never(mut self, reason: &'static str) -> Self {
        self.effect = Never(reason);
        self
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }
}

const fn array(name: &'static str, default: &'static str, doc: &'static str) -> Property {
    Property::new(name, Kind::Array, default, doc)
}

const fn boolean(name: &'static str, default: &'static str, doc: &'static str) -> Property {
    Property::new(name, Kind::Boolean, default, doc)
}

const fn choice(
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    doc: &'static str,
) -> Property {
    Property::new(name, Kind::Enum(values), default, doc)
}

const fn number(name: &'static str, default: &'static str, doc: &'static str) -> Property {
    Property::new(name, Kind::Number, default, doc)
}

const fn string(name: &'static str, default: &'static str, doc: &'static str) -> Property {
    Property::new(name, Kind::String, default, doc)
}

/// All sections with their properties, in the order of the documentation.
pub(crate) const SECTIONS: [(Section, &str, &[Property]); 10] = [
    (Section::General, "General", general::PROPERTIES),
    (Section::Cluster, "Hybrid mode", cluster::PROPERTIES),
    (
        Section::Konnect,
        "Connection to a platform",
        cluster::KONNECT,
    ),
    (
        Section::Listeners,
        "Listeners, TLS and headers",
        listeners::PROPERTIES,
    ),
    (Section::Nginx, "Directives of nginx", nginx::PROPERTIES),
    (Section::Datastore, "Datastore", datastore::PROPERTIES),
    (Section::Dns, "Name resolution", dns::PROPERTIES),
    (
        Section::Tuning,
        "Router, limits, outgoing TLS",
        tuning::PROPERTIES,
    ),
    (
        Section::Gui,
        "User interface, WebAssembly, debugging",
        gui::PROPERTIES,
    ),
    (
        Section::Enterprise,
        "Additions of the commercial edition",
        enterprise::PROPERTIES,
    ),
];

/// All properties.
pub fn properties() -> impl Iterator<Item = &'static Property> {
    SECTIONS
        .iter()
        .flat_map(|(_, _, properties)| properties.iter())
}

/// The property `name`.
#[must_use]
pub fn property(name: &str) -> Option<&'static Property> {
    properties().find(|property| property.name == name)
}

/// Whether `name` is open-ended, such as `nginx_http_…`.
pub(crate) fn is_dynamic(name: &str) -> bool {
    DYNAMIC_PREFIXES
        .iter()
        .any(|prefix| name.len() > prefix.len() && name.starts_with(prefix))
}
