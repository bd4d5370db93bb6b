//! `gatehouse admin backup`, `restore`, `verify`.

use std::path::Path;

use crate::backup::{self, Secret, Summary};
use crate::cli::{AdminPlace, BackupKey};
use crate::commands::database_of;
use crate::failure::Failure;
use crate::{environment, output};

pub(super) fn create(file: &Path, place: &AdminPlace, key: &BackupKey) -> Result<(), Failure> {
    let database = database_of(place.database_url.as_deref())?;
    let parts = backup::create(
        file,
        &environment::data_dir(place.data_dir.as_deref()),
        database.as_ref(),
        &secret(key)?,
    )?;
    report(&parts);
    output::print(&format!(
        "`{}` holds all of this and was read back. Keep what it was sealed with elsewhere: without \
         it the backup is of no use.",
        file.display()
    ));
    Ok(())
}

pub(super) fn restore(file: &Path, place: &AdminPlace, key: &BackupKey) -> Result<(), Failure> {
    let database = database_of(place.database_url.as_deref())?;
    let folder = environment::data_dir(place.data_dir.as_deref());
    let parts = backup::restore(file, &folder, database.as_ref(), &secret(key)?)?;
    report(&parts);
    output::print(&format!("Restored to `{}`.", folder.display()));
    Ok(())
}

pub(super) fn verify(file: &Path, key: &BackupKey) -> Result<(), Failure> {
    report(&backup::verify(file, &secret(key)?)?);
    output::print(&format!("`{}` is whole.", file.display()));
    Ok(())
}

fn secret(key: &BackupKey) -> Result<Secret, Failure> {
    if let Some(path) = &key.key_file {
        return Ok(Secret::from_key_file(path)?);
    }
    if let Some(path) = &key.passphrase_file {
        return Ok(Secret::from_passphrase_file(path)?);
    }
    match environment::variable("GATEHOUSE_BACKUP_PASSPHRASE") {
        Some(text) => Ok(Secret::Passphrase(text)),
        None => Err(Failure::new(
            "a backup is sealed: name --passphrase-file or --key-file, or set \
             GATEHOUSE_BACKUP_PASSPHRASE",
        )),
    }
}

fn report(parts: &[Summary]) {
    for part in parts {
        let unit = if part.is_store { "rows" } else { "bytes" };
        output::print(&format!("{:>12} {unit:<5}  {}", part.size, part.label));
    }
}
