//! The node's process: start it, find it again, end it.
//!
//! It is the leader of its own process group, so that neither Ctrl-C nor the end of a terminal
//! reaches it, and it writes to a file, so that it needs nobody to read. It is known again by
//! the id in its arguments, because a process id alone may belong to somebody else by now.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::Instant;

use super::layout::Layout;
use super::node_conf;
use crate::failure::Failure;
use crate::files;

/// How often a process that ends is looked at.
const POLL: Duration = Duration::from_millis(20);
/// Lines of the log that are shown when a node ended at once.
const LINES_SHOWN: usize = 5;
/// Largest log that a start continues; a larger one is put aside first.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a node is started with.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) conf: String,
    pub(super) echo_port: Option<u16>,
    pub(super) instance: String,
}

/// A running node.
pub(super) struct Process {
    pid: Pid,
    /// Absent when an earlier quickstart started it.
    child: Option<Child>,
}

impl Process {
    /// Starts a node.
    pub(super) fn start(plan: &Plan) -> Result<Self, Failure> {
        let layout = &plan.layout;
        files::replace(&layout.node_conf(), files::PRIVATE, &plan.conf)?;
        let log = open_log(&layout.node_log())?;
        let mut command = Command::new(own_binary()?);
        command
            .args(["node", "--instance", &plan.instance, "--conf"])
            .arg(layout.node_conf())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .current_dir("/")
            .process_group(0);
        if let Some(port) = plan.echo_port {
            command.args(["--echo-port", &port.to_string()]);
        }
        for name in node_conf::variables(&plan.conf) {
            command.env_remove(name);
        }
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("the node ended at once"))?;
        note(layout, pid)?;
        Ok(Self {
            pid,
            child: Some(child),
        })
    }

    /// The node of an earlier quickstart, when it still runs.
    pub(super) fn find(layout: &Layout, instance: &str) -> Option<Self> {
        let is_it = |pid: &Pid| {
            let arguments = arguments_of(*pid);
            arguments.is_some_and(|all| all.iter().any(|argument| argument == instance))
        };
        let noted = std::fs::read_to_string(layout.node_pid()).ok();
        let noted = noted.and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        // A quickstart that was killed right after it had started the node noted nothing.
        let pid = noted.filter(is_it).or_else(|| {
            let found = running().into_iter().find(is_it)?;
            note(layout, found).is_ok().then_some(found)
        })?;
        Some(Self { pid, child: None })
    }

    /// Whether it runs as the plan wants it: same settings, same sample, same binary.
    pub(super) fn is_as_planned(&self, plan: &Plan) -> bool {
        let conf = std::fs::read_to_string(plan.layout.node_conf());
        let is_same_conf = conf.is_ok_and(|conf| conf == plan.conf);
        let arguments = arguments_of(self.pid).unwrap_or_default();
        let echo = arguments
            .iter()
            .position(|argument| argument == "--echo-port");
        let echo = echo.and_then(|at| arguments.get(at + 1)?.parse::<u16>().ok());
        // A replaced binary shows as a path that ends in " (deleted)".
        let running = std::fs::read_link(format!("/proc/{}/exe", self.pid.as_raw_nonzero()));
        let own = own_binary();
        let is_same_binary = match (running, own) {
            (Ok(running), Ok(own)) => running == own,
            _ => true,
        };
        is_same_conf && echo == plan.echo_port && is_same_binary
    }

    pub(super) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => test_kill_process(self.pid).is_ok() && !is_zombie(self.pid),
        }
    }

    /// Asks it to end, and ends it by force after `limit`.
    pub(super) async fn end(&mut self, limit: Duration) {
        self.signal(Signal::TERM);
        if !self.has_ended_within(limit).await {
            tracing::warn!(
                pid = self.id(),
                "the node did not end in time and is killed"
            );
            self.signal(Signal::KILL);
            self.has_ended_within(Duration::from_secs(1)).await;
        }
    }

    fn signal(&mut self, signal: Signal) {
        if self.is_running()
            && let Err(error) = kill_process(self.pid, signal)
        {
            tracing::debug!(%error, "the node could not be signalled");
        }
    }

    async fn has_ended_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }
}

/// Why a node that was just started runs no more, as its log says.
pub(super) fn ended_at_once(layout: &Layout) -> Failure {
    let path = layout.node_log();
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
    Failure::all(last).under(&format!("the node ended at once; {} says:", path.display()))
}

/// The path of this binary, also when the file was replaced since.
fn own_binary() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let text = path
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"));
    Ok(text.map(PathBuf::from).unwrap_or(path))
}

/// The id in the node's arguments: made once for a data folder.
pub(super) fn instance(layout: &Layout) -> Result<String, Failure> {
    let path = layout.node_instance();
    if !path.exists() {
        files::replace(&path, files::PUBLIC, &format!("{}\n", clock::new_uuid()))?;
    }
    Ok(files::read(&path)?.trim().to_owned())
}

fn open_log(path: &Path) -> Result<std::fs::File, Failure> {
    if std::fs::metadata(path).is_ok_and(|data| data.len() > LOG_BYTES_MAX) {
        let mut old = path.as_os_str().to_owned();
        old.push(".1");
        std::fs::rename(path, old)?;
    }
    let open = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(files::PRIVATE)
        .open(path);
    open.map_err(|error| Failure::new(format!("cannot open `{}`: {error}", path.display())))
}

/// Writes down which process is the node.
fn note(layout: &Layout, pid: Pid) -> Result<(), Failure> {
    let text = format!("{}\n", pid.as_raw_nonzero());
    files::replace(&layout.node_pid(), files::PUBLIC, &text)
}

/// Every process of the machine but this one, as far as `/proc` tells.
fn running() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let others = names.filter(|name| *name != own);
    others
        .filter_map(|name| Pid::from_raw(name.parse().ok()?))
        .collect()
}

/// The arguments of a process: from `/proc`, or from `ps` where there is none.
fn arguments_of(pid: Pid) -> Option<Vec<String>> {
    let id = pid.as_raw_nonzero();
    if let Ok(bytes) = std::fs::read(format!("/proc/{id}/cmdline")) {
        let parts = bytes.split(|byte| *byte == 0);
        return Some(
            parts
                .map(|part| String::from_utf8_lossy(part).into_owned())
                .collect(),
        );
    }
    if Path::new("/proc/self").exists() {
        return None;
    }
    let listed = Command::new("ps")
        .args(["-o", "args=", "-p", &id.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    Some(text.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Whether it has ended and only waits for its parent to notice.
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    // The state follows the name, which stands in parentheses and may hold anything.
    stat.is_ok_and(|text| {
        text.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}
