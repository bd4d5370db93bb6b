//! How a plugin describes itself.

use std::any::Any;
use std::fmt;
use std::ops::BitOr;
use std::sync::Arc;

use schema::{DecodeError, Schema};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::database::Database;
use crate::handler::Handler;
use crate::lookups::{CredentialSlot, LookupsBuilder};
use crate::shared::Shared;

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident: $bits:ty { $($(#[$item_doc:meta])* $item:ident = $bit:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name($bits);

        impl $name {
            /// Nothing.
            pub const NONE: Self = Self(0);
            $($(#[$item_doc])* pub const $item: Self = Self(1 << $bit);)*

            /// Both together.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in both.
            #[must_use]
            pub const fn common(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// Whether everything in `other` is in this one.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                self.and(other)
            }
        }
    };
}

bit_set! {
    /// The points of a request's life at which a plugin runs.
    Phases: u16 {
        /// TLS handshake.
        CERTIFICATE = 0;
        /// Before routing.
        REWRITE = 1;
        /// After routing.
        ACCESS = 2;
        /// Stream proxy, after routing.
        PREREAD = 3;
        /// With the whole answer.
        RESPONSE = 4;
        /// Head of the answer.
        HEADER_FILTER = 5;
        /// Pieces of the answer's body.
        BODY_FILTER = 6;
        /// After the answer.
        LOG = 7;
    }
}

bit_set! {
    /// What a plugin may be attached to, beyond the whole gateway, which is always allowed.
    Scopes: u8 {
        /// A service.
        SERVICE = 0;
        /// A route.
        ROUTE = 1;
        /// A consumer.
        CONSUMER = 2;
        /// A consumer group.
        CONSUMER_GROUP = 3;
    }
}

bit_set! {
    /// What must be buffered for a plugin. A chain that needs nothing streams.
    Needs: u8 {
        /// The whole request body, up to the buffer limit.
        REQUEST_BODY = 0;
        /// The whole response body, up to the buffer limit.
        RESPONSE_BODY = 1;
        /// The whole request body if its length is not told, up to the buffer limit.
        UNSIZED_REQUEST_BODY = 2;
        /// The whole request body if it is a form or JSON of a told length of at most a mebibyte.
        FORM_REQUEST_BODY = 3;
    }
}

/// Prepares what a plugin keeps of a credential; gets the whole entity.
pub type PrepareCredential = fn(&Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>>;

/// An entity of which a plugin looks rows up by a value that requests show.
#[derive(Clone, Copy, Debug)]
pub struct CredentialKind {
    /// Plural name of the entity: `keyauth_credentials`.
    pub entity: &'static str,
    /// The field that requests show: `key`.
    pub field: &'static str,
    /// What to keep of the entity beside ids and owner; `None` for nothing.
    pub prepare: Option<PrepareCredential>,
}

/// What is known about a plugin before any instance exists. A constant in the plugin's `mod.rs`.
#[derive(Clone, Copy)]
pub struct Definition {
    /// Name in configuration.
    pub name: &'static str,
    /// Version reported to the control plane.
    pub version: &'static str,
    /// Higher runs first; equal priorities run in descending order of name.
    pub priority: i32,
    /// Phases the handler implements.
    pub phases: Phases,
    /// Scopes allowed.
    pub scopes: Scopes,
    /// Values allowed in the instance's `protocols`.
    pub protocols: &'static [&'static str],
    /// The `protocols` of an instance that names none.
    pub default_protocols: &'static [&'static str],
    /// The most an instance may need.
    pub needs: Needs,
    /// Credentials the plugin looks up.
    pub credentials: &'static [CredentialKind],
    /// Describes the configuration record.
    pub schema: fn() -> Schema,
    /// Prepares an instance: everything costly happens here, never per request. `None` for a
    /// plugin of which only the configuration is known: it is validated and stored, and a node
    /// refuses the requests it applies to.
    pub build: Option<Build>,
}

/// Prepares an instance of a plugin.
pub type Build =
    fn(&PluginInput<'_>, &mut BuildContext<'_>) -> Result<Arc<dyn Handler>, BuildError>;

impl Definition {
    /// A plugin for HTTP traffic that may be attached anywhere and needs nothing buffered.
    #[must_use]
    pub const fn new(
        name: &'static str,
        priority: i32,
        schema: fn() -> Schema,
        build: Build,
    ) -> Self {
        let mut definition = Self::described(name, priority, schema);
        definition.build = Some(build);
        definition
    }

    /// A plugin of which only the configuration is known. Whatever stands in for its handler
    /// acts in the access phase, whatever the phases of the plugin will be.
    #[must_use]
    pub const fn described(name: &'static str, priority: i32, schema: fn() -> Schema) -> Self {
        Self {
            name,
            version: COMPATIBLE_VERSION,
            priority,
            phases: Phases::ACCESS,
            scopes: Scopes::SERVICE.and(Scopes::ROUTE).and(Scopes::CONSUMER),
            protocols: HTTP_PROTOCOLS,
            default_protocols: HTTP_PROTOCOLS,
            needs: Needs::NONE,
            credentials: &[],
            schema,
            build: None,
        }
    }

    /// Whether a node can run it.
    #[must_use]
    pub const fn is_runnable(&self) -> bool {
        self.build.is_some()
    }

    /// Sets the protocols an instance may name; [`Self::new`] assumes those of HTTP traffic.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'static [&'static str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Sets the protocols of an instance that names none; [`Self::new`] assumes those of HTTP.
    #[must_use]
    pub const fn default_protocols(mut self, protocols: &'static [&'static str]) -> Self {
        self.default_protocols = protocols;
        self
    }

    /// Sets the phases the handler implements; [`Self::new`] assumes access.
    #[must_use]
    pub const fn phases(mut self, phases: Phases) -> Self {
        self.phases = phases;
        self
    }

    /// Sets the scopes allowed.
    #[must_use]
    pub const fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets the most an instance may need.
    #[must_use]
    pub const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Sets the credentials the plugin looks up.
    #[must_use]
    pub const fn credentials(mut self, credentials: &'static [CredentialKind]) -> Self {
        self.credentials = credentials;
        self
    }
}

/// Release of the reference whose plugins ours are compatible with; every plugin reports it.
pub const COMPATIBLE_VERSION: &str = "3.9.3";

/// The protocols of HTTP traffic, in the order of the reference's default.
pub const HTTP_PROTOCOLS: &[&str] = &["grpc", "grpcs", "http", "https"];

/// All protocols, for plugins that also work on streams.
pub const ALL_PROTOCOLS: &[&str] = &entities::Protocol::NAMES;

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// One plugin entity, validated and with defaults filled in.
#[derive(Clone, Copy, Debug)]
pub struct PluginInput<'a> {
    /// Id of the entity.
    pub id: Uuid,
    /// Name of the plugin.
    pub name: &'a str,
    /// The `config` member.
    pub config: &'a Map<String, Value>,
    /// Scope: route.
    pub route: Option<Uuid>,
    /// Scope: service.
    pub service: Option<Uuid>,
    /// Scope: consumer.
    pub consumer: Option<Uuid>,
    /// Scope: consumer group.
    pub consumer_group: Option<Uuid>,
}

