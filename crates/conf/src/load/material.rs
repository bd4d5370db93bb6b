//! Certificates and keys that settings name: they must exist, be readable and fit together.

use crate::settings::Settings;
use crate::values::{Role, Trust};
use crate::{ConfError, Secret};

pub(super) fn check(settings: &Settings) -> Vec<ConfError> {
    let mut errors = Vec::new();
    if settings.role != Role::Traditional
        && let (Some(cert), Some(key)) = (&settings.cluster_cert, &settings.cluster_cert_key)
    {
        pair(
            ("cluster_cert", cert),
            ("cluster_cert_key", key),
            &mut errors,
        );
    }
    if settings.role != Role::Traditional
        && let Some(authority) = &settings.cluster_ca_cert
    {
        bundle("cluster_ca_cert", authority, &mut errors);
    }
    for trust in &settings.lua_ssl_trusted_certificate {
        if let Trust::Bundle(text) = trust {
            bundle("lua_ssl_trusted_certificate", text, &mut errors);
        }
    }
    let lists = [
        (
            "ssl_cert",
            &settings.ssl_cert,
            "ssl_cert_key",
            &settings.ssl_cert_key,
        ),
        (
            "admin_ssl_cert",
            &settings.admin_ssl_cert,
            "admin_ssl_cert_key",
            &settings.admin_ssl_cert_key,
        ),
        (
            "status_ssl_cert",
            &settings.status_ssl_cert,
            "status_ssl_cert_key",
            &settings.status_ssl_cert_key,
        ),
    ];
    for (cert_name, certs, key_name, keys) in lists {
        if certs.len() != keys.len() {
            let message = format!(
                "holds {} certificates, but `{key_name}` holds {} keys; give each certificate \
                 its key, in the same order",
                certs.len(),
                keys.len()
            );
            errors.push(ConfError::rule(cert_name, message));
            continue;
        }
        for (cert, key) in certs.iter().zip(keys) {
            pair((cert_name, cert), (key_name, key), &mut errors);
        }
    }
    client(settings, &mut errors);
    errors
}

fn client(settings: &Settings, errors: &mut Vec<ConfError>) {
    if !settings.client_ssl {
        return;
    }
    match (&settings.client_ssl_cert, &settings.client_ssl_cert_key) {
        (Some(cert), Some(key)) => {
            pair(
                ("client_ssl_cert", cert),
                ("client_ssl_cert_key", key),
                errors,
            );
        }
        (None, _) => {
            errors.push(ConfError::rule(
                "client_ssl_cert",
                "is needed with `client_ssl = on`",
            ));
        }
        (_, None) => {
            errors.push(ConfError::rule(
                "client_ssl_cert_key",
                "is needed with `client_ssl = on`",
            ));
        }
    }
}

fn pair(cert: (&str, &str), key: (&str, &Secret), errors: &mut Vec<ConfError>) {
    let cert_pem = read(cert.0, cert.1, errors);
    let key_pem = read(key.0, key.1.expose(), errors);
    let (Some(cert_pem), Some(key_pem)) = (cert_pem, key_pem) else {
        return;
    };
    if let Err(error) = pki::certified_key(&cert_pem, &key_pem) {
        let name = if matches!(error, pki::Error::Key(_)) {
            key.0
        } else {
            cert.0
        };
        errors.push(ConfError::rule(name, format!("cannot be used: {error}")));
    }
}

fn bundle(name: &str, text: &str, errors: &mut Vec<ConfError>) {
    let Some(pem) = read(name, text, errors) else {
        return;
    };
    if let Err(error) = pki::Roots::from_pem(&pem) {
        errors.push(ConfError::rule(name, format!("cannot be used: {error}")));
    }
}

fn read(name: &str, text: &str, errors: &mut Vec<ConfError>) -> Option<Vec<u8>> {
    match pki::pem_or_path_or_base64(text) {
        Ok(pem) => Some(pem),
        Err(pki::Error::NotPem { .. }) if name.ends_with("_key") => {
            // A mistyped key must not appear in a log.
            let message = "is neither an existing file, nor PEM text, nor base64 of PEM text";
            errors.push(ConfError::rule(name, message));
            None
        }
        Err(error) => {
            errors.push(ConfError::rule(name, format!("cannot be used: {error}")));
            None
        }
    }
}
