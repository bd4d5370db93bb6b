//! Replays recorded hybrid-mode frames of the reference: its control plane's part against our
//! node (`hybrid-v1-dp.jsonl`) and its nodes' part against our control plane
//! (`hybrid-v1-peer.jsonl`). Usage: `golden_hybrid FOLDER`, with the binary of the product built.
//!
//! Where Gatehouse does better on purpose, the scenario says so here and is judged by that.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a replay that cannot go on ends, with the place"
)]
#![expect(
    clippy::print_stdout,
    reason = "the report is what this program is for"
)]

mod dp;
mod peer;
mod plane;
mod records;

use std::path::PathBuf;
use std::process::ExitCode;

/// What became of one scenario.
pub(crate) struct Verdict {
    pub(crate) scenario: String,
    /// Empty when it agrees.
    pub(crate) faults: Vec<String>,
    /// Why it is judged otherwise than by the record.
    pub(crate) note: Option<&'static str>,
    /// It was not played at all; the note says why.
    pub(crate) is_skipped: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        println!("usage: golden_hybrid FOLDER (with hybrid-v1-dp.jsonl and hybrid-v1-peer.jsonl)");
        return ExitCode::from(2);
    };
    let mut failed = 0;
    for (name, verdicts) in [
        (
            "hybrid-v1-dp",
            dp::replay(&folder.join("hybrid-v1-dp.jsonl")).await,
        ),
        (
            "hybrid-v1-peer",
            peer::replay(&folder.join("hybrid-v1-peer.jsonl")).await,
        ),
    ] {
        let (mut agreed, mut skipped) = (0, 0);
        for verdict in &verdicts {
            let note = verdict
                .note
                .map(|note| format!("  [{note}]"))
                .unwrap_or_default();
            if verdict.is_skipped {
                skipped += 1;
                println!("skip  {name}/{}{note}", verdict.scenario);
            } else if verdict.faults.is_empty() {
                agreed += 1;
                println!("ok    {name}/{}{note}", verdict.scenario);
            } else {
                failed += 1;
                println!("FAIL  {name}/{}{note}", verdict.scenario);
                for fault in &verdict.faults {
                    println!("      {fault}");
                }
            }
        }
        let total = verdicts.len();
        println!("{name}: {agreed} of {total} scenarios agree, {skipped} cannot be played");
    }
    ExitCode::from(u8::from(failed > 0))
}
