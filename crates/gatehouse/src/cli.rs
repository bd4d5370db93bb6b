//! What may be typed. Help texts are the manual; keep them short and true.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A self-hosted API gateway platform: nodes that carry traffic, and the platform that
/// configures them.
#[derive(Debug, Parser)]
#[command(
    name = "gatehouse",
    version,
    propagate_version = true,
    subcommand_required = true
)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run platform, node and a sample service on this machine
    #[cfg(feature = "platform-side")]
    Quickstart(Quickstart),
    /// Run the platform: configuration, API and the nodes' control plane
    #[cfg(feature = "platform-side")]
    Platform(Platform),
    /// Run a node, set up by kong.conf and KONG_* variables
    ///
    /// A node gets its configuration from a control plane (`role = data_plane`), from a database that
    /// is changed through its Admin API (`database = sqlite`, below `prefix`, or `postgres`), or from
    /// a declarative file or `POST /config` (`database = off`). Unset, `database` is `postgres` when
    /// any `pg_*` is set and `sqlite` otherwise.
    ///
    /// The Admin API (`admin_listen`) asks for no credentials and listens on loopback by default.
    Node(Node),
    /// Check the settings of a node and say everything that is wrong
    Check(Check),
    /// Work with declarative configuration files
    #[command(subcommand)]
    Config(Config),
    /// Say which route of a declarative file takes a request, and why the others do not
    Explain(Explain),
    /// Helpers for nodes and control planes
    #[command(subcommand)]
    Hybrid(Hybrid),
    /// Read what references to vaults stand for
    #[command(subcommand)]
    Vault(Vault),
    /// Print the lines that /etc/hosts needs for the platform's names
    Hosts(Hosts),
    /// Repair access to a platform, back it up and restore it, on its data folder
    #[cfg(feature = "platform-side")]
    #[command(subcommand)]
    Admin(Admin),
    /// Print the version
    Version,
}

#[cfg(feature = "platform-side")]
#[derive(Args, Debug)]
pub(crate) struct Quickstart {
    /// Folder for everything that is kept [default: gatehouse in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Domain below which the platform's names lie; its first label should be konghq
    #[arg(long, value_name = "DOMAIN", default_value = "konghq.localhost")]
    pub(crate) base_domain: String,
    /// Address that the platform listens on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) platform_address: IpAddr,
    /// Port of the platform [default: 443, or 9443 where 443 may not be used]
    #[arg(long, value_name = "PORT")]
    pub(crate) platform_port: Option<u16>,
    /// Port of the node for HTTP
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    pub(crate) proxy_port: u16,
    /// Port of the node for HTTPS
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub(crate) proxy_tls_port: u16,
    /// Port of the node's status API, on loopback
    #[arg(long, value_name = "PORT", default_value_t = 8007)]
    pub(crate) status_port: u16,
    /// Port for audit logs, once something listens there
    #[arg(long, value_name = "PORT", default_value_t = 8071)]
    pub(crate) audit_port: u16,
    /// Make no sample service
    #[arg(long)]
    pub(crate) no_sample: bool,
    /// Add the platform's names to /etc/hosts (needs the right to write there)
    #[arg(long)]
    pub(crate) write_hosts: bool,
    /// How much to log: debug, info, notice, warn, error
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub(crate) log_level: LogLevelArgument,
}

#[cfg(feature = "platform-side")]
#[derive(Args, Debug)]
pub(crate) struct Platform {
    /// Folder for everything that is kept [default: gatehouse in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// PostgreSQL instead of database files, such as `postgresql://user@host/database`; a password
    /// is better given by the variable GATEHOUSE_DATABASE_URL
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Domain below which the platform's names lie; its first label should be konghq
    #[arg(long, value_name = "DOMAIN", default_value = "konghq.localhost")]
    pub(crate) base_domain: String,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:443")]
    pub(crate) listen: std::net::SocketAddr,
    /// Port that clients use, when something in between maps another one
    #[arg(long, value_name = "PORT")]
    pub(crate) public_port: Option<u16>,
    /// A geo to serve, the default one first; may be given several times
    #[arg(long = "geo", value_name = "GEO", default_values = ["us", "au", "eu", "in", "me"])]
    pub(crate) geos: Vec<String>,
    /// Name of the organisation that the first start makes
    #[arg(long, value_name = "NAME", default_value = "My organisation")]
    pub(crate) organisation: String,
    /// Address of the administrator that the first start makes
    #[arg(
        long,
        value_name = "EMAIL",
        default_value = "admin@gatehouse.localhost"
    )]
    pub(crate) admin_email: String,
    /// How much to log: debug, info, notice, warn, error
    #[arg(long, value_name = "LEVEL", default_value = "notice")]
    pub(crate) log_level: LogLevelArgument,
}

