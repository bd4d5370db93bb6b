//! Keeps the addresses of a group's targets up to date.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::group::Group;
use crate::dns::{Answer, Dns, DnsError};

/// Pause after a first failure, doubled after each further one.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// Longest pause after failures.
///
/// Compat: names that were not resolved are asked for again every 30 seconds.
const RETRY_LONGEST: Duration = Duration::from_secs(30);
/// Longest pause at all.
const LONGEST: Duration = Duration::from_secs(3600);

/// A target that is a name.
struct Name {
    index: usize,
    due: Instant,
    failures: u32,
}

/// Asks for the names of a group again and again, whenever what they led to has ended.
pub(super) async fn run(group: &Arc<Group>, dns: &Arc<Dns>) {
    let mut names: Vec<Name> = group
        .targets
        .iter()
        .enumerate()
        .filter(|(_, target)| target.ip.is_none())
        .map(|(index, _)| Name {
            index,
            due: Instant::now(),
            failures: 0,
        })
        .collect();
    if names.is_empty() {
        return;
    }
    loop {
        round(group, dns, &mut names).await;
        group.settle();
        let next = names.iter().map(|name| name.due).min();
        let longest = Instant::now() + LONGEST;
        tokio::time::sleep_until(next.map_or(longest, |next| next.min(longest))).await;
    }
}

/// Asks for what is due.
async fn round(group: &Arc<Group>, dns: &Arc<Dns>, names: &mut [Name]) {
    let mut asking = JoinSet::new();
    let now = Instant::now();
    for (position, name) in names.iter().enumerate().filter(|(_, name)| name.due <= now) {
        let Some(target) = group.targets.get(name.index) else {
            continue;
        };
        let (dns, host) = (Arc::clone(dns), target.host.clone());
        asking.spawn(async move { (position, dns.renew(&host).await) });
    }
    while let Some(done) = asking.join_next().await {
        let Ok((position, answer)) = done else {
            continue;
        };
        if let Some(name) = names.get_mut(position) {
            name.reschedule(&answer);
            if group.take_in(name.index, answer, dns.stale_ttl()) {
                // At once: other names may take long.
                group.rebuild();
            }
        }
    }
}

impl Name {
    fn reschedule(&mut self, answer: &Result<Arc<Answer>, DnsError>) {
        let now = Instant::now();
        self.due = match answer {
            Ok(answer) => {
                self.failures = 0;
                answer
                    .valid_until
                    .unwrap_or(now + LONGEST)
                    .min(now + LONGEST)
            }
            Err(_) => {
                let pause = RETRY_FIRST.saturating_mul(1 << self.failures.min(5));
                self.failures = self.failures.saturating_add(1);
                now + pause.min(RETRY_LONGEST)
            }
        };
    }
}
