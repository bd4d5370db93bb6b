//! `post-function`: runs Lua code after all other plugins.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases, Scopes};

/// The plugin.
pub const DEFINITION: Definition = described()
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .protocols(ALL_PROTOCOLS);

#[cfg(feature = "lua")]
const fn described() -> Definition {
    Definition::new("post-function", -1000, schema::schema, build)
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
    Definition::described("post-function", -1000, schema::schema).phases(Phases::ACCESS)
}

#[cfg(feature = "lua")]
fn build(
    input: &plugin_api::PluginInput<'_>,
    context: &mut plugin_api::BuildContext<'_>,
) -> Result<std::sync::Arc<dyn plugin_api::Handler>, plugin_api::BuildError> {
    crate::lua::build(crate::lua::Place::After, input, context)
}
