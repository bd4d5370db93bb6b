//! Asking the server.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ber::{self, Kind};
use crate::outcall::{Dial, Duplex, Trust, Verify, dial, raise};

/// Most idle connections that a core keeps to one server.
const IDLE_MAX: usize = 8;

/// Questions after which a connection is closed.
const QUESTIONS_MAX: u8 = 100;

/// A server and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

/// How the way is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Security {
    None,
    Tls(Verify),
    StartTls(Verify),
}

/// What the server says of a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    Bad,
}

struct Open {
    stream: Box<dyn Duplex>,
    asked: u8,
}

thread_local! {
    static IDLE: RefCell<HashMap<Server, Vec<(Open, u64)>>> = RefCell::default();
}

impl Server {
    /// Asks whether a name proves itself with a password.
    pub(super) async fn bind(
        &self,
        trust: &Trust,
        (name, password): (&str, &str),
        (timeout, keepalive): (Duration, Duration),
    ) -> io::Result<Answer> {
        let asked = self.ask(trust, name, password, keepalive);
        match tokio::time::timeout(timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn ask(
        &self,
        trust: &Trust,
        name: &str,
        password: &str,
        keepalive: Duration,
    ) -> io::Result<Answer> {
        // A kept connection may have ended: then a fresh one is asked.
        if let Some(mut open) = self.take(keepalive)
            && let Ok(code) = question(&mut open, name, password).await
        {
            self.give(open);
            return verdict(code);
        }
        let mut open = self.open(trust).await?;
        let code = question(&mut open, name, password).await?;
        if !keepalive.is_zero() {
            self.give(open);
        }
        verdict(code)
    }

    async fn open(&self, trust: &Trust) -> io::Result<Open> {
        let lacks = || io::Error::other("TLS cannot be set up");
        if let Security::StartTls(verify) = self.security {
            let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.write_all(&ber::start_tls(1)).await?;
            match ber::result(&read(&mut stream).await?, 1, Kind::Extended) {
                Some(0) => {}
                _ => return Err(io::Error::other("the server refused TLS")),
            }
            let config = trust.config(verify).ok_or_else(lacks)?;
            let stream = Box::new(raise(config, &self.host, stream).await?);
            return Ok(Open { stream, asked: 1 });
        }
        let tls = match self.security {
            Security::Tls(verify) => Some(trust.config(verify).ok_or_else(lacks)?),
            Security::None | Security::StartTls(_) => None,
        };
        let stream = dial(Dial {
            host: &self.host,
            port: self.port,
            tls,
            proxy: None,
        })
        .await?;
        Ok(Open { stream, asked: 0 })
    }

    fn take(&self, keepalive: Duration) -> Option<Open> {
        let now = clock::unix_millis();
        let keepalive = u64::try_from(keepalive.as_millis()).unwrap_or(u64::MAX);
        IDLE.with_borrow_mut(|idle| {
            let kept = idle.get_mut(self)?;
            while let Some((open, since)) = kept.pop() {
                if now.saturating_sub(since) < keepalive {
                    return Some(open);
                }
            }
            None
        })
    }

    fn give(&self, open: Open) {
        if open.asked >= QUESTIONS_MAX {
            return;
        }
        IDLE.with_borrow_mut(|idle| {
            let kept = idle.entry(self.clone()).or_default();
            if kept.len() < IDLE_MAX {
                kept.push((open, clock::unix_millis()));
            }
        });
    }
}

async fn question(open: &mut Open, name: &str, password: &str) -> io::Result<u8> {
    open.asked += 1;
    let id = open.asked;
    open.stream
        .write_all(&ber::bind(id, name, password))
        .await?;
    open.stream.flush().await?;
    let answer = read(&mut open.stream).await?;
    let code = ber::result(&answer, id, Kind::Bound);
    code.ok_or_else(|| io::Error::other("the server does not speak LDAP"))
}

/// Reads one message.
async fn read(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let length = ber::length(&bytes);
        let length = length.map_err(|()| io::Error::other("the server does not speak LDAP"))?;
        match length {
            Some(length) if bytes.len() >= length => return Ok(bytes),
            Some(length) => {
                let from = bytes.len();
                bytes.resize(length, 0);
                stream.read_exact(&mut bytes[from..]).await?;
            }
            // Byte by byte: what follows the message may belong to TLS.
            None => bytes.push(stream.read_u8().await?),
        }
    }
}

/// What a result code means.
fn verdict(code: u8) -> io::Result<Answer> {
    match code {
        0 => Ok(Answer::Good),
        // No such object, malformed name, wrong way to prove, wrong password, not allowed,
        // unwilling.
        32 | 34 | 48 | 49 | 50 | 53 => Ok(Answer::Bad),
        code => Err(io::Error::other(format!(
            "the server answers with code {code}"
        ))),
    }
}
