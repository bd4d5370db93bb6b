//! The way to the server: lines in datagrams, or over a connection.

use std::time::Duration;

use super::schema::Config;
use crate::outbox::{Connection, Datagrams, Target};

/// Compat: time to connect and to send over TCP.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long an idle connection is kept.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Sends the lines of requests.
pub(super) enum Sender {
    /// Over TCP.
    Stream {
        /// The connection.
        connection: Box<Connection>,
        /// For messages.
        place: String,
    },
    /// In datagrams of at most so many bytes; one line each for none.
    Datagrams(Datagrams, usize),
}

impl Sender {
    /// The way that a configuration names.
    pub(super) fn new(config: &Config) -> Self {
        let (host, port) = (config.host.clone(), config.port);
        if !config.use_tcp {
            return Self::Datagrams(Datagrams::new(host, port), config.packet_size);
        }
        let place = format!("`{host}:{port}`");
        let connection = Connection::new(Target {
            host,
            port,
            tls_name: None,
            timeout: TIMEOUT,
            keepalive: KEEPALIVE,
        });
        Self::Stream {
            connection: Box::new(connection),
            place,
        }
    }

    /// Sends what the entries hold, one line after the other.
    ///
    /// # Errors
    ///
    /// Where it could not be sent, and why.
    pub(super) fn send(&mut self, entries: &[Vec<u8>]) -> Result<(), String> {
        match self {
            Self::Stream { connection, place } => {
                let mut text = entries.join(&b'\n');
                text.push(b'\n');
                let sent = connection.with(|stream| {
                    stream.write_all(&text)?;
                    stream.flush()
                });
                sent.map_err(|error| format!("{place}: {error}"))
            }
            Self::Datagrams(server, size) => {
                let lines = entries
                    .iter()
                    .flat_map(|entry| entry.split(|byte| *byte == b'\n'));
                let packets = pack(lines, *size);
                server.send(packets.iter().map(Vec::as_slice))
            }
        }
    }
}

/// Gathers lines into datagrams of at most so many bytes. A line that is longer goes alone.
pub(super) fn pack<'a>(lines: impl Iterator<Item = &'a [u8]>, size: usize) -> Vec<Vec<u8>> {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        match packets.last_mut() {
            Some(last) if size > 0 && last.len() + 1 + line.len() <= size => {
                last.push(b'\n');
                last.extend_from_slice(line);
            }
            _ => packets.push(line.to_vec()),
        }
    }
    packets
}
