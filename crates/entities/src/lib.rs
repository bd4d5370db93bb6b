//! The nouns of the gateway: one file per entity, described once.
//!
//! Each file holds the description of an entity (its fields, rules and place in the API) and
//! the typed struct that the data path uses. [`Catalogue`] knows all kinds in foreign-key
//! order, validates bodies, and answers what is unique about an entity and what it refers to.
//!
//! This room stores nothing and knows no protocol; plugins' own schemas come in through
//! [`PluginCatalogue`].

mod acl;
mod acme_storage;
mod basicauth_credential;
pub mod brought;
mod ca_certificate;
mod catalogue;
mod certificate;
mod clustering_data_plane;
mod config_store;
mod config_store_secret;
mod consumer;
mod consumer_group;
mod custom_plugin;
mod degraphql_route;
mod documents;
mod filter_chain;
mod finish;
mod graphql_cost;
mod group_membership;
mod hmacauth_credential;
mod ids;
mod jwt_secret;
mod key;
mod key_set;
mod keyauth_credential;
mod kind;
mod kinds;
mod license;
mod mtls_auth_credential;
mod oauth2_authorization_code;
mod oauth2_credential;
mod oauth2_token;
mod page;
mod parameter;
mod partial;
mod partial_kinds;
mod pem;
mod plugin;
mod plugin_catalogue;
mod plugin_protocols;
mod plugin_schema;
mod prepare;
mod protocol;
mod ratelimiting_metric;
mod reading;
mod redis;
mod reference;
mod route;
mod route_expression;
mod route_rules;
mod service;
mod session;
mod session_metadata;
mod sni;
mod tag;
mod target;
mod upstream;
mod vault;
mod workspace;

pub use acl::Acl;
pub use basicauth_credential::BasicauthCredential;
pub use ca_certificate::CaCertificate;
pub use catalogue::{Catalogue, Origin};
pub use certificate::Certificate;
pub use consumer::Consumer;
pub use consumer_group::ConsumerGroup;
pub use group_membership::GroupMembership;
pub use hmacauth_credential::HmacauthCredential;
pub use ids::{DEFAULT_WORKSPACE, IdContext, NAMESPACE};
pub use jwt_secret::JwtSecret;
pub use keyauth_credential::KeyauthCredential;
pub use kind::{EntityKind, UniqueKey};
pub use page::reference_markdown;
pub use parameter::Parameter;
pub use plugin::Plugin;
pub use plugin_catalogue::{NoPlugins, PluginCatalogue, Scope};
pub use plugin_protocols::protocols_fault;
pub use protocol::{Protocol, UnknownProtocol};
pub use redis::simple_redis;
pub use reference::{OnDelete, Reference};
pub use route::{AddressRule, PathHandling, Route};
pub use schema::{DecodeError, Map, Mode, Packed, Violations};
pub use service::Service;
pub use sni::Sni;
pub use target::{DEFAULT_PORT, Target};
pub use upstream::{
    ActiveCheck, ActiveHealthy, ActiveUnhealthy, Algorithm, HashInput, Healthchecks, PassiveCheck,
    PassiveHealthy, PassiveUnhealthy, Upstream,
};
pub use workspace::Workspace;
