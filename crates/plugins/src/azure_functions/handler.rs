//! `azure-functions` at work.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step, Verdict,
};
use uuid::Uuid;

use super::schema::Config;
use crate::outbox::milliseconds;
use crate::outcall::{Call, Trust, Url, Verify, call, reply};

/// Largest answer of a function, in bytes.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// Fields of the request that belong to its connection.
const OWN: [&[u8]; 7] = [
    b"host",
    b"connection",
    b"content-length",
    b"keep-alive",
    b"te",
    b"transfer-encoding",
    b"upgrade",
];

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let scheme = if config.https { "https" } else { "http" };
    let parts = [&config.routeprefix, &config.functionname];
    let parts = parts.into_iter().flat_map(|part| part.split('/'));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let path = parts.join("/");
    let place = match config.appname.is_empty() {
        true => config.hostdomain.clone(),
        false => format!("{}.{}", config.appname, config.hostdomain),
    };
    let url = Url::parse(&format!("{scheme}://{place}/{path}"));
    let url = url.ok_or_else(|| BuildError::Config {
        field: "functionname".to_owned(),
        reason: "makes no URL with `appname`, `hostdomain` and `routeprefix`".to_owned(),
    })?;
    Ok(Arc::new(AzureFunctions {
        id: input.id,
        url,
        trust: context.shared.get::<Trust>(),
        config,
    }))
}

struct AzureFunctions {
    id: Uuid,
    url: Url,
    trust: Arc<Trust>,
    config: Config,
}

impl AzureFunctions {
    /// The request's header fields, and those that prove the caller; a client cannot choose these.
    fn headers(&self, exchange: &Exchange<'_>) -> Vec<(String, String)> {
        let proofs = [
            ("x-functions-key", &self.config.apikey),
            ("x-functions-clientid", &self.config.clientid),
        ];
        let mut headers = Vec::new();
        let edits = &exchange.request.headers;
        edits.apply(exchange.head.headers(), |name, value| {
            let is_own = OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
            let is_proof = proofs
                .iter()
                .any(|(proof, set)| set.is_some() && proof.as_bytes().eq_ignore_ascii_case(name));
            let text = (std::str::from_utf8(name), std::str::from_utf8(value));
            if let (false, false, (Ok(name), Ok(value))) = (is_own, is_proof, text) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        });
        for (name, value) in proofs {
            if let Some(value) = value {
                headers.push((name.to_owned(), value.clone()));
            }
        }
        headers
    }

    async fn answer(&self, exchange: &Exchange<'_>) -> Reply {
        let mut url = self.url.clone();
        if let Ok(query) = std::str::from_utf8(exchange.query())
            && !query.is_empty()
        {
            url.target = format!("{}?{query}", url.target);
        }
        let Ok(method) = Method::from_bytes(exchange.method()) else {
            return Reply::failure();
        };
        let body = exchange.request.body.clone();
        let body =
            body.unwrap_or_else(|| Bytes::copy_from_slice(exchange.body.unwrap_or_default()));
        let answer = call(Call {
            url: &url,
            method,
            headers: self.headers(exchange),
            body,
            verify: match self.config.https_verify {
                true => Verify::Yes,
                false => Verify::No,
            },
            trust: &self.trust,
            timeout: milliseconds(self.config.timeout),
            keepalive: milliseconds(self.config.keepalive),
            proxy: None,
            max_answer: ANSWER_MAX,
        })
        .await;
        match answer {
            Ok(answer) => reply(answer.status, &answer.headers, answer.body),
            Err(error) => {
                tracing::debug!(plugin = %self.id, %error, "an Azure function gave no answer");
                Reply::failure()
            }
        }
    }
}

impl Handler for AzureFunctions {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        Step::Wait(Box::pin(async move {
            Verdict::Respond(Box::new(self.answer(exchange).await))
        }))
    }
}
