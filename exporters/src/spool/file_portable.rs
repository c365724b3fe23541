//! One spool file where there is no `flock` and no write bit: a file in append mode that one process writes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::descriptor::Descriptor;

#[derive(Clone, Copy, Debug)]
pub(super) struct Access;

impl Access {
    pub(super) fn of_folder(_folder: &Metadata) -> Self {
        Self
    }
}

#[derive(Debug)]
#[allow(dead_code, reason = "the protocol's cases; without locks some do not occur")]
pub(super) enum Entry {
    Locked { size: u64 },
    Closed,
    Busy,
    NotOurs,
}

#[derive(Debug)]
pub(super) struct SpoolFile {
    path: PathBuf,
    file: File,
}

impl SpoolFile {
    pub(super) fn open(path: &Path, full: u64, _descriptor: &Arc<Descriptor>) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().append(true).open(path)?;
        let metadata = file.metadata()?;
        let open = metadata.is_file() && !metadata.permissions().readonly() && metadata.len() <= full;
        Ok(open.then(|| Self {
            path: path.to_owned(),
            file,
        }))
    }

    pub(super) fn create(path: &Path, _access: &Access, _descriptor: &Arc<Descriptor>) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: create(path)?,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn enter(&self, _deadline: Instant) -> io::Result<Entry> {
        let metadata = self.file.metadata()?;
        if metadata.permissions().readonly() || !self.path.exists() {
            return Ok(Entry::Closed);
        }
        Ok(Entry::Locked { size: metadata.len() })
    }

    #[allow(clippy::unused_self, reason = "nothing was locked")]
    pub(super) fn leave(&self) {}

    pub(super) fn write(&self, batch: &[u8]) -> io::Result<usize> {
        (&self.file).write(batch)
    }

    pub(super) fn close_to_writers(&self) {
        if let Ok(metadata) = self.file.metadata() {
            let mut permissions = metadata.permissions();
            permissions.set_readonly(true);
            let _ = self.file.set_permissions(permissions);
        }
    }

    pub(super) fn abandon(self) {}
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

pub(super) fn create_empty(path: &Path, _access: &Access) -> io::Result<()> {
    create(path).map(drop)
}

/// There is no number to tell folders apart by: one at the path is the one.
pub(super) fn id(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

pub(super) fn new_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}
