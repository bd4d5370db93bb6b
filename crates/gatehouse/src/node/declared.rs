//! The whole configuration of a node without a database.

use std::sync::Arc;

use admin_api::gateway::{Declared, LoadError, LoadFuture};
use declarative::{Document, render_yaml};
use gateway::intake::{Offered, Refused};
use gateway::node::Handle;

use super::facts::tables;

/// The running configuration, read and replaced as a whole.
pub(super) struct Running {
    node: Handle,
}

impl Running {
    pub(super) const fn new(node: Handle) -> Self {
        Self { node }
    }
}

impl Declared for Running {
    fn load(&self, document: Document, text: Option<&str>) -> LoadFuture<'_> {
        // Compat: the MD5 of the text; of a document given as JSON, of its compact form.
        let hash = match text {
            Some(text) => wire::md5_hex(text.as_bytes()),
            None => wire::md5_hex(document.value().to_string().as_bytes()),
        };
        Box::pin(async move {
            match self.node.intake.offer_document(document, hash).await {
                Offered::Busy => Err(LoadError::Busy),
                Offered::Stopping => Err(LoadError::Stopping),
                Offered::Judged(Ok(accepted)) => Ok(accepted.config.unwrap_or_default()),
                Offered::Judged(Err(Refused::Invalid(problems))) => {
                    Err(LoadError::Invalid(problems))
                }
                Offered::Judged(Err(refused)) => Err(LoadError::Fault(refused.to_string())),
            }
        })
    }

    fn is_active(&self, text: &str) -> bool {
        let hash = wire::md5_hex(text.as_bytes());
        self.node.intake.active_hash() == Some(hash)
    }

    fn export(&self) -> String {
        render_yaml(
            &Arc::clone(&tables(&self.node)),
            self.node.intake.catalogue(),
        )
    }
}
