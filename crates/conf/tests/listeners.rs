//! The grammar of listeners, and other values with a grammar of their own.

use std::time::Duration;

use gatehouse_conf::{Cidr, Endpoint, Keepalive, Listen, LoadOptions, ProxyServer, Settings};

fn load(name: &str, value: &str) -> Result<Settings, String> {
    let overrides = vec![(name.to_owned(), value.to_owned())];
    match Settings::load(&LoadOptions {
        overrides,
        ..LoadOptions::default()
    }) {
        Ok((settings, _)) => Ok(settings),
        Err(errors) => Err(errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")),
    }
}

fn proxy(value: &str) -> Vec<Listen> {
    load("proxy_listen", value)
        .expect("it is accepted")
        .proxy_listen
}

fn refused(name: &str, value: &str, part: &str) {
    let text = load(name, value).expect_err(value);
    assert!(text.contains(part), "{value}: {text}");
    assert!(text.contains(&format!("`{name}`")), "{text}");
}

#[test]
fn every_flag_of_an_http_listener_is_understood() {
    let listen = proxy(
        "[::1]:443 so_keepalive=30s::10 ssl http2 proxy_protocol deferred bind reuseport \
         backlog=511 ipv6only=on",
    );
    let one = &listen[0];
    assert_eq!(one.address.to_string(), "[::1]:443");
    assert!(one.ssl && one.http2 && one.proxy_protocol && one.deferred);
    assert!(one.bind && one.reuseport && !one.udp);
    assert_eq!((one.backlog, one.ipv6only), (Some(511), Some(true)));
    let times = Keepalive::Times {
        idle_seconds: Some(30),
        interval_seconds: None,
        count: Some(10),
    };
    assert_eq!(one.so_keepalive, Some(times));
}

#[test]
fn off_disables_and_names_are_looked_up() {
    assert!(proxy("off").is_empty());
    assert!(proxy("off, 0.0.0.0:80").is_empty());
    assert!(proxy("localhost:0")[0].address.ip().is_loopback());
    assert_eq!(proxy("127.0.0.1:1, 127.0.0.1:2 so_keepalive=off").len(), 2);
}

#[test]
fn what_is_left_over_is_refused_with_the_form() {
    for value in [
        "0.0.0.0",
        "0.0.0.0:80 udp",
        "0.0.0.0:80 sssl",
        "0.0.0.0:80 backlog=",
        "0.0.0.0:80 backlog=+5",
        "0.0.0.0:80 ipv6only=maybe",
        "0.0.0.0:80 so_keepalive=1:2",
        "0.0.0.0:80 so_keepalive=::",
        "0.0.0.0:99999",
        "::1:80",
        ":80",
        "300.0.0.1:80",
        "ex ample:80",
        "127.0.0.1:80, off",
    ] {
        refused(
            "proxy_listen",
            value,
            "it must be of the form: [off] | <ip>:<port> [ssl]",
        );
    }
    refused(
        "stream_listen",
        "0.0.0.0:80 http2",
        "it must be of the form: [off] | <ip>:<port> [udp]",
    );
    assert!(
        load("stream_listen", "0.0.0.0:53 udp")
            .expect("accepted")
            .stream_listen[0]
            .udp
    );
}

#[test]
fn forward_proxies_are_read_with_their_credentials() {
    let proxy = ProxyServer::parse("http://proxy.test").expect("it is read");
    assert_eq!((proxy.port, proxy.credentials), (443, None));
    let proxy = ProxyServer::parse("https://[::1]:8443/").expect("it is read");
    assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 8443));
    assert_eq!(
        ProxyServer::parse("http://only-user@p:1")
            .expect("read")
            .credentials,
        None
    );
    for bad in [
        "proxy:3128",
        "socks5://proxy:1080",
        "http://",
        "http://proxy:0",
        "http://proxy:port",
        "http://proxy/path",
        "http://proxy?x=1",
        "http://proxy#x",
        "http://u:%zz@proxy",
        "http://u:%f@proxy",
        "http://pro xy",
    ] {
        assert!(ProxyServer::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn endpoints_are_host_port_and_path() {
    let endpoint = Endpoint::parse("https://cp.test/cp/abc/", 443).expect("it is read");
    assert_eq!(
        (endpoint.authority().as_str(), endpoint.path.as_str()),
        ("cp.test:443", "/cp/abc")
    );
    assert_eq!(
        Endpoint::parse("[::1]:9", 443).expect("read").authority(),
        "[::1]:9"
    );
    for bad in ["", ":443", "cp:x", "cp:0", "http://cp", "c p:443", "[::1"] {
        assert!(Endpoint::parse(bad, 443).is_err(), "{bad}");
    }
}

#[test]
fn networks_contain_their_addresses() {
    let contains = |network: &str, ip: &str| {
        Cidr::parse(network)
            .expect("a network")
            .contains(ip.parse().expect("an address"))
    };
    assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
    assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "::1"));
    assert!(contains("::/0", "::1") && contains("fd00::/8", "fdff::1"));
    assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
    assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
    for bad in [
        "10.0.0.0/33",
        "::/129",
        "10.0.0/8",
        "x",
        "10.0.0.0/",
        "10.0.0.0/-1",
    ] {
        assert!(Cidr::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn sizes_and_times_take_the_units_of_nginx() {
    let size =
        |value| load("nginx_http_client_max_body_size", value).map(|s| s.client_max_body_size);
    assert_eq!(size("8k"), Ok(Some(8192)));
    assert_eq!(size("1G"), Ok(Some(1 << 30)));
    assert_eq!(size("0"), Ok(None));
    for bad in ["k", "1.5m", "-1", "99999999999999999999", "1t"] {
        assert!(size(bad).is_err(), "{bad}");
    }
    let time = |value| load("nginx_http_keepalive_timeout", value).map(|s| s.keepalive_timeout);
    assert_eq!(time("75"), Ok(Duration::from_secs(75)));
    assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(time("1m30s"), Ok(Duration::from_secs(90)));
    for bad in ["s", "5x", "soon", "1.5s", "99999999999999999999"] {
        assert!(time(bad).is_err(), "{bad}");
    }
    let buffers = load("nginx_http_large_client_header_buffers", "8 16k").expect("accepted");
    let buffers = buffers.large_client_header_buffers;
    assert_eq!((buffers.count, buffers.size_bytes), (8, 16_384));
    for bad in ["8", "0 8k", "8 0", "a b"] {
        refused("nginx_http_large_client_header_buffers", bad, "`4 8k`");
    }
}
