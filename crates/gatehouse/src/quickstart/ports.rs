//! Which ports are used.

use std::net::{IpAddr, SocketAddr};

use super::facts::Facts;
use super::layout::Layout;
use crate::cli::Quickstart;
use crate::failure::Failure;
use crate::{files, output};

/// The platform's port where nothing hinders.
const PLATFORM: u16 = 443;
/// The platform's port where 443 may not be used.
const PLATFORM_UNPRIVILEGED: u16 = 9443;
/// Ports tried for the sample backend; below the range that systems give to outgoing connections.
const ECHO: std::ops::Range<u16> = 20_000..32_000;
/// Ports tried before giving up.
const ATTEMPTS: usize = 50;

/// The platform's port: as asked for, as before, 443, or 9443.
pub(super) async fn platform(arguments: &Quickstart, facts: &Facts) -> u16 {
    if let Some(port) = arguments.platform_port.or_else(|| facts.platform_port()) {
        return port;
    }
    let address = SocketAddr::new(arguments.platform_address, PLATFORM);
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => PLATFORM,
        Err(error) => {
            output::tell(&format!(
                "port {PLATFORM} may not be used ({error}): the platform takes \
                 {PLATFORM_UNPRIVILEGED} instead, and its URLs carry that port"
            ));
            PLATFORM_UNPRIVILEGED
        }
    }
}

/// The sample backend's port: as before, or a free one that is kept.
pub(super) async fn echo(layout: &Layout) -> Result<u16, Failure> {
    let path = layout.echo_port();
    if path.exists() {
        let text = files::read(&path)?;
        return text.trim().parse().map_err(|_| {
            Failure::new(format!(
                "`{}` is damaged; remove it and start again",
                path.display()
            ))
        });
    }
    for _ in 0..ATTEMPTS {
        let random = u16::from_be_bytes(clock::random_bytes::<2>());
        let port = ECHO.start + random % (ECHO.end - ECHO.start);
        let address = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port);
        if tokio::net::TcpListener::bind(address).await.is_ok() {
            files::replace(&path, files::PUBLIC, &format!("{port}\n"))?;
            return Ok(port);
        }
    }
    Err(Failure::new(
        "no port is free for the sample backend; start with --no-sample",
    ))
}