impl Phases {
    /// All of them.
    pub const ALL: Self = Self(0xff);
}

/// What a plugin gets while it is built.
#[derive(Debug)]
pub struct BuildContext<'a> {
    /// State that outlives this configuration.
    pub shared: &'a Shared,
    /// Consumers and credentials of this configuration.
    pub lookups: &'a LookupsBuilder,
    /// The node the plugin runs on.
    pub node: &'a NodeInfo,
    /// Remarks for the operator, such as a setting that has no effect here. Said once per
    /// configuration, with the plugin's name and id.
    pub notices: Vec<String>,
}

impl BuildContext<'_> {
    /// The slot of a credential kind that the definition names with this field.
    ///
    /// # Errors
    ///
    /// [`BuildError::Credential`] if the node does not know the kind.
    pub fn credential_slot_by(
        &self,
        entity: &'static str,
        field: &'static str,
    ) -> Result<CredentialSlot, BuildError> {
        self.lookups
            .slot_by(entity, field)
            .ok_or(BuildError::Credential { entity })
    }

    /// The slot of a credential kind that the definition names.
    ///
    /// # Errors
    ///
    /// [`BuildError::Credential`] if the node does not know the kind.
    pub fn credential_slot(&self, entity: &'static str) -> Result<CredentialSlot, BuildError> {
        self.lookups
            .slot(entity)
            .ok_or(BuildError::Credential { entity })
    }
}

