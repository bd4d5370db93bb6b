//! A real PostgreSQL server from the system's packages.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use crate::{Identity, TempDir, free_port};

/// Waits until a server answers, for 30 seconds at most.
const WAIT: &str = r#"
tries=0
until "$0" -q -h 127.0.0.1 -p "$1"; do
  tries=$((tries + 1)); [ "$tries" -lt 1500 ] || exit 1
  sleep 0.02
done
"#;

/// The superuser of every server; it needs no password on the loopback address.
const USER: &str = "gatehouse";

/// Ends the server with the process that started it: the pipe on standard input closes then, and a
/// folder that is named goes too.
const SUPERVISOR: &str = r#"
folder=$1; shift
"$@" <&- & server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null; wait $server
[ -z "$folder" ] || rm -rf "$folder"
"#;

/// What a server should be like.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// Whether commits reach the disk; tests of durability need it, others are faster without.
    pub is_durable: bool,
    /// Certificate and key with which it offers TLS.
    pub tls: Option<Identity>,
    /// Connections it takes at one time; 0 means 200.
    pub connections: usize,
    /// Password of the user `guarded`, who is the only one that needs one.
    pub password: Option<String>,
}

/// A server on a loopback port. It ends when it is dropped, and at the latest with the process.
#[derive(Debug)]
pub struct Postgres {
    options: PostgresOptions,
    folder: TempDir,
    port: u16,
    running: Option<(Child, ChildStdin)>,
}

