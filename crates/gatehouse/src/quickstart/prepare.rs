//! What the first start makes. Every step looks whether it was done before, so that a start that
//! was cut short is continued by the next one.

use std::path::Path;

use control_plane::{ControlPlane, NewControlPlane, Planes};
use identity::Identity;
use platform::Platform;
use uuid::Uuid;

use super::facts::Facts;
use super::layout::Layout;
use crate::cli::Quickstart;
use crate::failure::Failure;
use crate::files;

/// The geos of a quickstart; the node belongs to the first.
pub(super) const GEOS: [&str; 5] = [GEO, "au", "eu", "in", "me"];
const GEO: &str = "us";
/// Name of the organisation.
const ORGANISATION: &str = "Quickstart";
/// Name of the control plane.
pub(super) const CONTROL_PLANE: &str = "default";
/// Days that the node's certificate is valid.
const CERTIFICATE_DAYS: u32 = 1095;
/// A node's certificate that ends within this time is replaced: 30 days.
const RENEW_SECONDS: u64 = 30 * 86_400;
/// Days that the access token works.
const TOKEN_DAYS: u64 = 365;

/// Makes what is missing; the facts are written after every step that made a secret. Gives
/// whether a secret was made.
pub(super) async fn prepare(
    platform: &Platform,
    arguments: &Quickstart,
    layout: &Layout,
    facts: &mut Facts,
) -> Result<bool, Failure> {
    let missing = || Failure::new(format!("the geo `{GEO}` is not served"));
    let planes = platform.planes(GEO).ok_or_else(missing)?;
    let ca_cert = layout.ca_cert();
    files::replace(&ca_cert, files::PUBLIC, platform.ca_pem())?;
    facts.ca_cert_path = Some(ca_cert.display().to_string());
    urls(planes, arguments, facts);
    let token = facts.token.clone();
    let organisation = organisation(platform, arguments, layout, facts).await?;
    let plane = control_plane(planes, organisation).await?;
    let geo = planes.geo();
    facts.control_plane_id = Some(plane.id.to_string());
    facts.control_plane_endpoint = Some(geo.control_plane_endpoint(&plane.prefix));
    facts.telemetry_endpoint = Some(geo.telemetry_endpoint(&plane.prefix));
    certificate(planes, &plane, layout, facts).await?;
    facts.save(layout)?;
    Ok(facts.token != token)
}

fn urls(planes: &Planes, arguments: &Quickstart, facts: &mut Facts) {
    let geo = planes.geo();
    let (base, name) = (&geo.base_domain, &geo.name);
    let port = if geo.port == 443 {
        String::new()
    } else {
        format!(":{}", geo.port)
    };
    facts.base_domain = Some(base.clone());
    facts.console_url = Some(format!("https://cloud.{base}{port}"));
    facts.global_api_url = Some(format!("https://global.api.{base}{port}"));
    facts.geo_api_url = Some(format!("https://{name}.api.{base}{port}"));
    facts.proxy_http_url = Some(format!("http://localhost:{}", arguments.proxy_port));
    facts.proxy_https_url = Some(format!("https://localhost:{}", arguments.proxy_tls_port));
}

/// The organisation, with an administrator whose password and token are in the facts.
async fn organisation(
    platform: &Platform,
    arguments: &Quickstart,
    layout: &Layout,
    facts: &mut Facts,
) -> Result<Uuid, Failure> {
    let email = format!("admin@{}", arguments.base_domain);
    if let Some(made) = platform.bootstrap(ORGANISATION, &email).await? {
        facts.admin_email = Some(made.user.email.clone());
        facts.admin_password = Some(made.password.reveal().to_owned());
        facts.token = Some(made.token.reveal().to_owned());
        facts.save(layout)?;
        return Ok(made.organisation.id);
    }
    let identity: &Identity = platform.identity();
    if let Some(token) = &facts.token
        && let Ok(principal) = identity.authenticate(token).await
    {
        return Ok(principal.organisation);
    }
    // The token has ended or its file was lost.
    let email = facts.admin_email.clone().unwrap_or(email);
    let user = crate::commands::find_user(identity, &email).await?;
    let token = crate::commands::new_token(identity, &user, "quickstart", TOKEN_DAYS).await?;
    facts.admin_email = Some(email);
    facts.token = Some(token);
    if facts.admin_password.is_none() {
        let password = clock::random_alphanumeric(crate::commands::PASSWORD_LENGTH);
        identity.set_password(user.id, &password).await?;
        facts.admin_password = Some(password);
    }
    facts.save(layout)?;
    Ok(user.organisation)
}

async fn control_plane(planes: &Planes, organisation: Uuid) -> Result<ControlPlane, Failure> {
    if let Some(plane) = planes.by_name(organisation, CONTROL_PLANE).await? {
        return Ok(plane);
    }
    let new = NewControlPlane {
        name: CONTROL_PLANE.to_owned(),
        description: "Made by gatehouse quickstart".to_owned(),
        is_default: true,
        ..NewControlPlane::default()
    };
    Ok(planes.create(organisation, new).await?)
}

/// Whether the certificate exists and lives long enough to go on with.
fn is_lasting(cert: &Path) -> bool {
    let parsed = std::fs::read(cert).ok();
    let parsed = parsed.and_then(|pem| pki::PeerCertificate::from_pem(&pem).ok());
    let later = clock::unix_seconds() + RENEW_SECONDS;
    parsed.is_some_and(|certificate| certificate.is_valid_at(later))
}

/// The node's certificate: made when it is missing or ends soon, and registered with the control
/// plane.
async fn certificate(
    planes: &Planes,
    plane: &ControlPlane,
    layout: &Layout,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let (cert, key) = (layout.node_cert(), layout.node_key());
    if !key.exists() || !is_lasting(&cert) {
        let version = pki::CertificateVersion::V3;
        let issued = pki::gen_cluster_certificate(CERTIFICATE_DAYS, version)?;
        files::replace(&key, files::PRIVATE, &issued.key_pem)?;
        files::replace(&cert, files::PUBLIC, &issued.cert_pem)?;
    }
    let pem = files::read(&cert)?;
    let pin = pki::PeerCertificate::from_pem(pem.as_bytes())?.sha256_hex();
    let pinned = planes.pinned(plane.id).await?;
    if !pinned.iter().any(|registered| registered.sha256 == pin) {
        planes.pin(plane.id, &pem, "quickstart").await?;
    }
    facts.node_cert_path = Some(cert.display().to_string());
    facts.node_key_path = Some(key.display().to_string());
    Ok(())
}