#[derive(Args, Debug)]
pub(crate) struct Node {
    /// Settings [default: /etc/kong/kong.conf or /etc/kong.conf, where one exists]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    /// Serve the sample backend on this loopback port; used by quickstart
    #[arg(long, value_name = "PORT", hide = true)]
    pub(crate) echo_port: Option<u16>,
    /// Marks the process as the one of a quickstart
    #[arg(long, value_name = "ID", hide = true)]
    pub(crate) instance: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Settings [default: /etc/kong/kong.conf or /etc/kong.conf, where one exists]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    /// Refuse unknown keys in the file instead of warning
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Declarative file, YAML or JSON; left out with `--node`
    #[arg(required_unless_present = "node")]
    pub(crate) file: Option<String>,
    /// Target of the request, with a query or without [default: /]
    pub(crate) path: Option<String>,
    /// Ask a running node on this machine: the address of its status API, such as
    /// `http://127.0.0.1:8007`
    #[arg(long, value_name = "URL", conflicts_with = "flavor")]
    pub(crate) node: Option<String>,
    /// Method
    #[arg(short, long, default_value = "GET")]
    pub(crate) method: String,
    /// `Host` header, with a port or without
    #[arg(long, default_value = "localhost")]
    pub(crate) host: String,
    /// Another header, `Name: value`; may be given several times
    #[arg(short = 'H', long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,
    /// Server name of the TLS handshake; means `--tls`
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// The request comes over TLS
    #[arg(long)]
    pub(crate) tls: bool,
    /// Address of the client, with a port or without
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) source: String,
    /// Address of the listener
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub(crate) destination: String,
    /// Order of routes, as in `router_flavor`
    #[arg(long, value_enum, default_value_t = RouterFlavor::TraditionalCompatible)]
    pub(crate) flavor: RouterFlavor,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The setting `router_flavor`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum RouterFlavor {
    /// Categories of conditions, then age.
    Traditional,
    /// A computed priority.
    TraditionalCompatible,
    /// Expressions first.
    Expressions,
}

