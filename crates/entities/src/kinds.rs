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
        crate::plugin::kind(),
        crate::ca_certificate::kind(),
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
        crate::acme_storage::kind(),
    ]
}
