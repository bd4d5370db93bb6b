//! What the kernel says of a process: time on a core, memory, children.

use std::fs;

/// Nanoseconds that a process and all its descendants have spent on a core.
#[must_use]
pub fn cpu_nanoseconds(pid: u32) -> u64 {
    let mut sum = 0;
    for pid in tree(pid) {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            sum += text
                .split(' ')
                .next()
                .and_then(|n| n.parse::<u64>().ok())
                .unwrap_or(0);
        }
    }
    sum
}

/// Resident memory of a process and all its descendants, in KiB.
#[must_use]
pub fn rss_kib(pid: u32) -> u64 {
    let of = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = text
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap_or_default();
        line.split_whitespace()
            .nth(1)
            .and_then(|n| n.parse::<u64>().ok())
            .unwrap_or(0)
    };
    tree(pid).into_iter().map(of).sum()
}

/// The process and all its descendants.
#[must_use]
pub fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while at < all.len() {
        let path = format!("/proc/{0}/task/{0}/children", all[at]);
        let children = fs::read_to_string(path).unwrap_or_default();
        all.extend(
            children
                .split_whitespace()
                .filter_map(|n| n.parse::<u32>().ok()),
        );
        at += 1;
    }
    all
}

/// One line that says what this machine is.
#[must_use]
pub fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |line: &str| line.split(':').nth(1).unwrap_or_default().trim().to_owned();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .map(value);
    let cores = info
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.unwrap_or_else(|| "unknown processor".to_owned());
    format!("{cores} cores of {model}, Linux {}", kernel.trim())
}
