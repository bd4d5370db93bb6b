//! `proxy-cache` at work.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, HeaderEdits, PluginInput, Reply,
    ReplyBody, ResponseSource, ResponseView, Step,
};
use uuid::Uuid;

use super::control::Control;
use super::key::key;
use super::media::Media;
use super::schema::Config;
use super::store::{ENTRY_MAX, Entry, Store};

const STATUS: &str = "X-Cache-Status";
const KEY: &str = "X-Cache-Key";

/// Headers of one hop, which are not kept.
const OF_ONE_HOP: [&str; 10] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let media = config
        .content_type
        .iter()
        .filter_map(|kind| Media::parse(kind));
    Ok(Arc::new(ProxyCache {
        id: input.id,
        media: media.collect(),
        store: context.shared.get(),
        config,
    }))
}

struct ProxyCache {
    id: Uuid,
    config: Config,
    media: Vec<Media>,
    store: Arc<Store>,
}

/// An answer that may be kept, while it comes in.
struct Pending {
    by: Uuid,
    key: String,
    /// Known once the head has come and may be kept.
    entry: Option<Entry>,
    body: BytesMut,
}

impl ProxyCache {
    fn may_look_up(&self, exchange: &Exchange<'_>, control: &Control) -> bool {
        let method = exchange.method();
        let methods = &self.config.request_method;
        if !methods.iter().any(|known| known.as_bytes() == method) {
            return false;
        }
        !(self.config.cache_control
            && (control.has(&["no-store", "no-cache"])
                || exchange.header("authorization").is_some()))
    }

    /// Whether what is kept is too old for this request.
    fn is_stale(&self, entry: &Entry, control: &Control, now: u64) -> bool {
        let age = now.saturating_sub(entry.kept_at);
        if !self.config.cache_control {
            return age > self.config.cache_ttl;
        }
        let over = |name: &str, value: u64| control.number(name).is_some_and(|most| value > most);
        let left = entry.ttl.saturating_sub(age);
        over("max-age", age)
            || over("max-stale", age.saturating_sub(entry.ttl))
            || control
                .number("min-fresh")
                .is_some_and(|least| left < least)
    }

    /// Adds what the configuration, or the client with `Kong-Debug`, wants to be told.
    fn show(&self, edits: &mut HeaderEdits, status: &'static str, key: Option<&str>, all: bool) {
        if self.config.shows[1] || all {
            edits.set(STATUS, Bytes::from_static(status.as_bytes()));
        }
        if let (true, Some(key)) = (self.config.shows[2] || all, key) {
            edits.set(KEY, Bytes::copy_from_slice(key.as_bytes()));
        }
    }

    fn hit(&self, entry: &Entry, key: &str, now: u64, all: bool) -> Reply {
        let mut edits = HeaderEdits::default();
        self.show(&mut edits, "Hit", Some(key), all);
        if self.config.shows[0] || all {
            let age = now.saturating_sub(entry.kept_at);
            edits.set("age", age.to_string());
        }
        let mut reply = Reply::with_body(entry.status, ReplyBody::Raw(entry.body.clone()));
        // Compat: what was kept counts as the service's answer.
        reply.source = ResponseSource::Service;
        reply.headers.clone_from(&entry.headers);
        reply.headers.extend(edits.into_added());
        reply
    }

    /// Seconds an answer is good for, if it may be kept.
    fn ttl(&self, response: &ResponseView<'_>, now: u64) -> Option<u64> {
        let is_kept = self
            .config
            .response_code
            .contains(&i64::from(response.status));
        let kind = std::str::from_utf8(response.header("content-type")?).ok()?;
        let kind = Media::parse(kind)?;
        if !is_kept || !self.media.iter().any(|media| media.accepts(&kind)) {
            return None;
        }
        if !self.config.cache_control {
            return Some(self.config.cache_ttl);
        }
        let control = Control::parse(response.header_values("cache-control"));
        if control.has(&["private", "no-store", "no-cache"]) {
            return None;
        }
        let told = control
            .number("s-maxage")
            .or_else(|| control.number("max-age"));
        let expires = || {
            let date = crate::http_date::unix_seconds(response.header("expires")?)?;
            u64::try_from(date).ok()?.checked_sub(now)
        };
        told.or_else(expires).filter(|ttl| *ttl > 0)
    }
}

/// The header lines of an answer that are kept.
fn kept_headers(response: &ResponseView<'_>) -> Vec<(Bytes, Bytes)> {
    let mut kept = Vec::new();
    // What `Connection` names is of this hop too.
    let named: Vec<String> = response
        .header_values("connection")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|token| String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase())
        .collect();
    let received = response.head.iter().flat_map(plugin_api::Head::headers);
    response.headers.apply(received, |name, value| {
        let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
        let is_of_hop = OF_ONE_HOP.contains(&lower.as_str()) || named.contains(&lower);
        let is_own = lower == "x-cache-status" || lower == "x-cache-key";
        if !is_of_hop && !is_own && !lower.contains("ratelimit-remaining") {
            kept.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        }
    });
    kept
}

impl Handler for ProxyCache {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let control = match self.config.cache_control {
            true => Control::parse(exchange.header_values("cache-control")),
            false => Control::default(),
        };
        let all = exchange.header("kong-debug").is_some();
        if !self.may_look_up(exchange, &control) {
            self.show(&mut exchange.response.headers, "Bypass", None, all);
            return Step::CONTINUE;
        }
        let key = key(&self.config, exchange);
        let now = exchange.now_ms / 1000;
        let status = match self.store.find(&key, now) {
            Some(entry) if !self.is_stale(&entry, &control, now) => {
                return Step::respond(self.hit(&entry, &key, now, all));
            }
            Some(_) => "Refresh",
            None if control.has(&["only-if-cached"]) => {
                return Step::respond(Reply::with_body(504, ReplyBody::Empty));
            }
            None => "Miss",
        };
        self.show(&mut exchange.response.headers, status, Some(&key), all);
        exchange.locals.insert(Pending {
            by: self.id,
            key,
            entry: None,
            body: BytesMut::new(),
        });
        Step::CONTINUE
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        let now = exchange.now_ms / 1000;
        let all = exchange.header("kong-debug").is_some();
        let Some(pending) = exchange.locals.get_mut::<Pending>() else {
            return;
        };
        if pending.by != self.id {
            return;
        }
        let ttl = match response.source {
            ResponseSource::Service => self.ttl(response, now),
            ResponseSource::Exit | ResponseSource::Error => None,
        };
        let Some(ttl) = ttl else {
            self.show(response.headers, "Bypass", None, all);
            return;
        };
        let stays = self.config.storage_ttl.unwrap_or(ttl);
        pending.entry = Some(Entry {
            status: response.status,
            headers: kept_headers(response),
            body: Bytes::new(),
            kept_at: now,
            ttl,
            ends_at: now.saturating_add(stays),
        });
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        let Some(pending) = exchange.locals.get_mut::<Pending>() else {
            return;
        };
        if pending.by != self.id || pending.entry.is_none() {
            return;
        }
        if pending.body.len() + chunk.data.len() > ENTRY_MAX {
            pending.entry = None;
            pending.body = BytesMut::new();
            return;
        }
        pending.body.extend_from_slice(&chunk.data);
        if !chunk.is_last {
            return;
        }
        if let Some(mut entry) = pending.entry.take() {
            entry.body = std::mem::take(&mut pending.body).freeze();
            self.store.keep(&pending.key, entry);
        }
    }
}
