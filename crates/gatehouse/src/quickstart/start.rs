//! The order of a start, and of the end.

use std::time::Duration;

use platform::{Platform, PlatformOptions};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::facts::Facts;
use super::layout::Layout;
use super::prepare::{GEOS, prepare};
use super::process::{Plan, Process, instance};
use super::report::{Secrets, ready, step};
use super::sample::Sample;
use super::{node_conf, ports, process, sample, supervise};
use crate::cli::Quickstart;
use crate::client::Client;
use crate::failure::Failure;
use crate::signals::End;
use crate::{files, output};

/// How long the node may take to end before it is killed. Everything must end within 5 s.
const NODE_END: Duration = Duration::from_millis(4000);
/// How long a node that is replaced may take to let requests finish.
const NODE_REPLACE: Duration = Duration::from_secs(10);
/// How long requests of the platform may go on after the end was asked for.
const PLATFORM_END: Duration = Duration::from_millis(3500);
/// How long the first answer through the node is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long one of these questions may take.
const ONE_ANSWER: Duration = Duration::from_secs(1);
/// How often it is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(20);

pub(super) async fn run(arguments: &Quickstart) -> Result<(), Failure> {
    let mut end = End::listen()?;
    let layout = Layout::open(arguments)?;
    let _lock = lock(&layout)?;
    let mut facts = Facts::load(&layout)?;
    let is_first = facts.token.is_none();
    let port = ports::platform(arguments, &facts).await;
    step(if is_first {
        "making a new installation"
    } else {
        "opening the installation"
    });
    let platform = open(arguments, &layout, port).await?;
    let are_new = prepare(&platform, arguments, &layout, &mut facts).await?;
    let (stop, stopped) = watch::channel(false);
    let serving = serve(platform, stopped);
    let started = start_node(arguments, &layout, &facts).await;
    let mut node = match started {
        Ok(node) => node,
        Err(failure) => {
            stop.send_replace(true);
            drop(serving.await);
            return Err(failure);
        }
    };
    if arguments.write_hosts {
        let base = arguments.base_domain.as_str();
        let written = serde_json::to_value(&facts)?;
        let address = arguments.platform_address;
        if let Err(failure) = crate::commands::write_hosts(address, base, &written) {
            output::tell(&failure.to_string());
        }
    }
    let first = tokio::select! {
        first = first_answer(arguments, &mut node) => first.map(|()| true),
        () = end.requested() => Ok(false),
    };
    let is_up = match first {
        Ok(is_up) => is_up,
        Err(failure) => {
            stop.send_replace(true);
            drop(serving.await);
            return Err(failure);
        }
    };
    if is_up {
        let secrets = if are_new || !layout.secrets_shown().exists() {
            Secrets::Shown
        } else {
            Secrets::Hidden
        };
        ready(&facts, &layout, secrets, node.sample);
        files::replace(&layout.secrets_shown(), files::PUBLIC, "")?;
    }
    let requested = async {
        if is_up {
            end.requested().await;
        }
    };
    until_end(node, serving, &stop, requested).await
}

/// The node with what it was started with.
struct RunningNode {
    process: Process,
    plan: Plan,
    sample: Sample,
}

/// One quickstart per data folder.
fn lock(layout: &Layout) -> Result<std::fs::File, Failure> {
    let path = layout.lock();
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        let root = layout.root().display();
        Failure::new(format!(
            "another quickstart uses `{root}`; end it, or name another folder with --data-dir"
        ))
    })?;
    Ok(file)
}

async fn open(arguments: &Quickstart, layout: &Layout, port: u16) -> Result<Platform, Failure> {
    let mut options = PlatformOptions::new(layout.platform());
    options.base_domain.clone_from(&arguments.base_domain);
    options.listen = std::net::SocketAddr::new(arguments.platform_address, port);
    options.geos = GEOS.map(str::to_owned).to_vec();
    options.limits.shutdown = PLATFORM_END;
    Ok(Platform::open(options).await?)
}

