//! A server that takes datagrams.

use std::io;
use std::net::{ToSocketAddrs, UdpSocket};

/// Where datagrams go. The name is looked up for each delivery, so that a server may move.
#[derive(Clone, Debug)]
pub(crate) struct Datagrams {
    host: String,
    port: u16,
}

impl Datagrams {
    pub(crate) const fn new(host: String, port: u16) -> Self {
        Self { host, port }
    }

    /// Sends each of them; the rest goes out even when one is refused.
    ///
    /// # Errors
    ///
    /// What was wrong with the last one that could not be sent, with the place.
    pub(crate) fn send<'a>(
        &self,
        datagrams: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), String> {
        let place = |error: io::Error| format!("`{}:{}`: {error}", self.host, self.port);
        let socket = self.open().map_err(place)?;
        let mut outcome = Ok(());
        for datagram in datagrams {
            if let Err(error) = socket.send(datagram) {
                outcome = Err(place(error));
            }
        }
        outcome
    }

    fn open(&self) -> io::Result<UdpSocket> {
        let mut addresses = (self.host.as_str(), self.port).to_socket_addrs()?;
        let none = || io::Error::other("the name has no address");
        let address = addresses.next().ok_or_else(none)?;
        let own = if address.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let socket = UdpSocket::bind(own)?;
        socket.connect(address)?;
        Ok(socket)
    }
}
