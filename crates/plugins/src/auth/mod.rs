//! What authentication plugins have in common: telling the service who calls, and the stand-in for
//! a caller who proves nothing.

mod identity;

use plugin_api::{Exchange, Reply, Step};

pub(crate) use identity::set_consumer;

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
