//! `gatehouse hosts`: the lines that /etc/hosts needs, where names below the base domain do not
//! resolve by themselves.

use std::net::IpAddr;
use std::path::Path;

use serde_json::Value;

use crate::cli::Hosts;
use crate::failure::Failure;
use crate::{client, environment, output};

/// The geos that a platform serves when nobody says otherwise.
const GEOS: [&str; 5] = ["us", "au", "eu", "in", "me"];
const HOSTS_FILE: &str = "/etc/hosts";
const BEGIN: &str = "# begin gatehouse";
const END: &str = "# end gatehouse";

pub(super) fn run(arguments: &Hosts) -> Result<(), Failure> {
    let data_dir = environment::data_dir(arguments.data_dir.as_deref());
    let facts = client::facts(&data_dir)?;
    let base = arguments
        .base_domain
        .as_deref()
        .or_else(|| facts["base_domain"].as_str());
    let base = base.unwrap_or("konghq.localhost");
    output::print(&lines(arguments.address, base, &facts).join("\n"));
    Ok(())
}

fn lines(address: IpAddr, base: &str, facts: &Value) -> Vec<String> {
    let mut names = vec![format!("cloud.{base}"), format!("global.api.{base}")];
    names.extend(GEOS.iter().map(|geo| format!("{geo}.api.{base}")));
    for fact in ["control_plane_endpoint", "telemetry_endpoint"] {
        let host = facts[fact]
            .as_str()
            .and_then(|url| url.strip_prefix("https://"));
        let host = host.and_then(|rest| rest.split([':', '/']).next());
        names.extend(host.filter(|host| host.ends_with(base)).map(str::to_owned));
    }
    names
        .iter()
        .map(|name| format!("{address} {name}"))
        .collect()
}

/// Puts the lines into /etc/hosts, in place of those of an earlier run.
#[cfg_attr(
    not(feature = "platform-side"),
    expect(dead_code, reason = "used by quickstart")
)]
pub(crate) fn write(address: IpAddr, base: &str, facts: &Value) -> Result<(), Failure> {
    let path = Path::new(HOSTS_FILE);
    let old = crate::files::read(path)?;
    let new = with_block(&old, &lines(address, base, facts));
    if new != old {
        // Not by renaming: /etc/hosts is often a mount of its own.
        std::fs::write(path, new).map_err(|error| {
            Failure::new(format!(
                "cannot write `{HOSTS_FILE}`: {error}; run as root, or add the \
                                  lines of `gatehouse hosts` yourself"
            ))
        })?;
    }
    Ok(())
}

fn with_block(old: &str, lines: &[String]) -> String {
    let mut text = String::with_capacity(old.len() + 256);
    let mut is_inside = false;
    for line in old.lines() {
        if line == BEGIN {
            is_inside = true;
        }
        if !is_inside {
            text.push_str(line);
            text.push('\n');
        }
        if line == END {
            is_inside = false;
        }
    }
    format!("{text}{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_of_an_earlier_run_is_replaced_and_the_rest_kept() {
        let first = with_block("127.0.0.1 localhost\n", &["127.0.0.1 a".to_owned()]);
        assert_eq!(
            first,
            "127.0.0.1 localhost\n# begin gatehouse\n127.0.0.1 a\n# end gatehouse\n"
        );
        let second = with_block(&format!("{first}::1 own\n"), &["127.0.0.1 b".to_owned()]);
        let kept = "127.0.0.1 localhost\n::1 own\n";
        assert_eq!(
            second,
            format!("{kept}# begin gatehouse\n127.0.0.1 b\n# end gatehouse\n")
        );
    }

    #[test]
    fn the_names_of_the_first_control_plane_are_among_the_lines() {
        let facts = serde_json::json!({
            "control_plane_endpoint": "https://0c9f4e21aa.us.cp0.konghq.localhost:9443",
            "telemetry_endpoint": "https://0c9f4e21aa.us.tp0.konghq.localhost",
        });
        let lines = lines(IpAddr::from([127, 0, 0, 1]), "konghq.localhost", &facts);
        assert!(lines.contains(&"127.0.0.1 0c9f4e21aa.us.cp0.konghq.localhost".to_owned()));
        assert!(lines.contains(&"127.0.0.1 0c9f4e21aa.us.tp0.konghq.localhost".to_owned()));
        assert_eq!(lines.len(), 9);
    }
}
