//! What authentication plugins have in common: telling the service who calls, and the stand-in for
//! a caller who proves nothing.

mod identity;

use bytes::Bytes;
use plugin_api::{CredentialEntry, Exchange, Reply, Step};

pub(crate) use identity::set_consumer;

/// Headers that may carry user and proof; the first that does counts.
const HEADERS: [&str; 2] = ["proxy-authorization", "authorization"];

/// Whether a header that may carry user and proof is there.
pub(crate) fn has_header(exchange: &Exchange<'_>) -> bool {
    HEADERS.iter().any(|name| exchange.header(name).is_some())
}

/// What `parse` reads in one of these headers, which is then taken out if `hides`.
pub(crate) fn shown<T>(
    exchange: &mut Exchange<'_>,
    hides: bool,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    HEADERS.into_iter().find_map(|name| {
        let shown = parse(exchange.header(name)?)?;
        if hides {
            exchange.request.headers.remove(name);
        }
        Some(shown)
    })
}

/// What the plugin keeps of a credential.
pub(crate) fn prepared<T: 'static>(credential: &CredentialEntry) -> Option<&T> {
    credential.prepared.as_ref()?.downcast_ref()
}

/// A value of `WWW-Authenticate`.
pub(crate) fn challenge(scheme: &'static str, realm: Option<&String>) -> Bytes {
    match realm {
        Some(realm) => format!("{scheme} realm=\"{realm}\"").into(),
        None => Bytes::from_static(scheme.as_bytes()),
    }
}

/// Whether the plugin has nothing to do, because another one has proved the caller.
///
/// Compat: with a stand-in configured, a proved caller is let through, so several plugins with
/// stand-ins are alternatives.
pub(crate) fn is_proved(exchange: &Exchange<'_>, anonymous: Option<&String>) -> bool {
    anonymous.is_some() && exchange.identity.credential.is_some()
}

/// Makes the stand-in the caller, or refuses.
pub(crate) fn refuse(
    exchange: &mut Exchange<'_>,
    anonymous: Option<&String>,
    reply: impl FnOnce() -> Reply,
) -> Step<'static> {
    let Some(anonymous) = anonymous else {
        return Step::respond(reply());
    };
    let lookups = exchange.lookups;
    match lookups.consumer_named(anonymous) {
        Some(consumer) => {
            identity::set_anonymous(exchange, consumer);
            Step::CONTINUE
        }
        // Compat: a consumer that does not exist is a failure of the gateway, not of the caller.
        None => Step::respond(Reply::failure()),
    }
}
