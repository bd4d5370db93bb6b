//! What metrics call the parties of a request.

use bytes::Bytes;
use plugin_api::Exchange;

/// What names a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Its id.
    Id,
    /// Its custom id.
    CustomId,
    /// Its user name.
    Username,
}

impl Consumer {
    /// The way to name of that name in configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "consumer_id" => Self::Id,
            "custom_id" => Self::CustomId,
            "username" => Self::Username,
            _ => return None,
        })
    }
}

/// The caller's name, if it is known and has such a name.
pub(crate) fn consumer_name(exchange: &Exchange<'_>, by: Consumer) -> Option<String> {
    let consumer = exchange.identity.consumer.as_ref()?;
    let name = match by {
        Consumer::Id => Some(&consumer.id_text),
        Consumer::CustomId => consumer.custom_id.as_ref(),
        Consumer::Username => consumer.username.as_ref(),
    };
    name.map(text)
}

/// The service's name, or its host.
pub(crate) fn service_name(exchange: &Exchange<'_>) -> Option<String> {
    let service = exchange.service?;
    Some(text(service.name.as_ref().unwrap_or(&service.host)))
}

/// The route's name, or its id.
pub(crate) fn route_name(exchange: &Exchange<'_>) -> Option<String> {
    let route = exchange.route?;
    Some(text(route.name.as_ref().unwrap_or(&route.id_text)))
}

/// The text of a name.
pub(crate) fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
