//! The seam between the link and what takes configurations into use.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use wire::v1::ErrorReport;

/// Takes pushed configurations into use. The node's intake implements it.
pub trait Apply: Send + Sync {
    /// Validates, keeps and activates a configuration table, all or nothing. `hash` is what the
    /// control plane calls it. The answer is the hash that is active afterwards: `hash`, or
    /// [`wire::EMPTY_HASH`] for an empty configuration.
    fn apply(
        &self,
        table: Value,
        hash: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, Box<ErrorReport>>> + Send + '_>>;

    /// The hash of the active configuration; [`wire::EMPTY_HASH`] when there is none.
    fn active_hash(&self) -> String;
}
