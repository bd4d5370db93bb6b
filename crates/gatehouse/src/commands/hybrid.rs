//! `gatehouse hybrid gen_cert`.

use pki::{CertificateVersion, gen_cluster_certificate};

use crate::cli::Hybrid;
use crate::failure::Failure;
use crate::{files, output};

pub(super) fn run(command: &Hybrid) -> Result<(), Failure> {
    let Hybrid::GenCert { cert, key, days } = command;
    // Before any work, so that nothing is left half done.
    for path in [cert, key] {
        if path.exists() {
            return Err(Failure::new(format!(
                "`{}` exists already and is not overwritten; remove it or name another file",
                path.display()
            )));
        }
    }
    let issued = gen_cluster_certificate(*days, CertificateVersion::V1)?;
    files::write_new(key, files::PRIVATE, &issued.key_pem)?;
    if let Err(failure) = files::write_new(cert, files::PUBLIC, &issued.cert_pem) {
        drop(std::fs::remove_file(key));
        return Err(failure);
    }
    output::print(&format!(
        "made `{}` and `{}`, valid for {days} days; copy both to the nodes and the control plane",
        cert.display(),
        key.display()
    ));
    Ok(())
}
