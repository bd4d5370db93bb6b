//! The work that is measured.

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `GET` of 100 bytes at 64 keep-alive connections, 100 routes.
    SmallGet,
    /// The same with 256 connections and the backend on the proxy's core, which is full then.
    Saturated,
    /// The same with 512 connections.
    Connections512,
    /// The same with 4,096 connections.
    Connections4096,
    /// `GET` of 10 KiB.
    Get10k,
    /// `GET` of 1 MiB.
    Get1m,
    /// `POST` of 10 KiB.
    Post10k,
    /// `GET` of 100 bytes over kept TLS 1.3 connections.
    TlsKeepAlive,
    /// A new TLS connection for each request, without resumption.
    TlsHandshakes,
    /// `GET` of 100 bytes over HTTP/2 with TLS: 8 connections with 16 streams each.
    Http2,
    /// `GET` of 100 bytes with one route; every URL is new.
    OneRoute,
    /// The same spread over 1,000 routes.
    ManyRoutes,
    /// The same spread over 100,000 routes.
    VeryManyRoutes,
    /// `GET` of 100 bytes with key-auth and rate-limiting in the node; the peers proxy plainly.
    Plugins,
    /// The same with six plugins.
    PluginChain,
}

impl Case {
    /// Every case, in the order of the report.
    pub const ALL: [Self; 15] = [
        Self::SmallGet,
        Self::Saturated,
        Self::Connections512,
        Self::Connections4096,
        Self::Get10k,
        Self::Get1m,
        Self::Post10k,
        Self::TlsKeepAlive,
        Self::TlsHandshakes,
        Self::Http2,
        Self::OneRoute,
        Self::ManyRoutes,
        Self::VeryManyRoutes,
        Self::Plugins,
        Self::PluginChain,
    ];

    /// Its name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmallGet => "small-get",
            Self::Saturated => "small-get-saturated",
            Self::Connections512 => "small-get-512",
            Self::Connections4096 => "small-get-4096",
            Self::Get10k => "get-10k",
            Self::Get1m => "get-1m",
            Self::Post10k => "post-10k",
            Self::TlsKeepAlive => "tls-keep-alive",
            Self::TlsHandshakes => "tls-handshakes",
            Self::Http2 => "http2",
            Self::OneRoute => "routes-1",
            Self::ManyRoutes => "routes-1000",
            Self::VeryManyRoutes => "routes-100000",
            Self::Plugins => "key-auth-rate-limiting",
            Self::PluginChain => "plugin-chain",
        }
    }

    /// How many routes the subjects hold.
    #[must_use]
    pub fn routes(self) -> usize {
        match self {
            Self::OneRoute => 1,
            Self::ManyRoutes => 1_000,
            Self::VeryManyRoutes => 100_000,
            _ => 100,
        }
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::TlsKeepAlive | Self::TlsHandshakes | Self::Http2)
    }

    /// Whether the backend works on the proxy's core.
    #[must_use]
    pub fn is_saturated(self) -> bool {
        self == Self::Saturated
    }

    /// Concurrent connections of the load.
    #[must_use]
    pub fn connections(self) -> usize {
        match self {
            Self::Saturated => 256,
            Self::Connections512 => 512,
            Self::Connections4096 => 4_096,
            Self::Http2 => 8,
            _ => 64,
        }
    }

    /// The path that is asked for, where it is one.
    #[must_use]
    pub fn target(self) -> &'static str {
        match self {
            Self::Get10k => "/route42/bytes/10240",
            Self::Get1m => "/route42/bytes/1048576",
            _ => "/route42/small",
        }
    }

    /// The Lua script that makes wrk send this work.
    #[must_use]
    pub fn script(self) -> String {
        let target = self.target();
        match self {
            Self::Post10k => format!(
                "wrk.method = 'POST'\nwrk.path = '{target}'\nwrk.body = string.rep('x', 10240)\n"
            ),
            Self::TlsHandshakes => {
                format!("wrk.path = '{target}'\nwrk.headers['Connection'] = 'close'\n")
            }
            Self::OneRoute | Self::ManyRoutes | Self::VeryManyRoutes => {
                // The step has no common divisor with the number of routes.
                let routes = self.routes();
                let line = format!(
                    "request = function() n = n + 7919; return wrk.format('GET', \
                     '/route' .. n % {routes} .. '/small/' .. n) end\n"
                );
                format!("n = 0\n{line}")
            }
            Self::Plugins | Self::PluginChain => {
                format!("wrk.path = '{target}'\nwrk.headers['apikey'] = 'bench-key'\n")
            }
            _ => format!("wrk.path = '{target}'\n"),
        }
    }

    /// What the node's declarative file says beside services and routes.
    #[must_use]
    pub fn plugins(self) -> &'static str {
        match self {
            Self::Plugins => {
                "plugins:\n- name: key-auth\n- name: rate-limiting\n  \
                 config: {minute: 1000000000, policy: local}\nconsumers:\n\
                 - {username: bench, keyauth_credentials: [{key: bench-key}]}\n"
            }
            Self::PluginChain => {
                "plugins:\n- name: correlation-id\n- name: cors\n- name: key-auth\n\
                 - name: rate-limiting\n  config: {minute: 1000000000, policy: local}\n\
                 - name: request-transformer\n  config: {add: {headers: [\"x-added: one\"]}}\n\
                 - name: response-transformer\n  config: {add: {headers: [\"x-answered: two\"]}}\n\
                 consumers:\n\
                 - {username: bench, keyauth_credentials: [{key: bench-key}]}\n"
            }
            _ => "",
        }
    }
}
