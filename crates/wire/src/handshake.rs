//! The arithmetic of the WebSocket handshake (RFC 6455 section 4).

use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

/// Makes the value of `Sec-WebSocket-Key`: 16 random bytes in base64.
#[must_use]
pub fn websocket_key() -> String {
    generate_key()
}

/// The value of `Sec-WebSocket-Accept` that answers a key.
#[must_use]
pub fn websocket_accept(key: &str) -> String {
    derive_accept_key(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_agrees() {
        assert_eq!(
            websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(websocket_key().len(), 24);
    }
}
