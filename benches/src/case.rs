//! The work that is measured.

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `GET` of 100 bytes at 64 keep-alive connections, 100 routes.
    SmallGet,
    /// `GET` of 10 KiB.
    Get10k,
    /// `POST` of 10 KiB.
    Post10k,
    /// `GET` of 100 bytes over kept TLS 1.3 connections.
    TlsKeepAlive,
    /// A new TLS connection for each request, without resumption.
    TlsHandshakes,
    /// `GET` of 100 bytes spread over 1,000 routes.
    ManyRoutes,
    /// `GET` of 100 bytes with key-auth and rate-limiting in the node; the peers proxy plainly.
    Plugins,
}

impl Case {
    /// Every case, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::SmallGet,
        Self::Get10k,
        Self::Post10k,
        Self::TlsKeepAlive,
        Self::TlsHandshakes,
        Self::ManyRoutes,
        Self::Plugins,
    ];

    /// Its name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmallGet => "small-get",
            Self::Get10k => "get-10k",
            Self::Post10k => "post-10k",
            Self::TlsKeepAlive => "tls-keep-alive",
            Self::TlsHandshakes => "tls-handshakes",
            Self::ManyRoutes => "routes-1000",
            Self::Plugins => "key-auth-rate-limiting",
        }
    }

    /// How many routes the subjects hold.
    #[must_use]
    pub fn routes(self) -> usize {
        if self == Self::ManyRoutes { 1000 } else { 100 }
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::TlsKeepAlive | Self::TlsHandshakes)
    }

    /// Concurrent connections of the load.
    #[must_use]
    pub fn connections(self) -> usize {
        64
    }

    /// The Lua script that makes wrk send this work.
    #[must_use]
    pub fn script(self) -> String {
        let target = match self {
            Self::Get10k => "/route42/bytes/10240",
            _ => "/route42/small",
        };
        match self {
            Self::Post10k => format!(
                "wrk.method = 'POST'\nwrk.path = '{target}'\nwrk.body = string.rep('x', 10240)\n"
            ),
            Self::TlsHandshakes => {
                format!("wrk.path = '{target}'\nwrk.headers['Connection'] = 'close'\n")
            }
            Self::ManyRoutes => {
                let line = "request = function() n = (n + 7) % 1000; \
                            return wrk.format('GET', '/route' .. n .. '/small') end\n";
                format!("n = 0\n{line}")
            }
            Self::Plugins => {
                format!("wrk.path = '{target}'\nwrk.headers['apikey'] = 'bench-key'\n")
            }
            Self::SmallGet | Self::Get10k | Self::TlsKeepAlive => {
                format!("wrk.path = '{target}'\n")
            }
        }
    }
}
