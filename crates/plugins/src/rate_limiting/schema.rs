//! Configuration of `rate-limiting`.

use std::time::Duration;

use schema::{Check, Condition, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use super::period::Period;
use crate::records::periods::contradiction;
use crate::records::redis::{needed_by_policy, old_names, redis};
use crate::redis::Settings;

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Limits, shortest period first; at least one.
    pub(super) limits: Vec<(Period, f64)>,
    /// What counts as one caller. Default the consumer.
    pub(super) limit_by: LimitBy,
    /// Where requests are counted. Default on this node.
    pub(super) policy: Policy,
    /// How Redis is reached; `None` without a host.
    pub(super) redis: Option<Settings>,
    /// Whether requests pass while the place of counting is out of reach. Default yes.
    pub(super) is_fault_tolerant: bool,
    /// Time between exchanges with Redis; `None` asks it for every request.
    pub(super) sync_rate: Option<Duration>,
    /// Whether answers keep quiet about limits.
    pub(super) hide_client_headers: bool,
    /// Status of a refusal. Default 429.
    pub(super) error_code: f64,
    /// Message of a refusal.
    pub(super) error_message: String,
}

/// What counts as one caller. Whatever is missing in a request falls back to the client address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LimitBy {
    /// The consumer, else the credential.
    Consumer,
    /// The credential.
    Credential,
    /// The value of this header.
    Header(String),
    /// The client address.
    Ip,
    /// This path, all callers together.
    Path(String),
    /// The service, all callers together.
    Service,
}

/// Where requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// In a database that all nodes share.
    Cluster,
    /// On this node.
    Local,
    /// In Redis.
    Redis,
    /// At the control plane, which grants shares.
    Shared,
}

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    let limits = Period::ALL.map(|period| {
        Field::number(period.field())
            .gt(0)
            .describe("Requests allowed in each such period.")
    });
    let schema = Schema::new("rate-limiting")
        .fields(limits)
        .fields(rules())
        .custom(consistent)
        .outer_check(Check::AtLeastOneOf(vec![
            "config.second",
            "config.minute",
            "config.hour",
            "config.day",
            "config.month",
            "config.year",
        ]));
    let schema = needed_by_policy()
        .into_iter()
        .fold(schema, Schema::outer_check)
        .outer_check(needed("config.limit_by", "header", "config.header_name"))
        .outer_check(needed("config.limit_by", "path", "config.path"));
    old_names().into_iter().fold(schema, Schema::shorthand)
}

fn rules() -> Vec<Field> {
    let flag = |name, default: bool| Field::boolean(name).required().default(default);
    vec![
        Field::string("limit_by")
            .default("consumer")
            .one_of(["consumer", "credential", "ip", "service", "header", "path"])
            .describe("What counts as one caller; what a request lacks is its address."),
        Field::header_name("header_name").describe("Header whose value is a caller."),
        Field::path("path").describe("Path whose requests are limited together."),
        Field::string("policy")
            .len_min(0)
            .default("local")
            .one_of(["local", "cluster", "redis", "shared"])
            .describe("Where requests are counted."),
        flag("fault_tolerant", true)
            .describe("Whether requests pass while the place of counting is out of reach."),
        Field::record("redis", redis())
            .required()
            .describe("Where and how Redis is reached."),
        flag("hide_client_headers", false).describe("Whether answers keep quiet about limits."),
        Field::number("error_code")
            .gt(0)
            .default(429)
            .describe("Status of a refusal."),
        Field::string("error_message")
            .default("API rate limit exceeded")
            .describe("Message of a refusal."),
        Field::number("sync_rate")
            .required()
            .default(-1)
            .describe("Seconds between exchanges with Redis; -1 asks it for every request."),
    ]
}

fn needed(if_field: &'static str, value: &'static str, then_field: &'static str) -> Check {
    Check::conditional(
        if_field,
        Condition::eq(value),
        then_field,
        Condition::required(),
    )
}

/// Refuses limits that a longer period makes unreachable, and an exchange rate without an
/// exchange.
///
/// Compat: rules and texts of the reference.
fn consistent(config: &Value) -> Result<(), String> {
    if let Some([(long, more), (short, fewer)]) = contradiction(config) {
        return Err(format!(
            "The limit for {long}({more:.1}) cannot be lower than the limit for {short}({fewer:.1})"
        ));
    }
    let rate = config.get("sync_rate").and_then(Value::as_f64);
    let Some(rate) = rate.filter(|rate| (rate + 1.0).abs() > f64::EPSILON) else {
        return Ok(());
    };
    if config.get("policy").and_then(Value::as_str) != Some("redis") {
        return Err("sync_rate can only be used with the redis policy".to_owned());
    }
    if rate < 0.02 {
        return Err("sync_rate must be greater than 0.02, or -1 to disable".to_owned());
    }
    Ok(())
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let mut limits = Vec::new();
        for period in Period::ALL {
            if let Some(limit) = read.number(period.field())? {
                limits.push((period, limit));
            }
        }
        let policy = match read.text("policy")?.as_deref() {
            None | Some("local") => Policy::Local,
            Some("cluster") => Policy::Cluster,
            Some("redis") => Policy::Redis,
            Some("shared") => Policy::Shared,
            Some(_) => return Err(read.error("policy", "a known policy")),
        };
        Ok(Self {
            limits,
            limit_by: limit_by(&read)?,
            policy,
            redis: Settings::read(&read)?,
            is_fault_tolerant: read.boolean("fault_tolerant")?.unwrap_or(true),
            sync_rate: read
                .number("sync_rate")?
                .filter(|rate| *rate > 0.0)
                .and_then(|rate| Duration::try_from_secs_f64(rate).ok()),
            hide_client_headers: read.boolean("hide_client_headers")?.unwrap_or(false),
            error_code: read.number("error_code")?.unwrap_or(429.0),
            error_message: read
                .text("error_message")?
                .unwrap_or_else(|| "API rate limit exceeded".to_owned()),
        })
    }
}

fn limit_by(read: &Reader<'_>) -> Result<LimitBy, DecodeError> {
    Ok(match read.text("limit_by")?.as_deref() {
        None | Some("consumer") => LimitBy::Consumer,
        Some("credential") => LimitBy::Credential,
        Some("header") => LimitBy::Header(read.required_text("header_name")?),
        Some("ip") => LimitBy::Ip,
        Some("path") => LimitBy::Path(read.required_text("path")?),
        Some("service") => LimitBy::Service,
        Some(_) => return Err(read.error("limit_by", "a known kind of caller")),
    })
}
