//! Reaching a target for a connection: another one after each that cannot be connected to.

use std::sync::Arc;

use balancer::{Outcome, PickState};
use entities::HashInput;

use super::routing::Taken;
use crate::health::Group;
use crate::net::{Io, Timer};
use crate::proxy::attempt::{self, Attempts, ReachError};
use crate::proxy::connection::Connection;
use crate::proxy::core::Core;

/// A target that was chosen, until the connection ends.
pub(super) struct Held {
    group: Option<Arc<Group>>,
    attempts: Attempts,
}

impl Drop for Held {
    /// Tells the balancer.
    fn drop(&mut self) {
        self.attempts.pick.finish();
    }
}

impl Held {
    /// Tells health checks what came of the target.
    fn report(&self, outcome: Outcome) {
        if let (Some(group), Some(seat)) = (&self.group, self.attempts.pick.current()) {
            group.report(seat, outcome);
        }
    }
}

/// Begins the picks for a connection.
pub(super) fn begin(taken: &Taken, connection: &Connection) -> Held {
    let mut attempts = Attempts::default();
    if let Some(upstream) = &taken.service.upstream {
        // Nothing else of a connection can be hashed.
        let is_by_ip = [upstream.hash_on, upstream.hash_fallback].contains(&HashInput::Ip);
        if is_by_ip {
            let ip = connection.client.ip.to_string();
            attempts.pick = PickState::hashed(balancer::xxhash32(ip.as_bytes()));
        }
    }
    Held {
        group: attempt::group(&taken.pinned, &taken.service).cloned(),
        attempts,
    }
}

/// Chooses a target.
pub(super) async fn choose(
    core: &Core,
    taken: &Taken,
    held: &mut Held,
) -> Result<attempt::Peer, ReachError> {
    held.attempts.counted += 1;
    attempt::choose(
        core,
        &taken.pinned,
        &taken.service,
        None,
        &mut held.attempts,
    )
    .await
}

/// Opens a connection to a target, with TLS where the service asks for it.
///
/// Compat: as many attempts as the service has retries, and one.
pub(super) async fn connect(
    core: &Core,
    taken: &Taken,
    held: &mut Held,
    client_name: Option<&[u8]>,
    timer: &Timer,
) -> Result<Box<dyn Io>, ReachError> {
    let service = &taken.service;
    let most = u32::from(service.service.retries) + 1;
    loop {
        let error = match attempt_once(core, taken, held, client_name, timer).await {
            Ok(io) => {
                held.report(Outcome::Connected);
                return Ok(io);
            }
            Err(error) => error,
        };
        match error {
            ReachError::Timeout => held.report(Outcome::Timeout),
            ReachError::Refused => held.report(Outcome::ConnectionFailure),
            ReachError::NoPeer | ReachError::Name(..) => return Err(error),
        }
        core.counters.attempt_failures.add(1);
        tracing::debug!(%error, service = %service.service.id, "a target could not be reached");
        if held.attempts.counted >= most {
            return Err(error);
        }
    }
}

async fn attempt_once(
    core: &Core,
    taken: &Taken,
    held: &mut Held,
    client_name: Option<&[u8]>,
    timer: &Timer,
) -> Result<Box<dyn Io>, ReachError> {
    let service = &taken.service;
    let peer = choose(core, taken, held).await?;
    let host = match (client_name, &peer.host) {
        (Some(name), _) if taken.keeps_server_name => name,
        (_, Some(host)) if service.host_header.is_empty() => host,
        _ => &service.host_header,
    };
    let (name, _) = router::split_host(host);
    let limit = u64::from(service.service.connect_timeout) * 1000;
    timer.arm(core.ticks.now(), limit);
    let opened = attempt::within(timer, attempt::open(service, peer.address, name)).await;
    let io = opened.ok_or(ReachError::Timeout)??;
    core.counters.upstream_connections.add(1);
    Ok(io)
}
