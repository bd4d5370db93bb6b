//! The built binary as a process.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::eventually_within;

/// The built binary: `GATEHOUSE_BINARY`, or the one beside the running test.
///
/// # Panics
///
/// Panics when there is none, saying how to build it.
#[must_use]
pub fn binary() -> PathBuf {
    let named = std::env::vars().find(|(name, _)| name == "GATEHOUSE_BINARY");
    let path = named.map_or_else(beside_the_test, |(_, path)| PathBuf::from(path));
    assert!(
        path.is_file(),
        "no binary at {}: run `cargo build -p gatehouse`",
        path.display()
    );
    path
}

fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test
        .parent()
        .and_then(std::path::Path::parent)
        .expect("target/debug/deps");
    folder.join("gatehouse")
}

/// Runs the binary to its end and gives what it printed.
///
/// # Panics
///
/// Panics when it cannot be started or runs for more than 60 seconds.
pub async fn run_to_end(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .expect("the command ends within a minute")
        .expect("the command starts")
}

/// A running process of the binary. It is killed when dropped.
#[derive(Debug)]
pub struct Gatehouse {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Gatehouse {
    /// Starts the binary with arguments and extra environment.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be started.
    #[must_use]
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// Starts any command and keeps what it prints.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .expect("the process starts");
        let output = Arc::new(Mutex::new(String::new()));
        keep(child.stdout.take(), Arc::clone(&output));
        keep(child.stderr.take(), Arc::clone(&output));
        Self { child, output }
    }

    /// Everything it printed so far, on both streams.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().clone()
    }

    /// Waits until it has printed `text`.
    ///
    /// # Panics
    ///
    /// Panics, with all that was printed, when it does not within 30 seconds.
    pub async fn prints(&self, text: &str) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while !self.output().contains(text) {
            let is_late = tokio::time::Instant::now() > deadline;
            assert!(
                !is_late,
                "`{text}` was not printed, but:\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process id.
    ///
    /// # Panics
    ///
    /// Panics when it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Whether it still runs.
    ///
    /// # Panics
    ///
    /// Panics when the system cannot tell.
    pub fn is_running(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be asked")
            .is_none()
    }

    /// Ends it with SIGKILL.
    ///
    /// # Panics
    ///
    /// Panics when it has ended before.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the process runs");
    }

    /// Sends SIGTERM and waits for its end; gives the exit code.
    ///
    /// # Panics
    ///
    /// Panics, with all that was printed, when it has not ended within `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> Option<i32> {
        signal(self.pid(), "TERM").await;
        eventually_within(limit, "the process ends after SIGTERM", async || {
            self.child.try_wait().expect("a child can be asked")
        })
        .await
        .code()
    }
}

/// Sends a signal to a process by the system's `kill`.
async fn signal(pid: u32, name: &str) {
    let mut command = Command::new("kill");
    command.args(["-s", name, &pid.to_string()]);
    command.status().await.expect("kill can be run");
}

fn keep(stream: Option<impl AsyncRead + Unpin + Send + 'static>, output: Arc<Mutex<String>>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut output = output.lock();
            output.push_str(&line);
            output.push('\n');
        }
    });
}
