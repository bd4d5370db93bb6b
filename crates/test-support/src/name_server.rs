//! A small name server: answers as told over UDP, or misbehaves.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use parking_lot::Mutex;

/// How long the server waits before it looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// A record of a name.
#[derive(Clone, Debug)]
pub enum Rdata {
    /// An IPv4 address.
    A([u8; 4]),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Priority, weight, port and machine of a service.
    Srv(u16, u16, u16, String),
    /// Another name.
    Cname(String),
}

/// How a server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Answers what it knows.
    #[default]
    Answers,
    /// Takes questions and says nothing.
    Silent,
    /// Says that it cannot answer.
    Fails,
    /// Says that nothing exists.
    Denies,
    /// Sends bytes that are no message.
    Babbles,
    /// Answers another question than the one asked.
    Confuses,
}

/// A name server on a port of its own; ends when it is dropped.
#[derive(Debug)]
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    names: Mutex<HashMap<String, Vec<(Rdata, u32)>>>,
    asked: Mutex<Vec<(String, String)>>,
    manner: Mutex<Manner>,
    is_over: AtomicBool,
}

impl NameServer {
    /// Starts a server that knows no name.
    ///
    /// # Panics
    ///
    /// When there is no port for it.
    #[must_use]
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("a port: {e}"));
        let address = socket
            .local_addr()
            .unwrap_or_else(|e| panic!("an address: {e}"));
        let timeout = socket.set_read_timeout(Some(LOOK));
        timeout.unwrap_or_else(|e| panic!("a timeout: {e}"));
        let state = Arc::<State>::default();
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while !own.is_over.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut piece) else {
                    continue;
                };
                if let Some(answer) = own.answer(&piece[..count]) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, state }
    }

    /// Sets the records of a name, with their time to live in seconds.
    pub fn set(&self, name: &str, ttl: u32, records: impl IntoIterator<Item = Rdata>) {
        let records = records.into_iter().map(|record| (record, ttl)).collect();
        self.state.names.lock().insert(name.to_owned(), records);
    }

    /// Forgets a name.
    pub fn remove(&self, name: &str) {
        self.state.names.lock().remove(name);
    }

    /// Behaves like this from now on.
    pub fn behave(&self, manner: Manner) {
        *self.state.manner.lock() = manner;
    }

    /// How often a name was asked for, with which kind of record (`A`, `SRV`).
    #[must_use]
    pub fn asked(&self, name: &str, kind: &str) -> usize {
        let asked = self.state.asked.lock();
        asked
            .iter()
            .filter(|(own, of)| own == name && of == kind)
            .count()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
    }
}

impl State {
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let message = Message::from_vec(question).ok()?;
        let query = message.queries.first()?.clone();
        let name = query
            .name()
            .to_ascii()
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let kind = query.query_type();
        self.asked.lock().push((name.clone(), kind.to_string()));
        let manner = *self.manner.lock();
        let id = match manner {
            Manner::Silent => return None,
            Manner::Babbles => return Some(b"\xff\xff not a message".to_vec()),
            Manner::Confuses => message.metadata.id.wrapping_add(1),
            _ => message.metadata.id,
        };
        let mut answer = Message::response(id, OpCode::Query);
        answer.metadata.recursion_available = true;
        answer.add_query(query);
        let code = match manner {
            Manner::Fails => ResponseCode::ServFail,
            Manner::Denies => ResponseCode::NXDomain,
            _ => self.fill(&mut answer, &name, kind),
        };
        answer.metadata.response_code = code;
        answer.to_vec().ok()
    }

    fn fill(&self, answer: &mut Message, name: &str, kind: RecordType) -> ResponseCode {
        let names = self.names.lock();
        let mut next = name.to_owned();
        for _ in 0..8 {
            let Some(records) = names.get(&next) else {
                return match next == name {
                    true => ResponseCode::NXDomain,
                    false => ResponseCode::NoError,
                };
            };
            let owner = absolute(&next);
            let mut alias = None;
            for (record, ttl) in records {
                let data = match record {
                    Rdata::A(ip) => RData::A(A(Ipv4Addr::from(*ip))),
                    Rdata::Aaaa(ip) => RData::AAAA(AAAA(*ip)),
                    Rdata::Srv(priority, weight, port, target) => {
                        RData::SRV(SRV::new(*priority, *weight, *port, absolute(target)))
                    }
                    Rdata::Cname(target) => {
                        alias = Some(target.clone());
                        RData::CNAME(CNAME(absolute(target)))
                    }
                };
                if data.record_type() == kind || data.record_type() == RecordType::CNAME {
                    answer.add_answer(Record::from_rdata(owner.clone(), *ttl, data));
                }
            }
            match alias {
                Some(alias) => next = alias,
                None => break,
            }
        }
        ResponseCode::NoError
    }
}

fn absolute(name: &str) -> Name {
    Name::from_str(&format!("{name}.")).unwrap_or_else(|e| panic!("`{name}` is no name: {e}"))
}
