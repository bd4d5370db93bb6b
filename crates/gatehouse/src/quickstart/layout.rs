//! Where things lie below the data folder.

use std::path::{Path, PathBuf};

use crate::cli::Quickstart;
use crate::failure::Failure;
use crate::{environment, files};

/// Paths below the data folder.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the folders, for their owner only.
    pub(super) fn open(arguments: &Quickstart) -> Result<Self, Failure> {
        let root = environment::data_dir(arguments.data_dir.as_deref());
        files::make_folder(&root)?;
        // Absolute, because the node outlives this process and its working folder.
        let root = root
            .canonicalize()
            .map_err(|error| Failure::new(format!("cannot use `{}`: {error}", root.display())))?;
        let layout = Self { root };
        files::make_folder(&layout.platform())?;
        files::make_folder(&layout.node_prefix())?;
        Ok(layout)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Everything of the platform.
    pub(super) fn platform(&self) -> PathBuf {
        self.root.join("platform")
    }

    /// Everything of the node.
    pub(super) fn node(&self) -> PathBuf {
        self.root.join("node")
    }

    pub(super) fn node_prefix(&self) -> PathBuf {
        self.node().join("prefix")
    }

    pub(super) fn node_conf(&self) -> PathBuf {
        self.node().join("kong.conf")
    }

    pub(super) fn node_log(&self) -> PathBuf {
        self.node().join("node.log")
    }

    pub(super) fn node_pid(&self) -> PathBuf {
        self.node().join("node.pid")
    }

    /// The id by which a running process is known as this folder's node.
    pub(super) fn node_instance(&self) -> PathBuf {
        self.node().join("instance")
    }

    pub(super) fn node_cert(&self) -> PathBuf {
        self.node().join("node.crt")
    }

    pub(super) fn node_key(&self) -> PathBuf {
        self.node().join("node.key")
    }

    /// Exists when the sample was made; what a user removes afterwards stays removed.
    pub(super) fn sample_made(&self) -> PathBuf {
        self.root.join("sample.made")
    }

    /// Exists when the secrets were shown.
    pub(super) fn secrets_shown(&self) -> PathBuf {
        self.root.join("secrets.shown")
    }

    /// The sample backend's port.
    pub(super) fn echo_port(&self) -> PathBuf {
        self.node().join("echo.port")
    }

    /// The private authority's certificate.
    pub(super) fn ca_cert(&self) -> PathBuf {
        self.root.join("ca.pem")
    }

    pub(super) fn facts(&self) -> PathBuf {
        self.root.join("quickstart.json")
    }

    /// Locked by the running quickstart.
    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}
