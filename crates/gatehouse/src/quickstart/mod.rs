//! `gatehouse quickstart`: platform, node and sample service on one machine.
//!
//! The platform runs in this process, the node in a child that outlives it: when this process is
//! killed, traffic goes on, and the next start finds the node again. Asked to end (SIGTERM,
//! Ctrl-C), it ends the node too.
//!
//! | file | holds |
//! | --- | --- |
//! | `layout` | where things lie below the data folder |
//! | `facts` | `quickstart.json` |
//! | `ports` | the platform's port, the sample's port |
//! | `prepare` | what the first start makes, in steps that may be repeated |
//! | `sample` | the sample service, made through the API |
//! | `node_conf` | the node's kong.conf |
//! | `process` | the node's process: start, find again, end |
//! | `supervise` | keeping the node alive |
//! | `report` | what a person is told |

mod facts;
mod layout;
mod node_conf;
mod ports;
mod prepare;
mod process;
mod report;
mod sample;
mod start;
mod supervise;

use crate::cli::Quickstart;
use crate::failure::Failure;
use crate::logging;

pub(crate) fn run(arguments: &Quickstart) -> Result<(), Failure> {
    logging::start(arguments.log_level.0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(start::run(arguments));
    runtime.shutdown_background();
    ended
}
