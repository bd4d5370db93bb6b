//! The node's own id.

use std::path::Path;

use uuid::Uuid;

use super::error::LinkError;

/// Name of the file below the prefix.
///
/// Compat: the reference's name and content.
const FILE: &str = "kong.id";

/// The id to use: the configured one, else the one kept below the prefix, else a new one, which
/// is kept there. Blocks; call it at start.
///
/// # Errors
///
/// [`LinkError::Setting`] when the file cannot be read or written.
pub fn node_id(configured: Option<Uuid>, prefix: &Path) -> Result<Uuid, LinkError> {
    if let Some(id) = configured {
        return Ok(id);
    }
    let path = prefix.join(FILE);
    let fault = |error: std::io::Error| LinkError::Setting {
        setting: "prefix",
        reason: format!("`{}`: {error}", path.display()),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => match Uuid::parse_str(text.trim()) {
            Ok(id) => return Ok(id),
            Err(_) => tracing::warn!(path = %path.display(), "no id in the file; making a new one"),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault(error)),
    }
    let id = clock::new_uuid();
    let written = || {
        std::fs::create_dir_all(prefix)?;
        let temporary = prefix.join(format!("{FILE}.new"));
        std::fs::write(&temporary, format!("{id}\n"))?;
        std::fs::rename(&temporary, &path)
    };
    written().map_err(fault)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use test_support::TempDir;

    use super::*;

    #[test]
    fn id_is_kept_and_a_configured_one_wins() {
        let folder = TempDir::new("node-id");
        let prefix = folder.path().join("below");
        let first = node_id(None, &prefix).unwrap();
        assert_eq!(node_id(None, &prefix).unwrap(), first);
        let configured = Uuid::from_u128(7);
        assert_eq!(node_id(Some(configured), &prefix).unwrap(), configured);
        assert_eq!(node_id(None, &prefix).unwrap(), first);
    }

    #[test]
    fn file_without_an_id_is_replaced() {
        let folder = TempDir::new("node-id");
        std::fs::write(folder.path().join(FILE), "nonsense").unwrap();
        let first = node_id(None, folder.path()).unwrap();
        assert_eq!(node_id(None, folder.path()).unwrap(), first);
    }

    #[test]
    fn unusable_prefix_is_an_error_that_names_it() {
        let folder = TempDir::new("node-id");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = node_id(None, &file).unwrap_err().to_string();
        assert!(
            error.contains("prefix") && error.contains("kong.id"),
            "{error}"
        );
    }
}
