//! The list of all kinds. A new entity adds its file and one line here.

use crate::kind::EntityKind;

/// All kinds, parents before children.
pub(crate) fn all() -> Vec<EntityKind> {
    vec![
        crate::workspace::kind(),
        crate::consumer::kind(),
        crate::certificate::kind(),
        crate::service::kind(),
        crate::route::kind(),
        crate::sni::kind(),
        crate::upstream::kind(),
        crate::target::kind(),
        crate::consumer_group::kind(),
        crate::group_membership::kind(),
        crate::partial::kind(),
        crate::plugin::kind(),
        crate::tag::kind(),
        crate::ca_certificate::kind(),
        crate::clustering_data_plane::kind(),
        crate::parameter::kind(),
        crate::vault::kind(),
        crate::key_set::kind(),
        crate::key::kind(),
        crate::keyauth_credential::kind(),
        crate::basicauth_credential::kind(),
        crate::hmacauth_credential::kind(),
        crate::jwt_secret::kind(),
        crate::acl::kind(),
        crate::oauth2_credential::kind(),
        crate::oauth2_token::kind(),
        crate::oauth2_authorization_code::kind(),
        crate::acme_storage::kind(),
        crate::session::kind(),
        crate::session_metadata::kind(),
        crate::ratelimiting_metric::kind(),
        crate::filter_chain::kind(),
        crate::config_store::kind(),
        crate::config_store_secret::kind(),
        crate::plugin_schema::kind(),
        crate::custom_plugin::kind(),
        crate::license::kind(),
        crate::mtls_auth_credential::kind(),
        crate::degraphql_route::kind(),
        crate::graphql_cost::kind(),
    ]
}
