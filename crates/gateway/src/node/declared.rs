//! The configuration that a node without a database is started with.
//!
//! Compat: `declarative_config` wins over `declarative_config_string`, and both over what was
//! kept; one that is wrong keeps the node from starting. The hash is the MD5 of the text.

use conf::{Role, Settings};
use declarative::{Document, Format, Limits};

use super::error::NodeError;
use crate::intake::Intake;

/// Takes the declared configuration into use; false if there is none.
pub(super) async fn load(settings: &Settings, intake: &Intake) -> Result<bool, NodeError> {
    if settings.role == Role::DataPlane {
        return Ok(false);
    }
    let (property, text) = match (
        &settings.declarative_config,
        &settings.declarative_config_string,
    ) {
        (Some(path), _) => {
            let property = "declarative_config";
            let text = tokio::fs::read(path).await.map_err(|error| {
                let reason = format!("`{}`: {error}", path.display());
                NodeError::Declared { property, reason }
            })?;
            (property, text)
        }
        (None, Some(text)) => (
            "declarative_config_string",
            text.expose().as_bytes().to_vec(),
        ),
        (None, None) => return Ok(false),
    };
    let hash = wire::md5_hex(&text);
    let document = Document::parse(&text, Format::Auto, Limits::default()).map_err(|error| {
        let reason = format!(
            "line {}, column {}: {}",
            error.line, error.column, error.message
        );
        NodeError::Declared { property, reason }
    })?;
    match intake.accept_document(document, hash).await {
        Ok(_) => Ok(true),
        Err(refused) => Err(NodeError::DeclaredInvalid { property, refused }),
    }
}
