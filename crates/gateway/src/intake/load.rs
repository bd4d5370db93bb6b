//! The intake as the Admin API of a node without a database sees it.

use declarative::{Document, render_yaml};

use super::accept::Intake;
use super::refused::Refused;
use crate::admin::{Load, LoadError, LoadFuture};

impl Load for Intake {
    fn load(&self, document: Document, hash: String) -> LoadFuture<'_> {
        Box::pin(async move {
            if self.is_stopping() {
                return Err(LoadError::Stopping);
            }
            match self.try_accept_document(document, hash).await {
                None => Err(LoadError::Busy),
                Some(Ok(accepted)) => Ok(accepted.config.unwrap_or_default()),
                Some(Err(Refused::Invalid(problems))) => Err(LoadError::Invalid(problems)),
                Some(Err(refused)) => Err(LoadError::Fault(refused.to_string())),
            }
        })
    }

    fn active_hash(&self) -> Option<String> {
        Self::active_hash(self)
    }

    fn export(&self) -> String {
        let tables = self.tables().unwrap_or_default();
        render_yaml(&tables, self.catalogue())
    }
}