/// The node a plugin runs on.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Id of the node, kept over restarts.
    pub id: Uuid,
    /// Name of the machine.
    pub hostname: String,
    /// What the settings say about tracing.
    pub tracing: Tracing,
    /// The node's database; `None` on a node without one.
    pub database: Option<Arc<dyn Database>>,
}

impl NodeInfo {
    /// A node without a database that traces nothing.
    #[must_use]
    pub fn new(id: Uuid, hostname: impl Into<String>) -> Self {
        Self {
            id,
            hostname: hostname.into(),
            tracing: Tracing::default(),
            database: None,
        }
    }
}

bit_set! {
    /// What may become a span of a trace (`tracing_instrumentations`).
    Instruments: u16 {
        /// The request.
        REQUEST = 0;
        /// Questions to the database.
        DB_QUERY = 1;
        /// Questions to DNS.
        DNS_QUERY = 2;
        /// Finding the route.
        ROUTER = 3;
        /// Requests of plugins.
        HTTP_CLIENT = 4;
        /// Attempts at services.
        BALANCER = 5;
        /// Rewrite phases.
        PLUGIN_REWRITE = 6;
        /// Access phases.
        PLUGIN_ACCESS = 7;
        /// Header filters.
        PLUGIN_HEADER_FILTER = 8;
    }
}

impl Instruments {
    /// All of them.
    pub const ALL: Self = Self(0x1ff);

    /// The instrument of a name as the settings write it; nothing for an unknown one.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "all" => Self::ALL,
            "request" => Self::REQUEST,
            "db_query" => Self::DB_QUERY,
            "dns_query" => Self::DNS_QUERY,
            "router" => Self::ROUTER,
            "http_client" => Self::HTTP_CLIENT,
            "balancer" => Self::BALANCER,
            "plugin_rewrite" => Self::PLUGIN_REWRITE,
            "plugin_access" => Self::PLUGIN_ACCESS,
            "plugin_header_filter" => Self::PLUGIN_HEADER_FILTER,
            _ => Self::NONE,
        }
    }
}

/// What the settings say about tracing.
#[derive(Clone, Copy, Debug)]
pub struct Tracing {
    /// `tracing_instrumentations`.
    pub instruments: Instruments,
    /// `tracing_sampling_rate`: share of requests that are traced, 0 to 1.
    pub sampling_rate: f64,
}

impl Default for Tracing {
    /// Nothing is traced; of what plugins trace, one in a hundred.
    fn default() -> Self {
        Self {
            instruments: Instruments::NONE,
            sampling_rate: 0.01,
        }
    }
}

/// Why an instance cannot run. The configuration is refused and the running one stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A field whose value cannot be used, although its form is right.
    #[error("`config.{field}`: {reason}")]
    Config {
        /// Path below `config`.
        field: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A credential kind that no definition of this node declares.
    #[error("credentials `{entity}` are not known to this node")]
    Credential {
        /// Plural name of the entity.
        entity: &'static str,
    },
}

impl From<DecodeError> for BuildError {
    fn from(error: DecodeError) -> Self {
        Self::Config {
            field: error.field.to_owned(),
            reason: format!("is not {}", error.expected),
        }
    }
}
