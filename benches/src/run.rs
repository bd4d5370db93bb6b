//! Alternating rounds: every subject does the same work, one after the other, again and again,
//! so that a machine whose speed drifts is unfair to nobody.

use std::path::Path;
use std::time::Duration;

use crate::case::Case;
use crate::load::{self, Load};
use crate::machine;
use crate::subject::{Running, Stage, Subject};

/// One round of one subject.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Which work.
    pub case: Case,
    /// Who did it.
    pub subject: Subject,
    /// Microseconds on a core per answered request, of the proxy's whole process tree.
    pub cpu_us_per_request: f64,
    /// Answers per second of wall time.
    pub requests_per_second: f64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile in milliseconds.
    pub p99_ms: f64,
    /// Resident memory after the round, in KiB.
    pub rss_kib: u64,
}

/// Measures a case: starts the subjects, warms them up, and runs `rounds` rounds of `seconds`.
///
/// # Errors
///
/// Says which subject failed and how; a round with failed requests is an error, not a figure.
pub async fn case(
    stage: &Stage,
    case: Case,
    rounds: u32,
    seconds: u32,
) -> Result<Vec<Round>, String> {
    let mut running = Vec::new();
    for subject in stage.subjects(case) {
        let started = stage.start(subject, case).await?;
        running.push((subject, started));
    }
    for (subject, proxy) in &mut running {
        round(*subject, proxy, case, 1, &stage.folder).await?;
    }
    let mut all = Vec::new();
    for _ in 0..rounds {
        for (subject, proxy) in &mut running {
            all.push(round(*subject, proxy, case, seconds, &stage.folder).await?);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(all)
}

async fn round(
    subject: Subject,
    proxy: &mut Running,
    case: Case,
    seconds: u32,
    folder: &Path,
) -> Result<Round, String> {
    let pid = proxy.pid();
    let port = if case.is_tls() {
        proxy.tls_port
    } else {
        proxy.port
    };
    let before = machine::cpu_nanoseconds(pid);
    let load = load::run(case, port, seconds, folder).await?;
    let spent = machine::cpu_nanoseconds(pid).saturating_sub(before);
    check(subject, case, &load)?;
    Ok(Round {
        case,
        subject,
        cpu_us_per_request: to_f64(spent) / 1000.0 / to_f64(load.requests),
        requests_per_second: to_f64(load.requests) / load.seconds,
        p50_ms: load.p50_ms,
        p99_ms: load.p99_ms,
        rss_kib: machine::rss_kib(pid),
    })
}

fn check(subject: Subject, case: Case, load: &Load) -> Result<(), String> {
    // A connection cut at the end of a run is wrk's own doing; more than that is a fault.
    if load.failures > load.requests / 1000 + 64 {
        let (name, case) = (subject.name(), case.name());
        return Err(format!(
            "{name} failed {} of {} requests of {case}",
            load.failures, load.requests
        ));
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures are rounded to three digits anyway"
)]
fn to_f64(number: u64) -> f64 {
    number as f64
}
