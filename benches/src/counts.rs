//! What is counted rather than timed: system calls (strace) and user instructions (callgrind)
//! per plain proxied request. Both are the difference of two runs of different length, so that
//! what a start costs falls out.

use std::path::Path;

use tokio::process::Command;

use crate::case::Case;
use crate::load::exactly;
use crate::subject::Stage;

/// Connections of the counting runs.
const CONNECTIONS: usize = 64;

/// Most system calls of a plain request.
const MOST_CALLS: f64 = 4.2;
/// Most user instructions of a plain request.
const MOST_INSTRUCTIONS: f64 = 12_000.0;

/// What a plain request costs.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// System calls of the whole process.
    pub system_calls: f64,
    /// User instructions of the whole process.
    pub instructions: f64,
}

impl Counts {
    /// Holds the counts to what a plain request may cost.
    ///
    /// # Errors
    ///
    /// Says which budget is exceeded and by how much.
    pub fn check(&self) -> Result<(), String> {
        let mut exceeded = Vec::new();
        for (what, count, most) in [
            ("system calls", self.system_calls, MOST_CALLS),
            ("user instructions", self.instructions, MOST_INSTRUCTIONS),
        ] {
            if count > most {
                exceeded.push(format!("{count:.2} {what}, at most {most}"));
            }
        }
        if exceeded.is_empty() {
            return Ok(());
        }
        Err(format!("a plain request takes {}", exceeded.join("; ")))
    }
}

/// Counts both.
///
/// # Errors
///
/// Says which tool is missing or printed something unexpected.
pub async fn count(stage: &Stage) -> Result<Counts, String> {
    let calls = difference(stage, 200, 1_200, strace).await?;
    // A start makes keys and takes ten million instructions more or less from run to run.
    let instructions = difference(stage, 100, 1_100, callgrind).await?;
    Ok(Counts {
        system_calls: calls,
        instructions,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
async fn difference(
    stage: &Stage,
    short: usize,
    long: usize,
    tool: impl AsyncFn(&Stage, usize) -> Result<u64, String>,
) -> Result<f64, String> {
    let few = tool(stage, short).await?;
    let many = tool(stage, long).await?;
    let requests = (long - short) * CONNECTIONS;
    Ok(many.saturating_sub(few) as f64 / requests as f64)
}

async fn strace(stage: &Stage, per_connection: usize) -> Result<u64, String> {
    let file = stage.folder.join("strace.txt");
    let launcher = ["strace", "-f", "-c", "-o", &file.display().to_string()];
    run(stage, &launcher, per_connection).await?;
    let text = read(&file)?;
    let total = text
        .lines()
        .find(|line| line.trim_end().ends_with(" total"));
    let total = total.ok_or_else(|| format!("strace printed no total:\n{text}"))?;
    let calls = total
        .split_whitespace()
        .nth(3)
        .and_then(|n| n.parse::<u64>().ok());
    calls.ok_or_else(|| format!("an odd total of strace: {total}"))
}

async fn callgrind(stage: &Stage, per_connection: usize) -> Result<u64, String> {
    let file = stage.folder.join("callgrind.out");
    let out = format!("--callgrind-out-file={}", file.display());
    run(
        stage,
        &["valgrind", "--tool=callgrind", &out],
        per_connection,
    )
    .await?;
    let text = read(&file)?;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let total = value("totals:").or_else(|| value("summary:"));
    total.ok_or_else(|| "callgrind wrote no total".to_owned())
}

async fn run(stage: &Stage, launcher: &[&str], per_connection: usize) -> Result<(), String> {
    let mut running = stage.node(Case::SmallGet, launcher).await?;
    exactly(running.port, CONNECTIONS, per_connection).await?;
    // The tools write their totals when the process below them ends in good order.
    let root = running.pid();
    let innermost = crate::machine::tree(root).pop().unwrap_or(root);
    let mut command = Command::new("kill");
    command.args(["-s", "TERM", &innermost.to_string()]);
    command.output().await.map_err(|error| error.to_string())?;
    for _ in 0..600 {
        if !Path::new(&format!("/proc/{root}/exe")).exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
