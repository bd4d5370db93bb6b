//! Answers to `Gatehouse-Explain`: a permitted request is told, in a field of its answer, why it went
//! where it went and how long each phase took.
//!
//! Routes are looked at beside the core, which goes on with other requests meanwhile. Where nobody is
//! permitted this costs one look at the settings.

use std::fmt::Write as _;
use std::sync::Arc;

use conf::{Cidr, Secret};
use serde_json::{Value, json};

use super::client::Client;
use super::transaction::Transaction;
use crate::explain::{self, Asked};
use crate::http1::Known;

/// Limit: routes that are told of in a field.
const CONSIDERED_MAX: usize = 5;

/// Limit: bytes of the field; with more, the routes that did not win are left out.
const LINE_MAX: usize = 6 * 1024;

/// Who is told. Both have to hold where both are set.
#[derive(Clone, Debug)]
pub(crate) struct Permitted {
    networks: Vec<Cidr>,
    token: Option<Secret>,
}

/// What is noted while a request is under way.
#[derive(Debug, Default)]
pub(crate) struct Explained {
    told: Option<Value>,
    /// Ends of phases by the core's clock.
    marks: Vec<(&'static str, u64)>,
    since: u64,
}

impl Permitted {
    /// What the settings say; `None` permits nobody.
    pub(crate) fn of(settings: &conf::Settings) -> Option<Self> {
        let networks = settings.explain_trusted_ips.clone();
        let token = settings.explain_token.clone();
        (!networks.is_empty() || token.is_some()).then_some(Self { networks, token })
    }

    fn accepts(&self, ip: std::net::IpAddr, shown: &[u8]) -> bool {
        let is_near = self.networks.is_empty() || self.networks.iter().any(|own| own.contains(ip));
        let is_known = self.token.as_ref().is_none_or(|token| {
            let token = token.expose().as_bytes();
            let differs = token.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
            token.len() == shown.len() && differs == 0
        });
        is_near && is_known
    }
}

/// Begins to take notes where the request asks for that and may.
pub(crate) fn begin<C: Client>(tx: &mut Transaction<'_, C>) {
    let Some(permitted) = &tx.core.config.explain else {
        return;
    };
    let Some(shown) = tx.work.head.fields.first(Known::Explain, &tx.work.bytes) else {
        return;
    };
    let ip = tx.work.real_ip.unwrap_or(tx.connection.client.ip);
    if permitted.accepts(ip, shown) {
        tx.work.explained = Some(Box::new(Explained {
            since: tx.core.ticks.now(),
            ..Explained::default()
        }));
    }
}

/// Notes that a phase is over.
pub(crate) fn mark<C: Client>(tx: &mut Transaction<'_, C>, phase: &'static str) {
    if let Some(own) = &mut tx.work.explained {
        let now = tx.core.ticks.now();
        own.marks.push((phase, now.saturating_sub(own.since)));
        own.since = now;
    }
}

/// Looks at the routes, beside the core.
pub(crate) async fn consider<C: Client>(tx: &mut Transaction<'_, C>) {
    if tx.work.explained.is_none() {
        return;
    }
    let asked = asked(tx);
    let snapshot = Arc::clone(&tx.pinned.snapshot);
    let told =
        tokio::task::spawn_blocking(move || explain::explain(&snapshot, &asked, CONSIDERED_MAX));
    let told = match told.await {
        Ok(Ok(told)) => told,
        Ok(Err(text)) => json!({"error": text}),
        Err(_) => json!({"error": "the question failed"}),
    };
    let now = tx.core.ticks.now();
    if let Some(own) = &mut tx.work.explained {
        own.told = Some(told);
        // What explaining took is no phase.
        own.since = now;
    }
}

/// The request under way as a question.
fn asked<C: Client>(tx: &Transaction<'_, C>) -> Asked {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (work, client) = (&*tx.work, &tx.connection.client);
    let index = &work.head.fields.index;
    let mut target = text(work.path());
    if index.has_query {
        target.push('?');
        target.push_str(&text(index.query.of(&work.bytes)));
    }
    Asked {
        is_tls: tx.connection.is_tls(),
        method: text(work.method()),
        host: text(work.authority()),
        target,
        headers: work
            .head
            .fields
            .iter()
            .map(|(_, line)| {
                let (name, value) = (line.name.of(&work.bytes), line.value.of(&work.bytes));
                (text(name), text(value))
            })
            .collect(),
        sni: client.server_name.as_deref().map(text),
        source: (work.real_ip.unwrap_or(client.ip), client.port),
        destination: (client.local.ip(), client.local.port()),
    }
}

/// The line of the answer; nothing for those who did not ask or may not.
pub(crate) fn line<C: Client>(tx: &Transaction<'_, C>) -> Vec<u8> {
    let Some(own) = &tx.work.explained else {
        return Vec::new();
    };
    let mut told = own.told.clone().unwrap_or_else(|| json!({}));
    let mut phases = serde_json::Map::new();
    for (phase, took) in &own.marks {
        phases.insert((*phase).to_owned(), json!(took));
    }
    let notes = &tx.work.notes;
    if notes.handed_on > 0 {
        let took = notes.handed_on.saturating_sub(own.since);
        phases.insert("balancer".to_owned(), json!(took));
        if notes.answered > 0 {
            let took = notes.answered.saturating_sub(notes.handed_on);
            phases.insert("service".to_owned(), json!(took));
        }
    }
    told["microseconds"] = Value::Object(phases);
    let mut text = told.to_string();
    if text.len() > LINE_MAX {
        told["considered"] = json!([]);
        text = told.to_string();
    }
    let mut out = "Gatehouse-Explain: ".to_owned();
    // A field holds ASCII; JSON can say everything in it.
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => out.push(char::from(byte)),
            _ => drop(write!(out, "\\u{unit:04x}")),
        }
    }
    out.push_str("\r\n");
    out.into_bytes()
}
