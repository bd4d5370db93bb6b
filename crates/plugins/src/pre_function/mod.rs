//! `pre-function`: runs Lua code before all other plugins.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases, Scopes};

/// The plugin.
pub const DEFINITION: Definition = described()
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .protocols(ALL_PROTOCOLS);

#[cfg(feature = "lua")]
const fn described() -> Definition {
    Definition::new("pre-function", 1_000_000, schema::schema, build)
        .phases(
            Phases::REWRITE
                .and(Phases::ACCESS)
                .and(Phases::HEADER_FILTER)
                .and(Phases::BODY_FILTER)
                .and(Phases::RESPONSE)
                .and(Phases::LOG),
        )
        .needs(plugin_api::Needs::REQUEST_BODY.and(plugin_api::Needs::RESPONSE_BODY))
}

#[cfg(not(feature = "lua"))]
const fn described() -> Definition {
    Definition::described("pre-function", 1_000_000, schema::schema).phases(Phases::ACCESS)
}

#[cfg(feature = "lua")]
fn build(
    input: &plugin_api::PluginInput<'_>,
    context: &mut plugin_api::BuildContext<'_>,
) -> Result<std::sync::Arc<dyn plugin_api::Handler>, plugin_api::BuildError> {
    crate::lua::build(crate::lua::Place::Before, input, context)
}
