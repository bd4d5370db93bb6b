//! The one cryptography provider of the product.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

/// The provider (aws-lc-rs) that every TLS configuration of the product uses.
///
/// The first call also makes it the process' default, for crates that ask for that.
#[must_use]
pub fn crypto_provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        // A test or an embedding program may have installed one already; then that stays.
        drop(provider.clone().install_default());
        Arc::new(provider)
    });
    Arc::clone(provider)
}
