//! Why a request goes where it goes: every route with the conditions that the request does not meet.
//!
//! For people, not for requests: it looks at all routes, and allocates.

use crate::{
    entry::{Entry, OrderKey, PathRule, request_port},
    part::Part,
    query::{Query, Scheme},
    router::Router,
    rules::{AddressRule, SniRule},
};

/// What became of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the request.
    Wins,
    /// All of its conditions hold, but another route goes first.
    Later,
    /// These conditions do not hold, each with what was asked for.
    Fails(Vec<Unmet>),
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The field of the route.
    pub field: &'static str,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// One route, or the part of it that one group of its paths makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The number of the route.
    pub route: usize,
    /// What decides its place among those that match.
    pub order: String,
    /// What became of it.
    pub verdict: Verdict,
}

impl Router {
    /// Says what became of the routes: the winner first, then those that match too, then those that fail in the
    /// fewest conditions; at most `limit`, and how many there are in all.
    #[must_use]
    pub fn explain(&self, query: &Query<'_>, limit: usize) -> (Vec<Considered>, usize) {
        let winner = self.find(query).map(|found| found.route);
        let base = self.base.entries.iter().map(|entry| (&*self.base, entry));
        let base = base.filter(|(_, entry)| !self.gone.contains(entry.route));
        let added = self.added.iter().flat_map(|added| {
            let part = &**added;
            part.entries.iter().map(move |entry| (part, entry))
        });
        let mut all: Vec<_> = base.chain(added).collect();
        all.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
        let is_readable = self.can_read(query.path);
        let mut is_won = false;
        let judged = all.into_iter().map(|(part, entry)| {
            let mut unmet = unmet(part, entry, query);
            if !is_readable {
                let reason = "nothing fits a path that is no UTF-8".to_owned();
                unmet.push(Unmet {
                    field: "paths",
                    reason,
                });
            }
            let verdict = if !unmet.is_empty() {
                Verdict::Fails(unmet)
            } else if winner == Some(entry.route as usize) && !is_won {
                is_won = true;
                Verdict::Wins
            } else {
                Verdict::Later
            };
            Considered {
                route: entry.route as usize,
                order: order(&entry.key),
                verdict,
            }
        });
        let mut judged: Vec<Considered> = judged.collect();
        judged.sort_by_key(|considered| match &considered.verdict {
            Verdict::Wins => 0,
            Verdict::Later => 1,
            Verdict::Fails(unmet) => 1 + unmet.len(),
        });
        let total = judged.len();
        judged.truncate(limit);
        (judged, total)
    }
}

fn order(key: &OrderKey) -> String {
    match key {
        OrderKey::Computed(key) => format!("priority {:#x}, id {}", key.0.0, key.0.1),
        OrderKey::Category(key) => format!(
            "{} kinds of conditions, created at {}",
            key.category.0.0, key.created_at
        ),
    }
}

fn unmet(part: &Part, entry: &Entry, query: &Query<'_>) -> Vec<Unmet> {
    let mut found = Vec::new();
    let mut note = |field, reason: String| found.push(Unmet { field, reason });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !entry.accepts_scheme(query.scheme) {
        let way = match query.scheme {
            Scheme::Http => "in plain text",
            Scheme::Https => "over TLS",
        };
        note("protocols", format!("the request came {way}"));
    }
    if entry.expression.is_some() {
        if !entry.matches_more(query, &part.patterns) {
            note("expression", "it does not hold".to_owned());
        }
        return found;
    }
    let port = request_port(query);
    let has_host = entry.hosts.iter().any(|rule| {
        rule.port.is_none_or(|own| own == port) && rule.matches_name(query.host, part.flavor)
    });
    if !entry.hosts.is_empty() && !has_host {
        let reason = format!("none fits `{}` with port {port}", text(query.host));
        note("hosts", reason);
    }
    let has_path = entry.paths.iter().any(|rule| match rule {
        PathRule::Prefix(prefix) => query.path.starts_with(prefix),
        PathRule::Pattern(number) => part.patterns.matches(*number, query.path),
    });
    if !entry.paths.is_empty() && !has_path {
        note("paths", format!("none fits `{}`", text(query.path)));
    }
    let bit = part.methods.bit(query.method);
    if !entry.methods.matches(bit, query.method) {
        note("methods", format!("`{}` is not listed", text(query.method)));
    }
    for rule in &entry.headers {
        if !rule.matches(query.headers) {
            let state = if query.headers.is_present(&rule.name) {
                "has another value"
            } else {
                "is missing"
            };
            note("headers", format!("`{}` {state}", rule.name));
        }
    }
    if !entry.snis.is_empty() && !SniRule::any(&entry.snis, query) {
        let name = query.sni.unwrap_or("no name");
        note("snis", format!("none fits `{name}`"));
    }
    if !AddressRule::any(&entry.sources, query.source) {
        note("sources", format!("none fits {}", ends(query.source)));
    }
    if !AddressRule::any(&entry.destinations, query.destination) {
        let reason = format!("none fits {}", ends(query.destination));
        note("destinations", reason);
    }
    found
}

fn ends((ip, port): (std::net::IpAddr, u16)) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}
