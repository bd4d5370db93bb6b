//! `aws-lambda` at work.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step, Verdict,
};
use uuid::Uuid;

use super::schema::Config;
use super::{event, result};
use crate::aws::{Credentials, Metadata, Provider, Role, Signed, Source, sign};
use crate::outbox::milliseconds;
use crate::outcall::{Call, Trust, Url, Verify, call, escape};

/// Largest result of a function, in bytes; AWS gives at most 6 MB, 20 MB when streamed.
const RESULT_MAX: usize = 32 * 1024 * 1024;

/// The region that is signed for where none is named.
const USUAL_REGION: &str = "us-east-1";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let lacks = |field: &str, reason: &str| BuildError::Config {
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    let region = match (&config.region, &config.host) {
        (Some(region), _) => region.clone(),
        (None, Some(host)) => region_of(host).to_owned(),
        (None, None) => return Err(lacks("aws_region", "give it, or `host`")),
    };
    let name = config.function_name.as_deref();
    let name = name.ok_or_else(|| lacks("function_name", "name a function"))?;
    let host = config.host.clone();
    let host = host.unwrap_or_else(|| format!("lambda.{region}.amazonaws.com"));
    let qualifier = config.qualifier.as_deref().map(escape);
    let target = format!(
        "/2015-03-31/functions/{}/invocations{}",
        escape(name),
        qualifier.map_or_else(String::new, |one| format!("?Qualifier={one}"))
    );
    let proxy = match &config.proxy_url {
        None => None,
        Some(url) => Some(Url::of_field("proxy_url", url)?),
    };
    let timeout = milliseconds(config.timeout);
    let source = match &config.keys {
        Some((id, secret)) => Source::Fixed(Credentials::fixed(id.clone(), secret.clone())),
        None => Source::Machine(Metadata::new(config.has_metadata_session)),
    };
    let role = config.role.as_ref().map(|(arn, session)| Role {
        arn: arn.clone(),
        session: session.clone(),
        endpoint: config
            .sts_endpoint
            .clone()
            .unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com")),
        region: region.clone(),
    });
    Ok(Arc::new(AwsLambda {
        id: input.id,
        url: Url {
            is_tls: !config.disable_https,
            host,
            port: config.port,
            target,
        },
        region,
        proxy,
        provider: Provider::new(source, role, timeout),
        trust: context.shared.get::<Trust>(),
        config,
    }))
}

/// The region that the usual name of an endpoint tells.
fn region_of(host: &str) -> &str {
    let rest = host.strip_prefix("lambda.");
    let region = rest.and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    region.unwrap_or(USUAL_REGION)
}

struct AwsLambda {
    id: Uuid,
    config: Config,
    url: Url,
    region: String,
    proxy: Option<Url>,
    provider: Provider,
    trust: Arc<Trust>,
}

impl AwsLambda {
    async fn answer(&self, exchange: &Exchange<'_>) -> Reply {
        match self.invoke(exchange).await {
            Ok(reply) => reply,
            Err(reason) => {
                tracing::debug!(plugin = %self.id, reason, "a Lambda function gave no answer");
                Reply::failure()
            }
        }
    }

    async fn invoke(&self, exchange: &Exchange<'_>) -> Result<Reply, String> {
        let keys = self.provider.credentials(&self.trust, exchange.now_ms);
        let keys = keys
            .await
            .map_err(|reason| format!("no credentials: {reason}"))?;
        let body = Bytes::from(event::payload(&self.config, exchange).to_string());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            pair("Content-Type", "application/x-amz-json-1.1"),
            pair("X-Amz-Target", "invoke"),
            pair("X-Amz-Invocation-Type", &self.config.invocation_type),
            pair("X-Amz-Log-Type", &self.config.log_type),
        ];
        let what = Signed {
            method: &Method::POST,
            url: &self.url,
            body: &body,
            service: "lambda",
            region: &self.region,
            now_ms: exchange.now_ms,
        };
        sign(what, &keys, &mut headers);
        let answer = call(Call {
            url: &self.url,
            method: Method::POST,
            headers,
            body,
            verify: Verify::Yes,
            trust: &self.trust,
            timeout: milliseconds(self.config.timeout),
            keepalive: milliseconds(self.config.keepalive),
            proxy: self.proxy.as_ref().map(|url| (url.host.as_str(), url.port)),
            max_answer: RESULT_MAX,
        })
        .await
        .map_err(|error| error.to_string())?;
        Ok(result::answer(&self.config, answer))
    }
}

impl Handler for AwsLambda {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        Step::Wait(Box::pin(async move {
            Verdict::Respond(Box::new(self.answer(exchange).await))
        }))
    }
}
