//! Names to addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses of a host, in the order in which to try them.
///
/// `localhost` and every name below it are this machine (RFC 6761 section 6.3), whatever the
/// system's resolver thinks of them; everything else is asked there.
///
/// # Errors
///
/// The system's error, or "no addresses".
pub async fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_local(host) {
        let loopback = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        return Ok(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    if found.is_empty() {
        return Err(std::io::Error::other("no addresses"));
    }
    Ok(found)
}

fn is_local(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_and_names_below_it_are_local() {
        for host in [
            "localhost",
            "a.us.cp0.konghq.localhost",
            "A.LocalHost",
            "x.localhost.",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["localhost.test", "mylocalhost", "", "local.host"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[tokio::test]
    async fn names_below_localhost_are_this_machine() {
        let found = resolve("ab.eu.cp0.konghq.localhost", 7).await.unwrap();
        assert_eq!(found[0].to_string(), "127.0.0.1:7");
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(resolve("::1", 7).await.unwrap()[0].to_string(), "[::1]:7");
    }
}
