//! The address of a PostgreSQL store in one text.

use std::time::Duration;

use super::{PostgresConfig, PostgresServer, PostgresTls};
use crate::StoreError;

/// The parameters that are understood.
const PARAMETERS: &str = "schema, sslmode, sslrootcert, connect_timeout, max_connections";

impl PostgresConfig {
    /// Reads an address such as
    /// `postgresql://user:password@host:5432/database?schema=gatehouse&sslmode=verify-full`.
    ///
    /// `sslmode` is `disable`, `prefer` (the default), `require` or `verify-full`; `sslrootcert`
    /// names a file of trusted authorities; `connect_timeout` is in seconds and also limits
    /// statements. Characters that mean something are written as `%XX`.
    ///
    /// # Errors
    ///
    /// With what is wrong; a password is never part of the message.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let rest = url
            .strip_prefix("postgresql://")
            .or_else(|| url.strip_prefix("postgres://"))
            .ok_or_else(|| refused("it does not begin with `postgresql://`"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => ("", authority),
        };
        let mut config = Self::default();
        let server = &mut config.server;
        server.tls = PostgresTls::Preferred;
        if !user.is_empty() {
            let (name, password) = user
                .split_once(':')
                .map_or((user, None), |(name, password)| (name, Some(password)));
            server.user = plain(name);
            server.password = password.map(plain);
        }
        if !database.is_empty() {
            server.database = plain(database);
        }
        read_host(server, host)?;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            config.read_parameter(&name, &value)?;
        }
        Ok(config)
    }

    fn read_parameter(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let server = &mut self.server;
        match name {
            "schema" => value.clone_into(&mut self.schema),
            "sslmode" => {
                (server.tls, server.verify) = match value {
                    "disable" => (PostgresTls::Off, false),
                    "prefer" => (PostgresTls::Preferred, false),
                    "require" => (PostgresTls::Required, false),
                    "verify-full" => (PostgresTls::Required, true),
                    _ => {
                        return Err(refused(
                            "`sslmode` is one of disable, prefer, require, verify-full",
                        ));
                    }
                };
            }
            "sslrootcert" => {
                let pem = std::fs::read_to_string(value)
                    .map_err(|error| refused(&format!("`sslrootcert` `{value}`: {error}")))?;
                server.trusted = Some(pem);
            }
            "connect_timeout" => {
                let seconds = value
                    .parse()
                    .ok()
                    .filter(|seconds| (1..=600).contains(seconds));
                let seconds = seconds
                    .ok_or_else(|| refused("`connect_timeout` is a number of seconds, 1 to 600"))?;
                self.timeout = Duration::from_secs(seconds);
            }
            "max_connections" => {
                let number = value
                    .parse()
                    .ok()
                    .filter(|number| (1..=1_000).contains(number));
                self.max_connections =
                    number.ok_or_else(|| refused("`max_connections` is a number, 1 to 1000"))?;
            }
            other => {
                return Err(refused(&format!(
                    "`{other}` is not known; known are {PARAMETERS}"
                )));
            }
        }
        Ok(())
    }
}

fn read_host(server: &mut PostgresServer, host: &str) -> Result<(), StoreError> {
    // An IPv6 address stands in brackets.
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match host.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    if !name.is_empty() {
        server.host = plain(name);
    }
    if let Some(port) = port {
        let number = port.parse().ok().filter(|port| *port > 0);
        server.port = number.ok_or_else(|| refused("its port is a number, 1 to 65535"))?;
    }
    Ok(())
}

/// Undoes `%XX`; everything else stands for itself.
fn plain(text: &str) -> String {
    let text = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let pair = form_urlencoded::parse(text.as_bytes()).next();
    pair.map_or_else(String::new, |(name, _)| name.into_owned())
}

fn refused(reason: &str) -> StoreError {
    StoreError::Storage {
        action: "use the address of the database".to_owned(),
        detail: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_with_everything_is_read() {
        let url = "postgresql://us%40er:p%3A%2Fw+d&=e=@db.example.org:6543/my%20base?schema=one\
             &sslmode=verify-full&connect_timeout=7&max_connections=3";
        let config = PostgresConfig::from_url(url).unwrap();
        let server = &config.server;
        assert_eq!(server.user, "us@er");
        assert_eq!(server.password.as_deref(), Some("p:/w+d&=e="));
        assert_eq!(
            (server.host.as_str(), server.port),
            ("db.example.org", 6543)
        );
        assert_eq!(server.database, "my base");
        assert_eq!((server.tls, server.verify), (PostgresTls::Required, true));
        assert_eq!(config.schema, "one");
        assert_eq!(config.timeout, Duration::from_secs(7));
        assert_eq!(config.max_connections, 3);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = PostgresConfig::from_url("postgres://").unwrap();
        let server = PostgresServer {
            tls: PostgresTls::Preferred,
            ..PostgresServer::default()
        };
        assert_eq!(
            config,
            PostgresConfig {
                server,
                ..PostgresConfig::default()
            }
        );
        let config = PostgresConfig::from_url("postgres://a@[::1]:7/b").unwrap();
        assert_eq!(
            (config.server.host.as_str(), config.server.port),
            ("::1", 7)
        );
        let config = PostgresConfig::from_url("postgres://%2Frun%2Fpostgresql/b").unwrap();
        assert_eq!(config.server.host, "/run/postgresql");
    }

    #[test]
    fn mistakes_are_named_and_passwords_are_not() {
        for (url, expected) in [
            ("mysql://a:secret@b/c", "begin with"),
            ("postgresql://a:secret@b:port/c", "port"),
            ("postgresql://a:secret@b:0/c", "port"),
            ("postgresql://a:secret@b/c?sslmode=maybe", "sslmode"),
            ("postgresql://a:secret@b/c?sslrootcert=/none", "/none"),
            ("postgresql://a:secret@b/c?connect_timeout=x", "seconds"),
            (
                "postgresql://a:secret@b/c?max_connections=0",
                "max_connections",
            ),
            ("postgresql://a:secret@b/c?shema=x", "known are schema"),
        ] {
            let error = PostgresConfig::from_url(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
