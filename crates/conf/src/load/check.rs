//! Rules across properties.

use super::merge::Merged;
use crate::ConfError;
use crate::settings::Settings;
use crate::values::{ClusterMtls, Database, Role};

/// `Compat:` the rules at whose breach the reference refuses to start.
pub(super) fn check(settings: &Settings, merged: &Merged) -> Vec<ConfError> {
    let mut errors = Vec::new();
    match settings.role {
        Role::ControlPlane => control_plane(settings, merged, &mut errors),
        Role::DataPlane => data_plane(settings, &mut errors),
        Role::Traditional => {
            if merged.is_set("cluster_dp_labels") {
                errors.push(labels_of_another_role());
            }
        }
    }
    if settings.role != Role::Traditional {
        if settings.cluster_cert.is_none() {
            errors.push(ConfError::rule(
                "cluster_cert",
                "is needed in hybrid mode; make one with `gatehouse hybrid gen_cert`, or take \
                 the one that the platform made for this node",
            ));
        }
        if settings.cluster_cert_key.is_none() {
            errors.push(ConfError::rule(
                "cluster_cert_key",
                "is needed beside `cluster_cert`",
            ));
        }
    }
    if merged
        .values
        .get("worker_state_update_frequency")
        .is_some_and(|value| value.text.parse::<f64>().is_ok_and(|number| number <= 0.0))
    {
        errors.push(ConfError::rule(
            "worker_state_update_frequency",
            "must be greater than 0",
        ));
    }
    errors
}

fn labels_of_another_role() -> ConfError {
    ConfError::rule(
        "cluster_dp_labels",
        "is possible with `role = data_plane` only; unset it",
    )
}

fn control_plane(settings: &Settings, merged: &Merged, errors: &mut Vec<ConfError>) {
    if settings.database == Database::Off {
        errors.push(ConfError::rule(
            "database",
            "must not be `off` with `role = control_plane`",
        ));
    }
    for (name, listeners) in [
        ("admin_listen", &settings.admin_listen),
        ("cluster_listen", &settings.cluster_listen),
    ] {
        if listeners.is_empty() {
            let message = "must not be `off` with `role = control_plane`";
            errors.push(ConfError::rule(name, message));
        }
    }
    if settings.cluster_use_proxy {
        let message = "is possible with `role = data_plane` only; unset it";
        errors.push(ConfError::rule("cluster_use_proxy", message));
    }
    if merged.is_set("cluster_dp_labels") {
        errors.push(labels_of_another_role());
    }
    if settings.cluster_mtls != ClusterMtls::Shared && settings.cluster_ca_cert.is_none() {
        let message = "is needed with `role = control_plane` and `cluster_mtls = pki`";
        errors.push(ConfError::rule("cluster_ca_cert", message));
    }
}

fn data_plane(settings: &Settings, errors: &mut Vec<ConfError>) {
    if settings.database != Database::Off {
        errors.push(ConfError::rule(
            "database",
            "must be `off` with `role = data_plane`; the node gets its configuration from the \
             control plane",
        ));
    }
    if settings.proxy_listen.is_empty() {
        let message = "must not be `off` with `role = data_plane`";
        errors.push(ConfError::rule("proxy_listen", message));
    }
    if settings.cluster_use_proxy && settings.proxy_server.is_none() {
        let message = "needs `proxy_server`; set it to `http://host:port`, or unset this";
        errors.push(ConfError::rule("cluster_use_proxy", message));
    }
}

/// What `gatehouse node` cannot be.
pub(crate) fn check_runnable(settings: &Settings) -> Result<(), Vec<ConfError>> {
    let mut errors = Vec::new();
    if settings.role == Role::ControlPlane {
        errors.push(ConfError::rule(
            "role",
            "is `control_plane`, which is not a node: start `gatehouse platform` instead",
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}
