//! The plugins of Gatehouse, one folder each.
//!
//! [`DEFINITIONS`] is the list of what is there, in execution order; nothing registers itself.
//! [`catalogue`] shows the same list to rooms that must validate plugin configurations without
//! knowing a plugin. Of some plugins only the configuration is there: it is validated and kept
//! like any other, and a node that meets it refuses the requests it applies to.

pub mod acl;
pub mod acme;
mod ai;
pub mod ai_prompt_decorator;
pub mod ai_prompt_guard;
pub mod ai_prompt_template;
pub mod ai_proxy;
pub mod ai_request_transformer;
pub mod ai_response_transformer;
mod auth;
mod aws;
pub mod aws_lambda;
pub mod azure_functions;
pub mod basic_auth;
pub mod bot_detection;
mod brought;
mod catalogue;
pub mod correlation_id;
pub mod cors;
pub mod datadog;
pub mod file_log;
mod grpc;
pub mod grpc_gateway;
pub mod grpc_web;
pub mod hmac_auth;
mod http_date;
pub mod http_log;
pub mod ip_restriction;
pub mod jwt;
pub mod key_auth;
pub mod ldap_auth;
pub mod loggly;
#[cfg(feature = "lua")]
mod lua;
mod measures;
pub mod oauth2;
pub mod opentelemetry;
mod outbox;
mod outcall;
pub mod post_function;
pub mod pre_function;
pub mod prometheus;
pub mod proxy_cache;
pub mod rate_limiting;
mod record;
mod records;
pub mod redirect;
mod redis;
pub mod request_size_limiting;
pub mod request_termination;
pub mod request_transformer;
pub mod response_ratelimiting;
pub mod response_transformer;
pub mod session;
pub mod standard_webhooks;
pub mod statsd;
pub mod syslog;
pub mod tcp_log;
mod template;
#[cfg(test)]
mod testing;
mod trace;
pub mod udp_log;
pub mod zipkin;

pub use brought::{Brought, Installed};
pub use catalogue::{Catalogue, catalogue, catalogue_of, catalogue_with, takes_groups};
pub use outbox::lost_records;
pub use outcall::Trust;

use plugin_api::Definition;

/// All plugins, in execution order: higher priority first, equal priorities in descending order
/// of name.
pub const DEFINITIONS: &[&Definition] = &[
    &pre_function::DEFINITION,
    &correlation_id::DEFINITION,
    &zipkin::DEFINITION,
    &bot_detection::DEFINITION,
    &cors::DEFINITION,
    &session::DEFINITION,
    &acme::DEFINITION,
    &jwt::DEFINITION,
    &oauth2::DEFINITION,
    &key_auth::DEFINITION,
    &ldap_auth::DEFINITION,
    &basic_auth::DEFINITION,
    &hmac_auth::DEFINITION,
    &grpc_gateway::DEFINITION,
    &ip_restriction::DEFINITION,
    &request_size_limiting::DEFINITION,
    &acl::DEFINITION,
    &rate_limiting::DEFINITION,
    &response_ratelimiting::DEFINITION,
    &request_transformer::DEFINITION,
    &response_transformer::DEFINITION,
    &redirect::DEFINITION,
    &ai_request_transformer::DEFINITION,
    &ai_prompt_template::DEFINITION,
    &ai_prompt_decorator::DEFINITION,
    &ai_prompt_guard::DEFINITION,
    &ai_proxy::DEFINITION,
    &ai_response_transformer::DEFINITION,
    &standard_webhooks::DEFINITION,
    &aws_lambda::DEFINITION,
    &azure_functions::DEFINITION,
    &proxy_cache::DEFINITION,
    &opentelemetry::DEFINITION,
    &prometheus::DEFINITION,
    &http_log::DEFINITION,
    &statsd::DEFINITION,
    &datadog::DEFINITION,
    &file_log::DEFINITION,
    &udp_log::DEFINITION,
    &tcp_log::DEFINITION,
    &loggly::DEFINITION,
    &syslog::DEFINITION,
    &grpc_web::DEFINITION,
    &request_termination::DEFINITION,
    &post_function::DEFINITION,
];

/// The plugin of a name.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .copied()
        .find(|definition| definition.name == name)
}
