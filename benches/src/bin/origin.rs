//! The backend of the measurements: answers as cheaply as it can on one thread.
//!
//! `origin PORT`. `/…/bytes/10240` and `/…/bytes/1048576` answer so many bytes, everything else
//! 100 bytes; bodies are read and thrown away.

use std::io;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|n| n.parse::<u16>().ok());
    let port = port.ok_or_else(|| io::Error::other("usage: origin PORT"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, serve(port))
}

async fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let answers = Rc::new(Answers {
        small: answer(100),
        medium: answer(10 * 1024),
        large: answer(1024 * 1024),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::task::spawn_local(connection(stream, Rc::clone(&answers)));
    }
}

/// The answers there are, made once.
struct Answers {
    small: Vec<u8>,
    medium: Vec<u8>,
    large: Vec<u8>,
}

async fn connection(mut stream: TcpStream, answers: Rc<Answers>) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let end = loop {
            if let Some(end) = find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = &buffer[..end];
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let reply = if find(line, b"/bytes/10240 ").is_some() {
            &answers.medium
        } else if find(line, b"/bytes/1048576 ").is_some() {
            &answers.large
        } else {
            &answers.small
        };
        let body = content_length(head);
        while buffer.len() < end + body {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..end + body);
        stream.write_all(reply).await?;
    }
}

fn answer(length: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    bytes.resize(bytes.len() + length, b'x');
    bytes
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head);
    let is_length = |line: &&str| {
        line.get(..15)
            .is_some_and(|name| name.eq_ignore_ascii_case("content-length:"))
    };
    let line = text.lines().find(is_length);
    line.and_then(|line| line[15..].trim().parse::<usize>().ok())
        .unwrap_or(0)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
