//! `bench [--rounds N] [--seconds N] [--only CASE,…] [--no-counts]`: runs the measurements and
//! writes `benches/results/latest.json` and `latest.md`.
#![expect(clippy::print_stdout, reason = "figures are for the person who asked")]

use std::path::{Path, PathBuf};

use gatehouse_benches::case::Case;
use gatehouse_benches::subject::{Origins, Stage};
use gatehouse_benches::{counts, machine, report, run};
use test_support::{Gatehouse, Quickstart, QuickstartOptions, TempDir, free_port};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let folder = TempDir::new("bench");
    let origins = Origins {
        beside_load: free_port(),
        beside_proxy: free_port(),
    };
    let _backends = [
        Gatehouse::spawn(backend("1", origins.beside_load)?),
        Gatehouse::spawn(backend("0", origins.beside_proxy)?),
    ];
    let quickstart = QuickstartOptions {
        arguments: vec!["--no-sample".to_owned()],
    };
    let platform = Quickstart::start(&quickstart).await;
    let envoy = std::env::var_os("ENVOY_BINARY").filter(|path| !path.is_empty());
    let stage = Stage::new(
        folder.path().to_path_buf(),
        origins,
        platform,
        envoy.map(PathBuf::from),
    )?;

    let mut figures = Vec::new();
    for case in options.cases() {
        println!("measuring {} …", case.name());
        let rounds = run::case(&stage, case, options.rounds, options.seconds).await?;
        let of_case = report::figures(case, &rounds);
        for figure in &of_case {
            println!(
                "  {:10} {:7.2} µs/request  {:5.2} × nginx ({:.2}–{:.2})  {:8.0} requests/s  \
                 p99 {:.2} ms",
                figure.subject.name(),
                figure.cpu_us_per_request,
                figure.cpu_to_nginx,
                figure.spread.0,
                figure.spread.1,
                figure.requests_per_second,
                figure.p99_ms
            );
        }
        figures.extend(of_case);
    }
    let counts = if options.is_counting {
        Some(counts::count(&stage).await?)
    } else {
        None
    };

    let table = report::markdown(&machine::description(), &figures, counts);
    println!("\n{table}");
    let results = Path::new("benches/results");
    std::fs::create_dir_all(results).map_err(|error| error.to_string())?;
    let json = serde_json::to_string_pretty(&report::records(&figures));
    let json = json.map_err(|error| error.to_string())?;
    for (name, text) in [("latest.json", json + "\n"), ("latest.md", table)] {
        std::fs::write(results.join(name), text).map_err(|error| error.to_string())?;
    }
    counts.map_or(Ok(()), |counts| counts.check())
}

fn backend(core: &str, port: u16) -> Result<tokio::process::Command, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = tokio::process::Command::new("taskset");
    command
        .args(["-c", core])
        .arg(this.with_file_name("origin"))
        .arg(port.to_string());
    Ok(command)
}

struct Options {
    rounds: u32,
    seconds: u32,
    only: Option<String>,
    is_counting: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            rounds: 5,
            seconds: 3,
            only: None,
            is_counting: true,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next().and_then(|value| value.parse::<u32>().ok());
                value.ok_or_else(|| format!("`{argument}` needs a number"))
            };
            match argument.as_str() {
                "--rounds" => options.rounds = number()?,
                "--seconds" => options.seconds = number()?,
                "--only" => options.only = arguments.next(),
                "--no-counts" => options.is_counting = false,
                _ => return Err(format!("unknown argument `{argument}`")),
            }
        }
        Ok(options)
    }

    fn cases(&self) -> Vec<Case> {
        let is_wanted = |case: &Case| {
            let only = self.only.as_deref();
            only.is_none_or(|only| only.split(',').any(|name| name == case.name()))
        };
        Case::ALL.into_iter().filter(is_wanted).collect()
    }
}
