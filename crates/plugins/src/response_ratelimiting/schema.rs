//! Configuration of `response-ratelimiting`.

use schema::{Check, Field, Schema};

use super::rules;
use crate::records::redis::{needed_by_policy, old_names, redis};

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
