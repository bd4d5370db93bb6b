//! The paths of the Admin API.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::configuration::{self, Load};
use super::information::Information;
use crate::status::{Facts, status_answer};
use crate::surface::{Answer, Call, Surface, message};

/// The Admin API as a surface.
pub(crate) struct AdminApi {
    facts: Facts,
    information: Information,
    load: Arc<dyn Load>,
    body_max: usize,
}

impl AdminApi {
    pub(crate) fn new(
        facts: Facts,
        information: Information,
        load: Arc<dyn Load>,
        body_max: usize,
    ) -> Self {
        Self {
            facts,
            information,
            load,
            body_max,
        }
    }

    async fn route(&self, call: Call) -> Answer {
        match (call.path.as_str(), &call.method) {
            ("/", _) => Answer::json(StatusCode::OK, &self.information.body()),
            ("/status", _) => status_answer(&self.facts, &call.query),
            ("/config", &Method::POST) => configuration::post(self.load.as_ref(), &call).await,
            ("/config", _) => configuration::get(self.load.as_ref()),
            _ => message(StatusCode::NOT_FOUND, "Not found"),
        }
    }
}

impl Surface for AdminApi {
    fn name(&self) -> &'static str {
        "Admin API (`admin_listen`)"
    }

    fn verbs(&self, path: &str) -> Option<&'static [&'static str]> {
        match path {
            "/" | "/status" => Some(&["GET", "HEAD", "OPTIONS"]),
            "/config" => Some(&["GET", "HEAD", "OPTIONS", "POST"]),
            _ => None,
        }
    }

    fn allows_origins(&self) -> bool {
        true
    }

    fn body_max(&self) -> usize {
        self.body_max
    }

    fn answer(&self, call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.route(call))
    }
}
