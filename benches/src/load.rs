//! The load: wrk and h2load from the system's packages for figures over time, and an exact number
//! of requests for what is counted.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::case::Case;

/// What was seen of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Answers received.
    pub requests: u64,
    /// Seconds the run took.
    pub seconds: f64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of latency in milliseconds.
    pub p99_ms: f64,
    /// Answers other than 2xx and 3xx, and broken connections.
    pub failures: u64,
}

/// Runs the load of a case, pinned to core 1, for `seconds` against a port.
///
/// # Errors
///
/// Says what is wrong when the program cannot be run or prints something unexpected.
pub async fn run(case: Case, port: u16, seconds: u32, folder: &Path) -> Result<Load, String> {
    match case {
        Case::Http2 => h2load(case, port, seconds, folder).await,
        _ => wrk(case, port, seconds, folder).await,
    }
}

async fn wrk(case: Case, port: u16, seconds: u32, folder: &Path) -> Result<Load, String> {
    let script = folder.join(format!("{}.lua", case.name()));
    std::fs::write(&script, case.script()).map_err(|error| error.to_string())?;
    let scheme = if case.is_tls() { "https" } else { "http" };
    let mut command = pinned("wrk");
    command
        .args(["-t1", "--latency"])
        .arg(format!("-c{}", case.connections()))
        .arg(format!("-d{seconds}s"))
        .arg("-s")
        .arg(&script)
        .arg(format!("{scheme}://127.0.0.1:{port}/"));
    let text = output(command).await?;
    parse(&text).ok_or_else(|| format!("wrk printed something unexpected:\n{text}"))
}

/// Streams on each connection of HTTP/2.
const STREAMS: usize = 16;

async fn h2load(case: Case, port: u16, seconds: u32, folder: &Path) -> Result<Load, String> {
    let log = folder.join("h2load.log");
    // It appends to what is there.
    let _ = std::fs::remove_file(&log);
    let mut command = pinned("h2load");
    command
        .arg("-t1")
        .arg(format!("-c{}", case.connections()))
        .arg(format!("-m{STREAMS}"))
        .arg(format!("-D{seconds}"))
        .arg("--log-file")
        .arg(&log)
        .arg(format!("https://127.0.0.1:{port}{}", case.target()));
    let text = output(command).await?;
    let lines = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
    parse_h2load(&text, &lines)
        .ok_or_else(|| format!("h2load printed something unexpected:\n{text}"))
}

fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "1", program]).stderr(Stdio::inherit());
    command
}

async fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().await;
    let output = output.map_err(|error| format!("the load cannot be run: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads h2load's summary and its log, which has a line of start, status and microseconds for
/// each answer.
fn parse_h2load(text: &str, log: &str) -> Option<Load> {
    let mut load = Load::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["finished", "in", time, ..] => {
                load.seconds = milliseconds(time.trim_end_matches(','))? / 1000.0;
            }
            [
                "status",
                "codes:",
                success,
                "2xx,",
                redirects,
                "3xx,",
                client,
                "4xx,",
                server,
                ..,
            ] => {
                let number = |word: &str| word.parse::<u64>().ok();
                load.requests = number(success)? + number(redirects)?;
                load.failures += number(client)? + number(server)?;
            }
            _ => {}
        }
    }
    let times = log.lines().filter_map(|line| line.split('\t').nth(2));
    let mut times: Vec<u32> = times.filter_map(|time| time.parse().ok()).collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    load.p50_ms = f64::from(at(50)?) / 1000.0;
    load.p99_ms = f64::from(at(99)?) / 1000.0;
    (load.requests > 0).then_some(load)
}

fn parse(text: &str) -> Option<Load> {
    let mut load = Load::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["50%", value] => load.p50_ms = milliseconds(value)?,
            ["99%", value] => load.p99_ms = milliseconds(value)?,
            [count, "requests", "in", time, ..] => {
                load.requests = count.parse().ok()?;
                load.seconds = milliseconds(time.trim_end_matches(','))? / 1000.0;
            }
            ["Non-2xx", "or", "3xx", "responses:", count] => {
                load.failures += count.parse::<u64>().ok()?;
            }
            ["Socket", "errors:", rest @ ..] => {
                let counts = rest
                    .iter()
                    .filter_map(|w| w.trim_end_matches(',').parse::<u64>().ok());
                load.failures += counts.sum::<u64>();
            }
            _ => {}
        }
    }
    (load.requests > 0).then_some(load)
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    let (unit, factor) = units.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor)
}

/// Sends exactly `per_connection` requests on each of `connections` kept connections, one after
/// the other, and reads every answer.
///
/// # Errors
///
/// Says what is wrong when a connection fails or an answer is not 200.
pub async fn exactly(port: u16, connections: usize, per_connection: usize) -> Result<(), String> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(one_connection(port, per_connection));
    }
    while let Some(result) = tasks.join_next().await {
        result.map_err(|error| error.to_string())??;
    }
    Ok(())
}

async fn one_connection(port: u16, requests: usize) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    let request = b"GET /route42/small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut buffer = vec![0; 4096];
    for _ in 0..requests {
        stream.write_all(request).await.map_err(text)?;
        let mut length = 0;
        loop {
            let read = stream.read(&mut buffer[length..]).await.map_err(text)?;
            if read == 0 {
                return Err("the connection was closed".to_owned());
            }
            length += read;
            if is_complete(&buffer[..length])? {
                break;
            }
        }
    }
    Ok(())
}

fn is_complete(answer: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(false);
    };
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("not answered with 200: {head}"));
    }
    let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
    let line = head
        .lines()
        .find(is_length)
        .ok_or("an answer without Content-Length")?;
    let length = line
        .split(':')
        .nth(1)
        .and_then(|n| n.trim().parse::<usize>().ok());
    Ok(body.len() >= length.ok_or("an odd Content-Length")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_h2load_is_read() {
        let text = "finished in 2.01s, 44925.50 req/s, 5.14MB/s\n\
                    requests: 90001 total, 90001 started, 90000 done, 90000 succeeded, 1 failed\n\
                    status codes: 89999 2xx, 0 3xx, 1 4xx, 0 5xx\n";

        let load = parse_h2load(text, "17\t200\t1500\n18\t200\t500\n19\t200\t2500\n").unwrap();

        assert_eq!((load.requests, load.failures), (89_999, 1));
        assert!((load.p50_ms - 1.5).abs() < 1e-9 && (load.p99_ms - 2.5).abs() < 1e-9);
        assert!((load.seconds - 2.01).abs() < 1e-9);
    }

    #[test]
    fn output_of_wrk_is_read() {
        let text = "  Latency Distribution\n     50%    1.06ms\n     75%    2ms\n     99%  812.00us\n  \
                    149254 requests in 3.01s, 33.3MB read\n  Socket errors: connect 0, read 3, \
                    write 0, timeout 1\n  Non-2xx or 3xx responses: 7\n";

        let load = parse(text).unwrap();

        assert_eq!(load.requests, 149_254);
        assert_eq!(load.failures, 11);
        assert!((load.p50_ms - 1.06).abs() < 1e-9 && (load.p99_ms - 0.812).abs() < 1e-9);
        assert!((load.seconds - 3.01).abs() < 1e-9);
    }
}
