//! Telling the service who calls: the headers that every authentication plugin sets.
//!
//! Compat: names, and that a member which the caller lacks is taken out of the request, so that
//! no client can claim it.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{ConsumerInfo, CredentialEntry, CredentialInfo, Exchange};

/// Makes the owner of a credential the caller. `identifier` is what the service is told about the
/// credential.
pub(crate) fn set_consumer(
    exchange: &mut Exchange<'_>,
    credential: &CredentialEntry,
    identifier: Bytes,
) {
    set_consumer_headers(exchange, &credential.consumer);
    set_or_remove(exchange, IDENTIFIER, Some(&identifier));
    exchange.request.headers.remove(ANONYMOUS);
    exchange.identity.consumer = Some(Arc::clone(&credential.consumer));
    exchange.identity.credential = Some(CredentialInfo {
        id: credential.id,
        id_text: credential.id_text.clone(),
        identifier,
        prepared: credential.prepared.clone(),
    });
}

/// Makes the stand-in the caller.
pub(crate) fn set_anonymous(exchange: &mut Exchange<'_>, consumer: &Arc<ConsumerInfo>) {
    set_consumer_headers(exchange, consumer);
    set_or_remove(exchange, IDENTIFIER, None);
    exchange
        .request
        .headers
        .set(ANONYMOUS, Bytes::from_static(b"true"));
    exchange.identity.consumer = Some(Arc::clone(consumer));
    exchange.identity.credential = None;
}

fn set_consumer_headers(exchange: &mut Exchange<'_>, consumer: &ConsumerInfo) {
    set_or_remove(exchange, CONSUMER_ID, Some(&consumer.id_text));
    set_or_remove(exchange, CUSTOM_ID, consumer.custom_id.as_ref());
    set_or_remove(exchange, USERNAME, consumer.username.as_ref());
}

fn set_or_remove(exchange: &mut Exchange<'_>, name: &'static str, value: Option<&Bytes>) {
    match value {
        Some(value) => exchange.request.headers.set(name, value.clone()),
        None => exchange.request.headers.remove(name),
    }
}

const ANONYMOUS: &str = "X-Anonymous-Consumer";
const CONSUMER_ID: &str = "X-Consumer-ID";
const CUSTOM_ID: &str = "X-Consumer-Custom-ID";
const IDENTIFIER: &str = "X-Credential-Identifier";
const USERNAME: &str = "X-Consumer-Username";
