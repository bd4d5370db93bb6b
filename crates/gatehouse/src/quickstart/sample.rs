//! The sample service, made through the API as a user would.

use hyper::Method;
use serde_json::{Value, json};

use super::facts::Facts;
use crate::client::{Client, Content};
use crate::failure::Failure;

/// Whether there is a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// None was wanted, or its user removed it.
    Absent,
    /// An earlier start made it.
    Kept,
    /// This start made it.
    New,
}

/// Whether the sample of an earlier start is still there.
pub(super) async fn find(facts: &Facts) -> Sample {
    let plane = facts.control_plane_id.as_deref().unwrap_or_default();
    let path = format!("/v2/control-planes/{plane}/core-entities/routes/echo");
    let Ok(api) = api(facts) else {
        return Sample::Absent;
    };
    match api.get(&path).await {
        Ok(answer) if answer.is_success() => Sample::Kept,
        _ => Sample::Absent,
    }
}

/// Makes service and route `echo`, or brings them back to what they should be.
pub(super) async fn make(facts: &Facts, echo_port: u16) -> Result<(), Failure> {
    let api = api(facts)?;
    let plane = facts.control_plane_id.as_deref().unwrap_or_default();
    let base = format!("/v2/control-planes/{plane}/core-entities");
    let service = json!({
        "name": "echo",
        "protocol": "http",
        "host": "127.0.0.1",
        "port": echo_port,
        "tags": ["sample"],
    });
    let made = put(&api, &format!("{base}/services/echo"), &service).await?;
    let route = json!({
        "name": "echo",
        "paths": ["/echo"],
        "service": {"id": made["id"]},
        "tags": ["sample"],
    });
    put(&api, &format!("{base}/routes/echo"), &route)
        .await
        .map(|_| ())
}

/// A client with the quickstart's token and authority.
pub(super) fn api(facts: &Facts) -> Result<Client, Failure> {
    let address = facts.geo_api_url.as_deref().unwrap_or_default();
    let ca_cert = facts.ca_cert_path.as_deref().unwrap_or_default();
    let ca_pem = crate::files::read_bytes(std::path::Path::new(ca_cert))?;
    Ok(Client::new(
        address,
        pki::Roots::from_pem(&ca_pem)?,
        facts.token.clone(),
    )?)
}

async fn put(api: &Client, path: &str, body: &Value) -> Result<Value, Failure> {
    let answer = api
        .call(Method::PUT, path, Some(Content::json(body)))
        .await?;
    if answer.is_success() {
        return Ok(answer.json());
    }
    let text = answer.text();
    Err(Failure::new(format!(
        "the sample could not be made: {} {text}",
        answer.status
    )))
}
