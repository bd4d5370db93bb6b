//! What plugins send to: servers of HTTP and sockets of datagrams.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// How long a test waits for what a plugin sends.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that takes datagrams.
pub(crate) struct Datagrams {
    pub(crate) port: u16,
    socket: UdpSocket,
}

impl Datagrams {
    pub(crate) fn bind() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { port, socket }
    }

    /// The next datagram, as text.
    pub(crate) fn next(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// Whether nothing has come that was not taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let found = self.socket.recv(&mut [0; 64]);
        self.socket.set_nonblocking(false).unwrap();
        found.is_err()
    }

    /// The next datagrams.
    pub(crate) fn take(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Reads a request with a body from a connection, answers it with a status, and gives its head
/// and its body.
pub(crate) fn take_request(stream: &mut TcpStream, status: u16) -> (String, Vec<u8>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = read_request(stream).expect("a request");
    let end = head.windows(4).position(|four| four == b"\r\n\r\n");
    let body = head.split_off(end.unwrap() + 4);
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok");
    stream.write_all(answer.as_bytes()).unwrap();
    (String::from_utf8(head).unwrap(), body)
}

/// A server that answers every request with the same bytes, and remembers the last one.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl Server {
    pub(crate) fn start(answer: &'static [u8]) -> Self {
        Self::with(move |_| answer.to_vec())
    }

    /// A server that answers a request, head and body, with what is made of it.
    pub(crate) fn with(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                while let Some(request) = read_request(&mut stream) {
                    let bytes = answer(&String::from_utf8_lossy(&request));
                    *kept.lock() = request;
                    if stream.write_all(&bytes).is_err() {
                        break;
                    }
                }
            }
        });
        Self { port, seen }
    }

    /// The last request.
    pub(crate) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock()).into_owned()
    }
}

/// A request, head and body of a told length.
fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}
