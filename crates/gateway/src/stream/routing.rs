//! From the ends of a connection to a route, and the plugins that have a say before a target is
//! chosen.

use std::rc::Rc;
use std::sync::Arc;

use plugin_api::{Phases, Preread};
use router::{StreamProtocol, StreamQuery};

use super::log::Status;
use crate::proxy::connection::Connection;
use crate::proxy::core::{Core, Pinned};
use crate::snapshot::{RouteEntry, ServiceEntry};

/// A route that takes a connection.
pub(super) struct Taken {
    pub(super) pinned: Rc<Pinned>,
    pub(super) service: Arc<ServiceEntry>,
    /// Whether the server name of the client is the one for the service.
    pub(super) keeps_server_name: bool,
}

/// Finds the route of a connection; `None` where no route takes it.
pub(super) fn find(
    pinned: &Pinned,
    connection: &Connection,
    protocol: StreamProtocol,
) -> Option<usize> {
    let client = &connection.client;
    let name = client.server_name.as_deref();
    let query = StreamQuery {
        protocol,
        sni: name.and_then(|name| std::str::from_utf8(name).ok()),
        source: (client.ip, client.port),
        destination: (client.local.ip(), client.local.port()),
    };
    pinned.snapshot.router.match_stream(&query)
}

/// Asks the plugins of a route and gives what the connection is passed on with.
pub(super) fn take(
    core: &Core,
    pinned: Rc<Pinned>,
    connection: &Connection,
    index: usize,
) -> Result<Taken, Status> {
    let entry = pinned.snapshot.routes.get(index).ok_or(Status::NoRoute)?;
    if !may_pass(&pinned, connection, entry) {
        return Err(Status::Forbidden);
    }
    let service = entry.service.clone().ok_or(Status::NoRoute)?;
    core.counters.stream_sessions.add(1);
    let keeps_server_name = entry.route.preserve_host;
    Ok(Taken {
        pinned,
        service,
        keeps_server_name,
    })
}

fn may_pass(pinned: &Pinned, connection: &Connection, entry: &RouteEntry) -> bool {
    let plugins = entry.chain.entries().iter();
    let mut preread = plugins.filter(|entry| entry.phases().contains(Phases::PREREAD));
    preread.all(|entry| {
        let Some(handler) = entry.default_handler() else {
            return true;
        };
        let mut session = Preread {
            client: &connection.client,
            lookups: &pinned.snapshot.lookups,
            is_refused: false,
        };
        handler.preread(&mut session);
        !session.is_refused
    })
}
