//! Checking a backup, and making an installation from it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use store::{Location, PostgresConfig, StoreError, dump};

use super::container::Reader;
use super::error::BackupError;
use super::key::Secret;
use super::{Part, Summary};

/// Longest line of a store that is believed.
const LINE_LIMIT: u64 = 512 * 1024 * 1024;

fn open(path: &Path, secret: &Secret) -> Result<Reader<BufReader<File>>, BackupError> {
    let file = File::open(path).map_err(BackupError::file("read", path))?;
    Reader::begin(BufReader::new(file), &path.display().to_string(), secret)
}

/// Reads all of a backup, every checksum and every row, and gives what is in it.
pub(crate) fn verify(path: &Path, secret: &Secret) -> Result<Vec<Summary>, BackupError> {
    let mut reader = open(path, secret)?;
    let mut parts = Vec::new();
    while let Some(part) = reader.next_part()? {
        let size = reader.content(|content| match &part {
            Part::File { .. } => Ok(std::io::copy(content, &mut std::io::sink()).unwrap_or(0)),
            Part::Store { .. } => {
                let mut lines = Lines::of(content);
                let checked = dump::check(&mut || lines.next());
                checked.map_err(|error| BackupError::damaged(&part.label(), error))
            }
        })?;
        parts.push(summary(&part, size));
    }
    Ok(parts)
}

fn summary(part: &Part, size: u64) -> Summary {
    Summary {
        label: part.label(),
        size,
        is_store: matches!(part, Part::Store { .. }),
    }
}

/// Makes the data folder from a backup, and fills the databases: files in the folder, or schemas
/// of `database`. The whole backup is checked before anything is made.
pub(crate) fn restore(
    path: &Path,
    data_dir: &Path,
    database: Option<&PostgresConfig>,
    secret: &Secret,
) -> Result<Vec<Summary>, BackupError> {
    let occupied = || BackupError::Occupied(data_dir.display().to_string());
    match std::fs::read_dir(data_dir) {
        Ok(entries) => {
            if entries.count() > 0 {
                return Err(occupied());
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(BackupError::file("read", data_dir)(error)),
    }
    if let Some(config) = database
        && let Some(schema) = dump::schemas(config)?.first()
    {
        return Err(BackupError::Occupied(format!("the schema {schema}")));
    }
    verify(path, secret)?;
    let parent = data_dir
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent).map_err(BackupError::file("make", parent))?;
    // Made beside it and moved at the end: a folder with half of it must not look whole.
    let mut making = data_dir.as_os_str().to_owned();
    making.push(format!(".{}.tmp", clock::random_alphanumeric(8)));
    let making = PathBuf::from(making);
    let made = fill(path, &making, database, secret).and_then(|parts| {
        std::fs::rename(&making, data_dir).map_err(BackupError::file("make", data_dir))?;
        Ok(parts)
    });
    if made.is_err() {
        drop(std::fs::remove_dir_all(&making));
    }
    made
}

fn fill(
    path: &Path,
    folder: &Path,
    database: Option<&PostgresConfig>,
    secret: &Secret,
) -> Result<Vec<Summary>, BackupError> {
    make_folder(folder)?;
    let mut reader = open(path, secret)?;
    let mut parts = Vec::new();
    while let Some(part) = reader.next_part()? {
        let size = reader.content(|content| match &part {
            Part::File { path, mode } => write_file(&below(folder, path)?, *mode, content),
            Part::Store { name, path } => {
                let location = location(folder, database, (name, path.as_deref()))?;
                let mut lines = Lines::of(content);
                Ok(dump::load(&location, &mut || lines.next())?)
            }
        })?;
        parts.push(summary(&part, size));
    }
    Ok(parts)
}

fn location(
    folder: &Path,
    database: Option<&PostgresConfig>,
    (name, path): (&str, Option<&str>),
) -> Result<Location, BackupError> {
    if let Some(config) = database {
        let config = PostgresConfig {
            schema: format!("{}_{name}", config.schema),
            ..config.clone()
        };
        return Ok(config.into());
    }
    let file = path.map_or_else(|| format!("{}.db", name.replace('_', "-")), str::to_owned);
    let path = below(folder, &file)?;
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    Ok(path.into())
}

/// A path of a backup, kept inside the folder.
fn below(folder: &Path, path: &str) -> Result<PathBuf, BackupError> {
    let relative = Path::new(path);
    let is_inside = relative
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    if path.is_empty() || !is_inside {
        return Err(BackupError::damaged(path, "its path leads elsewhere"));
    }
    Ok(folder.join(relative))
}

fn make_folder(path: &Path) -> Result<(), BackupError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(BackupError::file("make", path))
}

fn write_file(path: &Path, mode: u32, content: &mut dyn Read) -> Result<u64, BackupError> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = opened.map_err(BackupError::file("write", path))?;
    let written = std::io::copy(content, &mut file).and_then(|size| {
        file.sync_all()?;
        Ok(size)
    });
    written.map_err(BackupError::file("write", path))
}

/// Content as lines.
struct Lines<'a> {
    content: BufReader<&'a mut (dyn Read + Send)>,
}

impl<'a> Lines<'a> {
    fn of(content: &'a mut (dyn Read + Send)) -> Self {
        Self {
            content: BufReader::new(content),
        }
    }

    fn next(&mut self) -> Result<Option<String>, StoreError> {
        let mut line = String::new();
        let read = self.content.by_ref().take(LINE_LIMIT).read_line(&mut line);
        match read {
            Ok(0) => Ok(None),
            Ok(_) => {
                line.truncate(line.trim_end_matches('\n').len());
                Ok(Some(line))
            }
            Err(error) => Err(StoreError::Storage {
                action: "read the backup".to_owned(),
                detail: error.to_string(),
            }),
        }
    }
}