impl RouterFlavor {
    pub(crate) const fn setting(self) -> conf::RouterFlavor {
        match self {
            Self::Traditional => conf::RouterFlavor::Traditional,
            Self::TraditionalCompatible => conf::RouterFlavor::TraditionalCompatible,
            Self::Expressions => conf::RouterFlavor::Expressions,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a declarative file and say everything that is wrong, without changing anything
    Parse {
        /// The file, YAML or JSON
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Replace the configuration of a control plane by a declarative file
    #[command(name = "db_import", alias = "db-import")]
    Import(Import),
    /// Write the configuration of a control plane as a declarative file
    #[command(name = "db_export", alias = "db-export")]
    Export(Export),
    /// List the revisions of a control plane, newest first
    History(History),
    /// Tell what a revision of a control plane changed
    Diff(Diff),
    /// Make the configuration of a control plane what it was at a revision
    Rollback(Rollback),
    /// Write a small example to start from
    Init {
        /// The file to make
        #[arg(value_name = "FILE", default_value = "kong.yml")]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The file, YAML or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Name or id of the control plane [default: the one that decK's `_konnect` in the file names, or default]
    #[arg(long, value_name = "NAME")]
    pub(crate) control_plane: Option<String>,
    /// Tell what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do exactly what this plan of a dry run said, or nothing
    #[arg(long, value_name = "PLAN", conflicts_with = "dry_run")]
    pub(crate) plan: Option<String>,
    /// Change only entities with this tag, and give it to those of the file; several times: all of them
    #[arg(long, value_name = "TAG")]
    pub(crate) select_tag: Vec<String>,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The file to make, JSON if it is called so [default: standard output]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Name or id of the control plane
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) control_plane: String,
    /// Only entities with this tag; several times: with all of them
    #[arg(long, value_name = "TAG")]
    pub(crate) select_tag: Vec<String>,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// Name or id of the control plane
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) control_plane: String,
    /// How many revisions
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) size: u32,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// Number of the revision
    #[arg(value_name = "REVISION")]
    pub(crate) number: u64,
    /// The revision to compare with [default: the one before]
    #[arg(long, value_name = "REVISION")]
    pub(crate) against: Option<u64>,
    /// Name or id of the control plane
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) control_plane: String,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// Number of the revision
    #[arg(value_name = "REVISION")]
    pub(crate) number: u64,
    /// Name or id of the control plane
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) control_plane: String,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// How to reach a platform's API.
#[derive(Args, Debug)]
pub(crate) struct Access {
    /// Work on the database of a traditional node with these settings instead of a platform; a node on a database file has to be stopped
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["address", "token", "ca_cert", "data_dir"])]
    pub(crate) conf: Option<PathBuf>,
    /// URL of the geo's API, such as `https://us.api.konghq.example.org` [default: of the quickstart]
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
    /// Access token; better given as variable GATEHOUSE_TOKEN [default: of the quickstart]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Authority that vouches for the platform, PEM [default: of the quickstart, or the system's]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Folder of the quickstart [default: gatehouse in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Print what a reference stands for in a node with these settings
    ///
    /// Only the vault `env` can be read without a configuration.
    Get {
        /// The reference, such as `{vault://env/name-of-variable}` or `env/name-of-variable`
        #[arg(value_name = "REFERENCE")]
        reference: String,
        /// Settings [default: /etc/kong/kong.conf or /etc/kong.conf, where one exists]
        #[arg(short, long, value_name = "FILE")]
        conf: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hybrid {
    /// Make the certificate that the nodes and the control plane of a cluster share
    #[command(name = "gen_cert", alias = "gen-cert")]
    GenCert {
        /// The certificate to make
        #[arg(value_name = "CERT", default_value = "cluster.crt")]
        cert: PathBuf,
        /// Its key to make
        #[arg(value_name = "KEY", default_value = "cluster.key")]
        key: PathBuf,
        /// Days that it is valid
        #[arg(short, long, value_name = "DAYS", default_value_t = 1095)]
        days: u32,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Hosts {
    /// Domain below which the platform's names lie [default: of the quickstart]
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) base_domain: Option<String>,
    /// Folder of the quickstart [default: gatehouse in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of the platform
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) address: IpAddr,
}

#[cfg(feature = "platform-side")]
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Give a user a new password, printed once
    ResetPassword(AdminUser),
    /// Make an access token for a user, printed once
    CreateToken {
        #[command(flatten)]
        user: AdminUser,
        /// Name of the token
        #[arg(long, value_name = "NAME", default_value = "command line")]
        name: String,
        /// Days that it works, 1 to 365
        #[arg(long, value_name = "DAYS", default_value_t = 365)]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=365))]
        days: u64,
    },
    /// Write everything of an installation into one sealed file, while it works
    ///
    /// Databases, keys, certificates and credentials of the data folder, and of PostgreSQL where the
    /// platform uses it. Each store is read in one state. The file is read back and checked before
    /// it gets its name.
    Backup {
        /// The file to make; an existing one is not overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: AdminPlace,
        #[command(flatten)]
        key: BackupKey,
    },
    /// Make an installation from a backup, in an empty place
    ///
    /// The whole backup is checked first. With --database-url the stores go to PostgreSQL,
    /// otherwise into files, wherever they were when the backup was made.
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: AdminPlace,
        #[command(flatten)]
        key: BackupKey,
    },
    /// Read a backup wholly and say what is in it, or which part is damaged
    Verify {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        key: BackupKey,
    },
}

/// What a backup is sealed with.
#[cfg(feature = "platform-side")]
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct BackupKey {
    /// File whose first line is the passphrase [default: variable GATEHOUSE_BACKUP_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// File with 32 random bytes (`openssl rand -out backup.key 32`); keep it elsewhere
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// Where an installation is.
#[cfg(feature = "platform-side")]
#[derive(Args, Debug)]
pub(crate) struct AdminPlace {
    /// The folder of everything [default: gatehouse in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The platform's PostgreSQL, when it uses one [default: variable GATEHOUSE_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
}

#[cfg(feature = "platform-side")]
#[derive(Args, Debug)]
pub(crate) struct AdminUser {
    /// E-mail address of the user
    #[arg(value_name = "EMAIL")]
    pub(crate) email: String,
    #[command(flatten)]
    pub(crate) place: AdminPlace,
}

/// A level of the log as an argument.
#[cfg(feature = "platform-side")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLevelArgument(pub(crate) conf::LogLevel);

#[cfg(feature = "platform-side")]
impl std::str::FromStr for LogLevelArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use conf::LogLevel as L;
        let levels = [L::Debug, L::Info, L::Notice, L::Warn, L::Error];
        let found = levels.into_iter().find(|level| level.as_str() == text);
        found
            .map(Self)
            .ok_or_else(|| "possible are debug, info, notice, warn, error".to_owned())
    }
}
