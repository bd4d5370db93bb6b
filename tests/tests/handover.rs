//! A restart and an upgrade: a second node with the same `prefix` takes over from the first, and no
//! client notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use test_support::{Backend, Client, Node, eventually_within};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// What clients saw.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    failed: parking_lot::Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Seen {
    fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }
}

/// A connection of either kind.
trait Either: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Either for T {}

/// Connects, over TLS with whatever certificate is shown or in clear.
async fn connect(port: u16, is_tls: bool) -> std::io::Result<Box<dyn Either>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    if !is_tls {
        return Ok(Box::new(stream));
    }
    let config = ClientConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pki::verifiers::AnyServer))
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    Ok(Box::new(connector.connect(name, stream).await?))
}

/// A service that agrees to every upgrade and echoes.
async fn echoing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await? == 0 {
                        return Ok(());
                    }
                }
                let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                               Upgrade: websocket\r\n\r\n";
                stream.write_all(answer).await?;
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await.map(|_| ())
            });
        }
    });
    port
}

/// Opens a tunnel.
async fn tunnel(port: u16, is_tls: bool) -> Box<dyn Either> {
    let mut stream = connect(port, is_tls).await.expect("a connection");
    let request = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\n\r\n";
    stream.write_all(request).await.expect("bytes are taken");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.expect("a head"), 0);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}

async fn echoes(stream: &mut Box<dyn Either>) {
    stream.write_all(b"echo").await.expect("bytes are taken");
    let mut back = [0; 4];
    stream.read_exact(&mut back).await.expect("an echo");
    assert_eq!(&back, b"echo");
}

/// Sends one request after another; a new connection each time, or one for as long as it is kept.
async fn ask_on((port, is_tls): (u16, bool), keeps: bool, seen: Arc<Seen>) {
    while !seen.is_over.load(Ordering::Relaxed) {
        if let Err(error) = ask_until_closed((port, is_tls), keeps, &seen).await {
            seen.failed.lock().push(error.to_string());
        }
    }
}

async fn ask_until_closed(
    (port, is_tls): (u16, bool),
    keeps: bool,
    seen: &Seen,
) -> std::io::Result<()> {
    let mut stream = connect(port, is_tls).await?;
    let connection = if keeps { "keep-alive" } else { "close" };
    let request = format!("GET /bytes/3 HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
    while !seen.is_over.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        while !answer.ends_with(b"\r\n\r\nxxx") {
            let count = stream.read(&mut piece).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&piece[..count]);
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(std::io::Error::other(
                String::from_utf8_lossy(&answer).into_owned(),
            ));
        }
        seen.answered.fetch_add(1, Ordering::Relaxed);
        if String::from_utf8_lossy(&answer)
            .to_ascii_lowercase()
            .contains("\r\nconnection: close")
        {
            return Ok(());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_refused_or_reset_while_a_successor_takes_over() {
    let backend = Backend::start("one").await;
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{}\n  routes:\n  \
         - name: r\n    paths: [/bytes]\n    strip_path: false\n- name: two\n  \
         url: http://127.0.0.1:{}\n  routes:\n  - name: ws\n    paths: [/ws]\n",
        backend.port(),
        echoing().await
    );
    let mut node = Node::declarative(&text, &[("nginx_worker_processes", "2")]);
    node.ready().await;
    let seen = Arc::new(Seen::default());
    let ports = [(node.proxy_port(), false), (node.proxy_tls_port(), true)];
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let port = ports[usize::from(number >= 4)];
            tokio::spawn(ask_on(port, number % 2 == 0, Arc::clone(&seen)))
        })
        .collect();

    // Three generations, the last with fewer threads than its predecessor had.
    for threads in ["2", "3", "1"] {
        let before = seen.answered();
        eventually_within(Duration::from_secs(30), "there is traffic", async || {
            (seen.answered() > before + 200).then_some(())
        })
        .await;
        node.set("nginx_worker_processes", threads);
        let mut tunnels = Vec::new();
        for (port, is_tls) in ports {
            tunnels.push(tunnel(port, is_tls).await);
        }
        let mut predecessor = node.succeed();
        node.becomes_ready().await;
        predecessor.prints("a successor has taken over").await;
        // Tunnels stay with the old process, which stays for them.
        for tunnel in &mut tunnels {
            echoes(tunnel).await;
        }
        assert!(predecessor.is_running());
        drop(tunnels);
        eventually_within(
            Duration::from_secs(60),
            "the predecessor ends",
            async || (!predecessor.is_running()).then_some(()),
        )
        .await;
    }
    let before = seen.answered();
    eventually_within(Duration::from_secs(30), "the last one serves", async || {
        (seen.answered() > before + 200).then_some(())
    })
    .await;
    seen.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client ends");
    }
    let failed = std::mem::take(&mut *seen.failed.lock());
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
    let ready = Client::new().get(&node.status_url("/status/ready")).await;
    assert_eq!(ready.expect("the status API").status, 200);
}
