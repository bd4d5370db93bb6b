//! `cors` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, HeaderEdits, PluginInput, Reply, ReplyBody,
    ResponseView, Step,
};

use super::origin::{Origin, Origins, Pattern};
use super::schema::Config;

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let joined = |list: &[String]| (!list.is_empty()).then(|| Bytes::from(list.join(",")));
    Ok(Arc::new(Cors {
        origins: Origins::prepare(&config.origins)?,
        headers: joined(&config.headers),
        exposed: joined(&config.exposed_headers),
        methods: Bytes::from(config.methods.join(",")),
        max_age: config.max_age.map(|age| Bytes::from(age.to_string())),
        credentials: config.credentials,
        private_network: config.private_network,
        continues: config.preflight_continue,
    }))
}

struct Cors {
    origins: Origins,
    headers: Option<Bytes>,
    exposed: Option<Bytes>,
    methods: Bytes,
    max_age: Option<Bytes>,
    credentials: bool,
    private_network: bool,
    continues: bool,
}

/// Marks a preflight request: whoever answers it, nothing more is added.
struct Preflight;

impl Cors {
    /// Says who may read the answer.
    fn allow(&self, exchange: &Exchange<'_>, edits: &mut HeaderEdits) {
        let origin = exchange.header("origin").map(Bytes::copy_from_slice);
        let allows_all = self.allow_origin(origin.as_ref(), edits);
        if !self.credentials {
            return;
        }
        if allows_all {
            // Compat: with credentials `*` means nothing to browsers, so the asker is named.
            let Some(origin) = origin else { return };
            edits.set(ALLOW_ORIGIN, origin);
            vary(edits);
        }
        edits.set(ALLOW_CREDENTIALS, Bytes::from_static(b"true"));
    }

    /// Gives whether everybody may read the answer.
    fn allow_origin(&self, origin: Option<&Bytes>, edits: &mut HeaderEdits) -> bool {
        let patterns = match &self.origins {
            Origins::All => {
                edits.set(ALLOW_ORIGIN, Bytes::from_static(b"*"));
                return true;
            }
            Origins::Constant(origin) => {
                vary(edits);
                edits.set(ALLOW_ORIGIN, origin.clone());
                return false;
            }
            Origins::Listed(patterns) => patterns,
        };
        if patterns.iter().any(|one| matches!(one, Pattern::All)) {
            edits.set(ALLOW_ORIGIN, Bytes::from_static(b"*"));
            return true;
        }
        vary(edits);
        let parsed = origin.and_then(|origin| std::str::from_utf8(origin).ok());
        let parsed = parsed.map(Origin::parse);
        let is_listed =
            parsed.is_some_and(|parsed| patterns.iter().any(|one| one.matches(&parsed)));
        match origin.filter(|_| is_listed) {
            Some(origin) => edits.set(ALLOW_ORIGIN, origin.clone()),
            None => edits.remove(ALLOW_ORIGIN),
        }
        false
    }

    fn preflight(&self, exchange: &Exchange<'_>) -> Reply {
        let mut edits = HeaderEdits::default();
        self.allow(exchange, &mut edits);
        let asked = exchange.header("access-control-request-headers");
        let headers = self.headers.clone();
        let asked = asked.map(Bytes::copy_from_slice);
        if let Some(headers) = headers.or(asked) {
            edits.set("Access-Control-Allow-Headers", headers);
        }
        edits.set("Access-Control-Allow-Methods", self.methods.clone());
        if let Some(max_age) = &self.max_age {
            edits.set("Access-Control-Max-Age", max_age.clone());
        }
        let asks = exchange.header("access-control-request-private-network");
        if self.private_network && asks == Some(b"true") {
            edits.set(
                "Access-Control-Allow-Private-Network",
                Bytes::from_static(b"true"),
            );
        }
        let mut reply = Reply::with_body(200, ReplyBody::Empty);
        reply.headers = edits.into_added();
        reply
    }
}

fn vary(edits: &mut HeaderEdits) {
    // Compat: the name in small letters, beside what the service says.
    edits.add("vary", Bytes::from_static(b"Origin"));
}

impl Handler for Cors {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let is_preflight = exchange.method() == b"OPTIONS"
            && exchange.header("origin").is_some()
            && exchange.header("access-control-request-method").is_some();
        if !is_preflight {
            return Step::CONTINUE;
        }
        exchange.locals.insert(Preflight);
        if self.continues {
            return Step::CONTINUE;
        }
        Step::respond(self.preflight(exchange))
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if exchange.locals.get::<Preflight>().is_some() {
            return;
        }
        self.allow(exchange, response.headers);
        if let Some(exposed) = &self.exposed {
            response
                .headers
                .set("Access-Control-Expose-Headers", exposed.clone());
        }
    }
}
