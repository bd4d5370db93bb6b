//! The intake as the link to the control plane sees it.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use wire::v1::ErrorReport;

use super::accept::Intake;
use crate::outlet::Apply;

impl Apply for Intake {
    fn apply(
        &self,
        table: Value,
        hash: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, Box<ErrorReport>>> + Send + '_>> {
        Box::pin(async move {
            match self.accept_table(table, hash.clone()).await {
                Ok(accepted) => Ok(accepted.hash),
                Err(refused) => {
                    tracing::error!(
                        config_hash = %hash,
                        error = %refused,
                        "configuration refused; the running one stays in use"
                    );
                    Err(Box::new(refused.report(&hash)))
                }
            }
        })
    }

    fn active_hash(&self) -> String {
        Self::active_hash(self).unwrap_or_else(|| wire::EMPTY_HASH.to_owned())
    }
}