fn serve(
    platform: Platform,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<Result<(), platform::PlatformError>> {
    tokio::spawn(platform.serve(async move {
        // A sender that went away means the same.
        drop(stopped.wait_for(|is_stopped| *is_stopped).await);
    }))
}

/// Starts the node, or takes up the one that runs; makes the sample beside.
async fn start_node(
    arguments: &Quickstart,
    layout: &Layout,
    facts: &Facts,
) -> Result<RunningNode, Failure> {
    let echo_port = if arguments.no_sample {
        None
    } else {
        Some(ports::echo(layout).await?)
    };
    let has_sample = layout.sample_made().exists();
    let plan = Plan {
        layout: layout.clone(),
        conf: node_conf::render(arguments, layout, facts)?,
        echo_port,
        instance: instance(layout)?,
    };
    let mut process = match Process::find(layout, &plan.instance) {
        Some(running) if running.is_as_planned(&plan) => {
            step(&format!(
                "taking up the node that runs (process {})",
                running.id()
            ));
            running
        }
        Some(mut other) => {
            step("replacing the node that runs, because its settings changed");
            other.end(NODE_REPLACE).await;
            Process::start(&plan)?
        }
        None => {
            step("starting the node");
            Process::start(&plan)?
        }
    };
    let sample = match echo_port {
        None => Sample::Absent,
        Some(_) if has_sample => sample::find(facts).await,
        Some(port) => {
            step("making the sample service");
            if let Err(failure) = sample::make(facts, port).await {
                process.end(NODE_END).await;
                return Err(failure);
            }
            files::replace(&layout.sample_made(), files::PUBLIC, "")?;
            Sample::New
        }
    };
    Ok(RunningNode {
        process,
        plan,
        sample,
    })
}

/// Waits for the first answer through the node that shows that it has its configuration.
async fn first_answer(arguments: &Quickstart, node: &mut RunningNode) -> Result<(), Failure> {
    step("waiting for the node");
    let proxy = Client::loopback(arguments.proxy_port);
    let deadline = Instant::now() + FIRST_ANSWER;
    while Instant::now() < deadline {
        if !node.process.is_running() {
            return Err(process::ended_at_once(&node.plan.layout));
        }
        // Somebody else may listen there and never answer.
        let answer = tokio::time::timeout(ONE_ANSWER, proxy.get("/echo/hello")).await;
        if let Ok(Ok(answer)) = answer {
            let is_enough = match node.sample {
                Sample::New => answer.status == 200,
                // Whatever its user made of it, it has a route.
                Sample::Kept => answer.status != 404,
                Sample::Absent => true,
            };
            if is_enough {
                return Ok(());
            }
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    output::tell(&format!(
        "warning: the node does not answer on port {} as expected yet; see {}",
        arguments.proxy_port,
        node.plan.layout.node_log().display()
    ));
    Ok(())
}

/// Runs until somebody asks for the end, or the platform fails; then ends platform and node.
async fn until_end(
    node: RunningNode,
    mut serving: JoinHandle<Result<(), platform::PlatformError>>,
    stop: &watch::Sender<bool>,
    requested: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let RunningNode { process, plan, .. } = node;
    let mut failed = None;
    let end = async {
        tokio::select! {
            () = requested => {}
            ended = &mut serving => failed = Some(ended),
        }
    };
    let mut process = supervise::supervise(process, &plan, end).await;
    if let Some(ended) = failed {
        // The node goes on: a fault of the platform must not end traffic.
        return match ended {
            Ok(Ok(())) => Err(Failure::new("the platform ended by itself")),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => Err(panic.into()),
        };
    }
    output::tell("ending platform and node …");
    stop.send_replace(true);
    let (ended, ()) = tokio::join!(
        tokio::time::timeout(NODE_END, serving),
        process.end(NODE_END)
    );
    drop(std::fs::remove_file(plan.layout.node_pid()));
    match ended {
        Ok(Ok(Err(error))) => Err(error.into()),
        Ok(Err(panic)) => Err(panic.into()),
        Ok(Ok(Ok(()))) | Err(_) => Ok(()),
    }
}
