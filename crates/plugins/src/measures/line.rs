//! Lines that StatsD servers read: `name:value|kind|@rate`, with tags where the dialect has them.

use std::fmt::Write;

/// How a dialect writes tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagStyle {
    /// `name:1|c|#key:value`.
    DogStatsD,
    /// `name,key=value:1|c`.
    InfluxDb,
    /// `name#key=value:1|c`.
    Librato,
    /// `name[key=value]:1|c`.
    SignalFx,
}

impl TagStyle {
    /// The style of a name in configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "dogstatsd" => Self::DogStatsD,
            "influxdb" => Self::InfluxDb,
            "librato" => Self::Librato,
            "signalfx" => Self::SignalFx,
            _ => return None,
        })
    }
}

/// Writes a line without its end.
///
/// Control characters, which would begin another line, are left out of names and values.
pub(crate) fn write_line(
    name: &str,
    value: &str,
    kind: &str,
    rate: Option<f64>,
    tags: Option<(TagStyle, &[(String, String)])>,
) -> String {
    let joined = |tags: &[(String, String)], between: char| {
        let pairs = tags.iter().map(|(key, value)| match value.as_str() {
            "" => key.clone(),
            value => format!("{key}{between}{value}"),
        });
        pairs.collect::<Vec<_>>().join(",")
    };
    let mut line = String::from(name);
    match tags {
        Some((TagStyle::InfluxDb, tags)) => line.push_str(&format!(",{}", joined(tags, '='))),
        Some((TagStyle::Librato, tags)) => line.push_str(&format!("#{}", joined(tags, '='))),
        Some((TagStyle::SignalFx, tags)) => line.push_str(&format!("[{}]", joined(tags, '='))),
        Some((TagStyle::DogStatsD, _)) | None => {}
    }
    // Writing to a string cannot fail.
    let _ = write!(line, ":{value}|{kind}");
    if let Some(rate) = rate.filter(|rate| (rate - 1.0).abs() > f64::EPSILON) {
        let _ = write!(line, "|@{rate}");
    }
    if let Some((TagStyle::DogStatsD, tags)) = tags {
        let _ = write!(line, "|#{}", joined(tags, ':'));
    }
    line.retain(|character| !character.is_control());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_writes_tags_at_its_place() {
        let tags = [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let line = |style: &str| {
            let style = TagStyle::named(style).map(|style| (style, &tags[..]));
            write_line("kong.latency", "5", "ms", Some(0.5), style)
        };
        assert_eq!(line("none"), "kong.latency:5|ms|@0.5");
        assert_eq!(line("dogstatsd"), "kong.latency:5|ms|@0.5|#a:1,b:2");
        assert_eq!(line("influxdb"), "kong.latency,a=1,b=2:5|ms|@0.5");
        assert_eq!(line("librato"), "kong.latency#a=1,b=2:5|ms|@0.5");
        assert_eq!(line("signalfx"), "kong.latency[a=1,b=2]:5|ms|@0.5");
    }

    #[test]
    fn a_full_rate_is_not_told_and_a_name_opens_no_second_line() {
        let line = write_line("a\nb:9|c", "1", "c", Some(1.0), None);
        assert_eq!(line, "ab:9|c:1|c");
    }
}
