//! Medians, ratios, the table and the file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::case::Case;
use crate::counts::Counts;
use crate::run::Round;
use crate::subject::Subject;

/// Medians of one subject in one case.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Which work.
    pub case: Case,
    /// Who did it.
    pub subject: Subject,
    /// See [`Round`].
    pub cpu_us_per_request: f64,
    /// The median of the ratios to nginx, each taken within a round.
    pub cpu_to_nginx: f64,
    /// The lowest and the highest of them.
    pub spread: (f64, f64),
    /// See [`Round`].
    pub requests_per_second: f64,
    /// See [`Round`].
    pub p50_ms: f64,
    /// See [`Round`].
    pub p99_ms: f64,
    /// See [`Round`].
    pub rss_kib: u64,
}

/// Reduces the rounds of a case to one figure for each subject.
#[must_use]
pub fn figures(case: Case, rounds: &[Round]) -> Vec<Figure> {
    let of = |subject: Subject| rounds.iter().filter(move |round| round.subject == subject);
    let nginx: Vec<f64> = of(Subject::Nginx)
        .map(|round| round.cpu_us_per_request)
        .collect();
    let figure = |subject: Subject| {
        let ratios = of(subject)
            .zip(&nginx)
            .map(|(round, base)| round.cpu_us_per_request / base);
        let lowest = ratios.clone().fold(f64::INFINITY, f64::min);
        let highest = ratios.clone().fold(0.0, f64::max);
        Figure {
            case,
            subject,
            cpu_us_per_request: median(of(subject).map(|round| round.cpu_us_per_request)),
            cpu_to_nginx: median(ratios),
            spread: (lowest, highest),
            requests_per_second: median(of(subject).map(|round| round.requests_per_second)),
            p50_ms: median(of(subject).map(|round| round.p50_ms)),
            p99_ms: median(of(subject).map(|round| round.p99_ms)),
            rss_kib: of(subject).map(|round| round.rss_kib).max().unwrap_or(0),
        }
    };
    let took_part = |subject: &Subject| of(*subject).next().is_some();
    let subjects = Subject::ALL.into_iter().filter(took_part);
    subjects.map(figure).collect()
}

/// The records of the results file.
#[must_use]
pub fn records(figures: &[Figure]) -> Value {
    let record = |figure: &Figure| {
        json!({
            "case": figure.case.name(),
            "subject": figure.subject.name(),
            "cpu_us_per_request": rounded(figure.cpu_us_per_request),
            "requests_per_second": figure.requests_per_second.round(),
            "p50_ms": rounded(figure.p50_ms),
            "p99_ms": rounded(figure.p99_ms),
            "rss_kib": figure.rss_kib,
        })
    };
    Value::Array(figures.iter().map(record).collect())
}

/// The table for people.
#[must_use]
pub fn markdown(machine: &str, figures: &[Figure], counts: Option<Counts>) -> String {
    let mut text =
        format!("# Measurements\n\n{machine}. Proxy on core 0, load and backend on core 1.\n\n");
    text.push_str(
        "| case | subject | CPU µs/request | to nginx | spread | requests/s | p50 ms | p99 ms | \
         RSS MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for figure in figures {
        let line = writeln!(
            text,
            "| {} | {} | {:.2} | {:.2} | {:.2}–{:.2} | {:.0} | {:.2} | {:.2} | {} |",
            figure.case.name(),
            figure.subject.name(),
            figure.cpu_us_per_request,
            figure.cpu_to_nginx,
            figure.spread.0,
            figure.spread.1,
            figure.requests_per_second,
            figure.p50_ms,
            figure.p99_ms,
            figure.rss_kib / 1024,
        );
        debug_assert!(line.is_ok(), "text can grow");
    }
    if let Some(counts) = counts {
        let line = write!(
            text,
            "\nA plain proxied request of the node: {:.2} system calls (strace), {:.0} user \
             instructions (callgrind).\n",
            counts.system_calls, counts.instructions
        );
        debug_assert!(line.is_ok(), "text can grow");
    }
    text
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
