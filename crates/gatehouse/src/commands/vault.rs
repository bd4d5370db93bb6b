//! `gatehouse vault`: what references to vaults stand for.
//!
//! Reads variables of this process only: config stores are read by nodes that a control plane
//! configures.

use crate::cli::Vault;
use crate::failure::Failure;
use crate::output;

use super::check;

pub(super) fn run(command: Vault) -> Result<(), Failure> {
    let Vault::Get { reference, conf } = command;
    let (settings, _) = check::load(conf, false)?;
    let secret = settings
        .secret(&reference)
        .map_err(|reason| Failure::new(format!("`{reference}` cannot be read: {reason}")))?;
    output::print(&secret);
    Ok(())
}
