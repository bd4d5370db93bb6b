//! Making a backup while the installation works.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use store::{Location, PostgresConfig, StoreError, dump};

use super::container::{Sink, Writer};
use super::error::BackupError;
use super::key::Secret;
use super::restore::verify;
use super::{Part, Summary};

/// Names of files that mean nothing to another process: locks, logs, what belongs to a database
/// file and is in its copy, what was about to be written.
const PASSED_OVER: [&str; 7] = [".lock", "-wal", "-shm", "-journal", ".tmp", ".pid", ".log"];

/// Folders of which nothing is needed.
const FOLDERS_PASSED_OVER: [&str; 2] = ["logs", "sockets"];

/// Makes the file `target`, checks it, and gives what is in it. Nothing is left when it fails.
pub(crate) fn create(
    target: &Path,
    data_dir: &Path,
    database: Option<&PostgresConfig>,
    secret: &Secret,
) -> Result<Vec<Summary>, BackupError> {
    secret.check_strength()?;
    let sources = sources(data_dir, database)?;
    if target.exists() {
        let error = std::io::Error::other("it exists already and is not overwritten");
        return Err(BackupError::file("write", target)(error));
    }
    let mut partial = target.as_os_str().to_owned();
    partial.push(format!(".{}.tmp", clock::random_alphanumeric(8)));
    let partial = PathBuf::from(partial);
    let written = write(&partial, &sources, secret).and_then(|()| {
        let parts = verify(&partial, secret)?;
        // A link fails where a file appeared meanwhile; a renaming would replace it.
        std::fs::hard_link(&partial, target).map_err(BackupError::file("write", target))?;
        Ok(parts)
    });
    drop(std::fs::remove_file(&partial));
    written
}

fn write(partial: &Path, sources: &[Source], secret: &Secret) -> Result<(), BackupError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(partial);
    let file = file.map_err(BackupError::file("write", partial))?;
    let made_at = clock::rfc3339_millis(clock::unix_millis());
    let failed = || BackupError::file("write", partial);
    let mut writer =
        Writer::begin(BufWriter::new(file), secret, made_at).map_err(|error| failed()(error))?;
    for source in sources {
        let done = writer.part(&source.part, |sink| source.read(sink));
        done.map_err(|fault| match fault {
            Fault::Writing(error) => failed()(error),
            Fault::Reading(error) => error,
        })?;
    }
    let file = writer.end().map_err(|error| failed()(error))?;
    let synced = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all());
    synced.map_err(|error| failed()(error))
}

/// Which side failed.
enum Fault {
    Writing(std::io::Error),
    Reading(BackupError),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Writing(error)
    }
}

/// Where a part comes from.
struct Source {
    part: Part,
    from: Origin,
}

enum Origin {
    File(PathBuf),
    /// A database file that is not a store: a copy of one state of it.
    Database(PathBuf),
    Store(Location),
}

impl Source {
    fn read(&self, sink: &mut dyn Sink) -> Result<u64, Fault> {
        match &self.from {
            Origin::File(path) => copy(path, sink),
            Origin::Database(path) => {
                let mut copied = path.as_os_str().to_owned();
                copied.push(format!(".{}.tmp", clock::random_alphanumeric(8)));
                let copied = PathBuf::from(copied);
                dump::copy_file(path, &copied).map_err(|error| Fault::Reading(error.into()))?;
                let done = copy(&copied, sink);
                drop(std::fs::remove_file(&copied));
                done
            }
            Origin::Store(location) => {
                let mut broken = None;
                let rows = dump::dump(location, &mut |line| {
                    let written = sink
                        .write_all(line.as_bytes())
                        .and_then(|()| sink.write_all(b"\n"));
                    written.map_err(|error| {
                        broken = Some(error);
                        let reason = "the backup cannot be written".to_owned();
                        StoreError::Unavailable { reason }
                    })
                });
                match (broken, rows) {
                    (Some(error), _) => Err(Fault::Writing(error)),
                    (None, rows) => rows.map_err(|error| Fault::Reading(error.into())),
                }
            }
        }
    }
}

fn copy(path: &Path, sink: &mut dyn Sink) -> Result<u64, Fault> {
    let opened = File::open(path).map_err(BackupError::file("read", path));
    let mut file = opened.map_err(Fault::Reading)?;
    Ok(std::io::copy(&mut file, sink)?)
}

/// Everything of an installation, in a fixed order.
fn sources(data_dir: &Path, database: Option<&PostgresConfig>) -> Result<Vec<Source>, BackupError> {
    let mut sources = Vec::new();
    if data_dir.is_dir() {
        walk(data_dir, Path::new(""), &mut sources)?;
    }
    if let Some(config) = database {
        for schema in dump::schemas(config)? {
            let name = schema[config.schema.len() + 1..].to_owned();
            let config = PostgresConfig {
                schema,
                ..config.clone()
            };
            sources.push(Source {
                part: Part::Store { name, path: None },
                from: Origin::Store(config.into()),
            });
        }
    }
    let has_store = |source: &Source| matches!(source.part, Part::Store { .. });
    if !sources.iter().any(has_store) {
        return Err(BackupError::Nothing(data_dir.display().to_string()));
    }
    Ok(sources)
}

fn walk(root: &Path, below: &Path, sources: &mut Vec<Source>) -> Result<(), BackupError> {
    let folder = root.join(below);
    let listed = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = listed.map_err(BackupError::file("read", &folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let relative = below.join(entry.file_name());
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(facts) = std::fs::symlink_metadata(&path) else {
            // It went away meanwhile.
            continue;
        };
        if facts.is_dir() {
            if !FOLDERS_PASSED_OVER.contains(&name.as_str()) {
                walk(root, &relative, sources)?;
            }
        } else if facts.is_file() && !PASSED_OVER.iter().any(|end| name.ends_with(end)) {
            let mode = facts.mode() & 0o7777;
            sources.push(source(path, &relative, mode)?);
        }
    }
    Ok(())
}

fn source(path: PathBuf, relative: &Path, mode: u32) -> Result<Source, BackupError> {
    let text = relative.to_string_lossy().into_owned();
    let file = |from| Source {
        part: Part::File {
            path: text.clone(),
            mode,
        },
        from,
    };
    Ok(match dump::file_kind(&path)? {
        dump::FileKind::Other => file(Origin::File(path)),
        dump::FileKind::Database => file(Origin::Database(path)),
        dump::FileKind::Store => {
            let stem = relative.file_stem().unwrap_or_default().to_string_lossy();
            Source {
                part: Part::Store {
                    name: stem.replace('-', "_"),
                    path: Some(text),
                },
                from: Origin::Store(path.into()),
            }
        }
    })
}