impl Postgres {
    /// The server that all tests of a process share. Started by whoever needs it first.
    ///
    /// # Panics
    ///
    /// Panics when PostgreSQL is not installed or does not come up.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let mut server = Self::prepare(&PostgresOptions::default());
            // Nothing drops a static; the supervisor removes the folder.
            server.launch(true);
            server
        })
    }

    /// Starts a server of one's own.
    ///
    /// # Panics
    ///
    /// Panics when PostgreSQL is not installed or does not come up.
    #[must_use]
    pub fn start(options: &PostgresOptions) -> Self {
        let mut server = Self::prepare(options);
        server.launch(false);
        server
    }

    fn prepare(options: &PostgresOptions) -> Self {
        let folder = TempDir::new("postgres");
        if is_root() {
            run(Command::new("chown").arg(USER_OF_SERVER).arg(folder.path()));
        }
        let server = Self {
            options: options.clone(),
            port: free_port(),
            running: None,
            folder,
        };
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--username", USER, "--pgdata"])
            .arg(&data);
        run(&mut initdb);
        if let Some(identity) = &options.tls {
            let (cert, key) = (data.join("server.crt"), data.join("server.key"));
            write_private(&cert, &identity.certificate);
            write_private(&key, &identity.key);
        }
        if options.password.is_some() {
            let rules = "local all all trust\nhost all guarded all scram-sha-256\n\
                         host all all all trust\n";
            std::fs::write(data.join("pg_hba.conf"), rules).expect("the access rules");
        }
        server
    }

    /// Starts the server again after [`stop`](Self::stop) or [`kill`](Self::kill).
    ///
    /// # Panics
    ///
    /// Panics when it does not come up.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        self.launch(false);
    }

    fn launch(&mut self, is_for_process: bool) {
        let mut server = self.command("postgres");
        let folder = self.folder.path().display();
        let durable = if self.options.is_durable { "on" } else { "off" };
        let connections = match self.options.connections {
            0 => 200,
            number => number,
        };
        server.arg("-D").arg(self.data());
        let tls = if self.options.tls.is_some() {
            "on"
        } else {
            "off"
        };
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={folder}"),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            format!("max_connections={connections}"),
            format!("ssl={tls}"),
            "shared_buffers=64MB".to_owned(),
            "logging_collector=off".to_owned(),
        ] {
            server.arg("-c").arg(setting);
        }
        let log = std::fs::File::create(self.folder.join("log")).expect("the log file");
        let mut supervisor = Command::new("sh");
        supervisor.args(["-c", SUPERVISOR, "supervisor"]);
        supervisor.arg(if is_for_process {
            self.folder.path().as_os_str()
        } else {
            "".as_ref()
        });
        supervisor.arg(server.get_program()).args(server.get_args());
        supervisor
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log file"))
            .stderr(log);
        let mut child = supervisor.spawn().expect("sh can be started");
        let stdin = child.stdin.take().expect("a pipe");
        self.running = Some((child, stdin));
        self.wait_until_ready();
        if let Some(password) = &self.options.password {
            let sql = format!(
                "DO $$ BEGIN CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{password}';
                 EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            );
            self.sql(&sql);
        }
    }

    fn wait_until_ready(&self) {
        let mut ask = Command::new("sh");
        ask.args(["-c", WAIT])
            .arg(programs().join("pg_isready"))
            .arg(self.port.to_string());
        let is_ready = ask.status().is_ok_and(|status| status.success());
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(is_ready, "PostgreSQL is not ready:\n{log}");
    }

    /// The port on the loopback address.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// The superuser, who needs no password.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        USER
    }

    /// A database that is always there.
    #[must_use]
    pub const fn database(&self) -> &'static str {
        "postgres"
    }

    /// The address in the usual form, for a schema.
    #[must_use]
    pub fn url(&self, schema: &str) -> String {
        let port = self.port;
        format!("postgresql://{USER}@127.0.0.1:{port}/postgres?schema={schema}")
    }

    /// A name for a schema that nobody else uses.
    #[must_use]
    pub fn fresh_schema(&self) -> String {
        format!("s{}", uuid::Uuid::new_v4().simple())
    }

    /// Runs statements and gives what they print, columns by `|`.
    ///
    /// # Panics
    ///
    /// Panics when they fail.
    pub fn sql(&self, statements: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .args(["-U", USER, "-d", "postgres", "-c", statements]);
        run(&mut psql)
    }

    /// Ends the server at once, as a crash would; its clients are cut off.
    ///
    /// # Panics
    ///
    /// Panics when it does not end.
    pub fn stop(&mut self) {
        let (mut child, stdin) = self.running.take().expect("the server runs");
        drop(stdin);
        child.wait().expect("the supervisor ends");
    }

    /// Kills the server without any warning.
    ///
    /// # Panics
    ///
    /// Panics when it does not end.
    pub fn kill(&mut self) {
        for process in self.processes() {
            signal("KILL", process);
        }
        self.stop();
    }

    /// Stops all of its processes where they are; connections stay open and nothing answers.
    pub fn freeze(&self) {
        for process in self.processes() {
            signal("STOP", process);
        }
    }

    /// Lets its processes go on.
    pub fn thaw(&self) {
        for process in self.processes() {
            signal("CONT", process);
        }
    }

    /// The server's process and those it started.
    fn processes(&self) -> Vec<u32> {
        let file = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let Some(first) = text.lines().next().and_then(|line| line.parse().ok()) else {
            return Vec::new();
        };
        let mut all = vec![first];
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &format!("{first}")])
            .output()
            .expect("ps runs");
        let text = String::from_utf8_lossy(&children.stdout).into_owned();
        all.extend(
            text.split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
        all
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of the package; one that would refuse to run as root runs as the package's user.
    fn command(&self, program: &str) -> Command {
        let path = programs().join(program);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", USER_OF_SERVER, "--regid", USER_OF_SERVER])
            .arg("--init-groups")
            .arg(path)
            .current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A frozen server would not hear that it is over.
        if self.running.is_some() {
            self.thaw();
        }
        if let Some((mut child, stdin)) = self.running.take() {
            drop(stdin);
            drop(child.wait());
        }
    }
}

/// The user that the package makes for the server.
const USER_OF_SERVER: &str = "postgres";

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| run(Command::new("id").arg("-u")).trim() == "0")
}

/// Where the newest installed version has its programs.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql");
        let newest = versions
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let folder = entry.path().join("bin");
                folder.join("initdb").exists().then_some((version, folder))
            })
            .max();
        let (_, folder) = newest.expect("PostgreSQL; scripts/install-test-packages.sh installs it");
        folder
    })
}

fn signal(name: &str, process: u32) {
    let mut kill = Command::new("kill");
    // One that has just ended is no failure.
    drop(kill.args(["-s", name, &process.to_string()]).output());
}

fn write_private(path: &Path, text: &str) {
    let mut file = std::fs::File::create(path).expect("a file of the server");
    file.write_all(text.as_bytes())
        .expect("a file of the server");
    run(Command::new("chmod").arg("600").arg(path));
    if is_root() {
        run(Command::new("chown").arg(USER_OF_SERVER).arg(path));
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
