//! Which platform to speak to: arguments first, then the environment, then the quickstart.

use std::path::Path;

use serde_json::Value;

use super::Client;
use crate::cli::Access;
use crate::failure::Failure;
use crate::{environment, files};

/// Variable with an access token.
const TOKEN_VARIABLE: &str = "GATEHOUSE_TOKEN";
/// Variable with the URL of the geo's API.
const ADDRESS_VARIABLE: &str = "GATEHOUSE_ADDRESS";

/// A client for the API of a geo.
pub(crate) fn api(access: &Access) -> Result<Client, Failure> {
    let data_dir = environment::data_dir(access.data_dir.as_deref());
    let facts = facts(&data_dir)?;
    let fact = |name: &str| facts[name].as_str().map(str::to_owned);
    let named = access
        .address
        .clone()
        .or_else(|| environment::variable(ADDRESS_VARIABLE));
    // What the quickstart wrote belongs to its own platform only.
    let is_quickstart = named.is_none();
    let address = named.or_else(|| fact("geo_api_url")).ok_or_else(|| {
        Failure::new(format!(
            "no platform is known: `{}` holds no quickstart.json; name one with --address \
             https://us.api.… and --token, or the folder with --data-dir",
            data_dir.display()
        ))
    })?;
    let token = access
        .token
        .clone()
        .or_else(|| environment::variable(TOKEN_VARIABLE));
    let token = token
        .or_else(|| fact("token").filter(|_| is_quickstart))
        .ok_or_else(|| {
            Failure::new(format!(
                "an access token is needed: set {TOKEN_VARIABLE} or --token"
            ))
        })?;
    let ca_cert = access.ca_cert.clone();
    let ca_cert = ca_cert.or_else(|| {
        fact("ca_cert_path")
            .filter(|_| is_quickstart)
            .map(Into::into)
    });
    let roots = match ca_cert {
        Some(path) => pki::Roots::from_pem(&files::read_bytes(&path)?)?,
        None => pki::Roots::system()?,
    };
    Ok(Client::new(&address, roots, Some(token))?)
}

/// What a quickstart wrote down; null when there was none.
pub(crate) fn facts(data_dir: &Path) -> Result<Value, Failure> {
    let path = data_dir.join("quickstart.json");
    if !path.exists() {
        return Ok(Value::Null);
    }
    let text = files::read(&path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!(
            "`{}` is damaged: {error}; remove it and start again",
            path.display()
        ))
    })
}
