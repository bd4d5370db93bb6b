//! Configuration of `response-ratelimiting`.

use schema::{Check, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use super::rules;
use crate::rate_limiting::period::Period;
use crate::records::redis::{needed_by_policy, old_names, redis};
use crate::redis::Settings;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    let schema = Schema::new("response-ratelimiting").fields([
        Field::string("header_name")
            .default("x-kong-limit")
            .describe("Header of the service's answer that says the cost, `name=count`."),
        Field::string("limit_by")
            .one_of(["consumer", "credential", "ip"])
            .default("consumer")
            .describe("What counts as one caller; what a request lacks is its address."),
        Field::string("policy")
            .one_of(["local", "cluster", "redis"])
            .default("local")
            .describe("Where costs are counted."),
        Field::boolean("fault_tolerant")
            .required()
            .default(true)
            .describe("Whether requests pass while the place of counting is out of reach."),
        Field::record("redis", redis())
            .required()
            .describe("Where and how Redis is reached."),
        Field::boolean("block_on_first_violation")
            .required()
            .default(false)
            .describe("Whether one limit used up refuses all requests."),
        Field::boolean("hide_client_headers")
            .required()
            .default(false)
            .describe("Whether answers keep quiet about limits."),
        Field::map("limits", Field::string(""), Field::record("", limits()))
            .required()
            .len_min(1)
            .describe("Limits by name; answers say the name."),
    ]);
    let schema = needed_by_policy()
        .into_iter()
        .fold(schema, Schema::outer_check);
    old_names().into_iter().fold(schema, Schema::shorthand)
}

fn limits() -> Schema {
    Schema::record([
        Field::number("second")
            .gt(0)
            .describe("Most of it in a second."),
        Field::number("minute")
            .gt(0)
            .describe("Most of it in a minute."),
        Field::number("hour")
            .gt(0)
            .describe("Most of it in a hour."),
        Field::number("day").gt(0).describe("Most of it in a day."),
        Field::number("month")
            .gt(0)
            .describe("Most of it in a month."),
        Field::number("year")
            .gt(0)
            .describe("Most of it in a year."),
    ])
    .check(Check::AtLeastOneOf(vec![
        "second", "minute", "hour", "day", "month", "year",
    ]))
    .custom(rules::shorter_periods_allow_less)
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Header of the service's answer that says the cost.
    pub(super) header_name: String,
    /// What counts as one caller.
    pub(super) limit_by: LimitBy,
    /// Where costs are counted.
    pub(super) policy: Policy,
    /// How Redis is reached; `None` without a host.
    pub(super) redis: Option<Settings>,
    /// Whether requests pass while the place of counting is out of reach.
    pub(super) is_fault_tolerant: bool,
    /// Whether one limit used up refuses all requests.
    pub(super) block_on_first_violation: bool,
    /// Whether answers keep quiet about limits.
    pub(super) hide_client_headers: bool,
    /// Limits by name, shortest period first.
    pub(super) limits: Vec<(String, Vec<(Period, f64)>)>,
}

/// What counts as one caller. Whatever is missing in a request falls back to the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitBy {
    /// The consumer, else the credential.
    Consumer,
    /// The credential.
    Credential,
    /// The client address.
    Ip,
}

/// Where costs are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// In a database that all nodes share.
    Cluster,
    /// On this node.
    Local,
    /// In Redis.
    Redis,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        let mut limits = Vec::new();
        for (name, record) in read.members("limits")?.into_iter().flatten() {
            let limit = |period: Period| {
                let limit = record.get(period.field()).and_then(Value::as_f64)?;
                Some((period, limit))
            };
            limits.push((
                name.clone(),
                Period::ALL.into_iter().filter_map(limit).collect(),
            ));
        }
        let header_name = read.text("header_name")?;
        Ok(Self {
            header_name: header_name.unwrap_or_else(|| "x-kong-limit".to_owned()),
            limit_by: match read.text("limit_by")?.as_deref() {
                Some("credential") => LimitBy::Credential,
                Some("ip") => LimitBy::Ip,
                _ => LimitBy::Consumer,
            },
            policy: match read.text("policy")?.as_deref() {
                Some("cluster") => Policy::Cluster,
                Some("redis") => Policy::Redis,
                _ => Policy::Local,
            },
            redis: Settings::read(&read)?,
            is_fault_tolerant: read.boolean("fault_tolerant")?.unwrap_or(true),
            block_on_first_violation: flag("block_on_first_violation")?,
            hide_client_headers: flag("hide_client_headers")?,
            limits,
        })
    }
}
