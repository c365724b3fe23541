//! The spool: the files beside the ledger that every process of the machine appends to. The protocol and its reasons are
//! in the design's `ledger.md`; readers fold these files into the database.

mod descriptor;
#[cfg(unix)]
mod file;
#[cfg(not(unix))]
#[path = "spool/file_portable.rs"]
mod file;
mod folder;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use descriptor::Descriptor;
use file::{Entry, SpoolFile};
use folder::Folder;

use crate::error::{Error, Result};

/// Stands in the files' names: a reader leaves files alone that are newer than itself.
pub const SCHEMA: u32 = 2;

/// A file above this is closed to writers, so that folding it is one moderate transaction.
const FULL: u64 = 64 << 20;
/// So long a batch waits for a lock that a stopped process may hold for ever.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);
/// How often the folder is looked for at its path.
const FOLDER_CHECK: Duration = Duration::from_secs(1);
/// Files closed or taken away under our hands in one append before we give up for the moment.
const FILES_TRIED: usize = 16;
/// A file that refuses to grow is given up for a new one from this size on; below it a new one would fare no better.
const WORTH_LEAVING: u64 = 1 << 20;

/// The folder of a ledger's spool: beside the file, its extension replaced by `spool`.
#[must_use]
pub fn spool_folder(ledger: &Path) -> PathBuf {
    ledger.with_extension("spool")
}

/// One process's way into the spool. Used by one thread at a time.
#[derive(Debug)]
pub struct Spool {
    folder: Folder,
    file: Option<SpoolFile>,
    descriptor: Arc<Descriptor>,
    folder_checked: Instant,
}

impl Spool {
    /// The spool of the ledger at `ledger`. Touches nothing on the disk before the first `append`.
    #[must_use]
    pub fn open(ledger: &Path) -> Self {
        Self::with_descriptor(ledger, Arc::default())
    }

    /// `descriptor` names the open file to whoever must close it in a forked child.
    pub(crate) fn with_descriptor(ledger: &Path, descriptor: Arc<Descriptor>) -> Self {
        Self {
            folder: Folder::new(spool_folder(ledger)),
            file: None,
            descriptor,
            folder_checked: Instant::now(),
        }
    }

    /// The file that the last append went to.
    #[must_use]
    pub fn current_file(&self) -> Option<&Path> {
        self.file.as_ref().map(SpoolFile::path)
    }

    /// Writes `batch`, which begins with a newline and ends with one, in one `write`. Returns how many bytes of it are in
    /// the spool; fewer than all when the disk is full, and then the incomplete line has to be sent again.
    ///
    /// # Errors
    /// `Busy` if no lock was to be had for 100 ms and no new file could be made; otherwise what the system said.
    pub fn append(&mut self, batch: &[u8]) -> Result<usize> {
        self.look_for_the_folder();
        let deadline = Instant::now() + LOCK_PATIENCE;
        let mut shunned: Vec<PathBuf> = Vec::new();
        for _ in 0..FILES_TRIED {
            let file = match self.file.take() {
                Some(file) => file,
                None => self.newest_open_file_or_new(&shunned)?,
            };
            match file.enter(deadline).map_err(|source| write_error(&file, source))? {
                Entry::Locked { size } => {
                    let outcome = if size > FULL { None } else { Some(file.write(batch)) };
                    let full = match &outcome {
                        None => true,
                        Some(Err(error)) => error.kind() == io::ErrorKind::FileTooLarge && size >= WORTH_LEAVING,
                        Some(Ok(_)) => false,
                    };
                    if full {
                        file.close_to_writers();
                    }
                    file.leave();
                    match outcome {
                        Some(outcome) if !full => {
                            let outcome = outcome.map_err(|source| write_error(&file, source));
                            self.file = Some(file);
                            return outcome;
                        }
                        // Closing it may have been refused: the file is somebody else's.
                        _ => shunned.push(file.path().to_owned()),
                    }
                }
                Entry::Busy => shunned.push(file.path().to_owned()),
                Entry::Closed => {}
                Entry::NotOurs => file.abandon(),
            }
        }
        Err(Error::Busy {
            path: self.folder.path().to_owned(),
        })
    }

    /// Lets go of the file if the folder is no longer at its path: what is written to a moved folder, no reader finds.
    fn look_for_the_folder(&mut self) {
        if self.file.is_some() && self.folder_checked.elapsed() >= FOLDER_CHECK {
            self.folder_checked = Instant::now();
            if self.folder.is_gone() {
                self.file = None;
            }
        }
    }

    fn newest_open_file_or_new(&mut self, shunned: &[PathBuf]) -> Result<SpoolFile> {
        let access = self
            .folder
            .ensure()
            .map_err(|source| folder_error(&self.folder, source))?;
        self.folder_checked = Instant::now();
        for path in self
            .folder
            .files_newest_first()
            .map_err(|source| folder_error(&self.folder, source))?
        {
            if shunned.contains(&path) {
                continue;
            }
            // One that cannot be opened is another user's, or was folded a moment ago: the next.
            if let Ok(Some(file)) = SpoolFile::open(&path, FULL, &self.descriptor) {
                return Ok(file);
            }
        }
        match SpoolFile::create(&self.folder.new_file_path(), &access, &self.descriptor) {
            Ok(file) => Ok(file),
            // A folder where we may append but not create: wait for the lock instead.
            Err(_) if !shunned.is_empty() => Err(Error::Busy {
                path: self.folder.path().to_owned(),
            }),
            Err(source) => Err(folder_error(&self.folder, source)),
        }
    }
}

fn folder_error(folder: &Folder, source: io::Error) -> Error {
    Error::Folder {
        path: folder.path().to_owned(),
        source,
    }
}

fn write_error(file: &SpoolFile, source: io::Error) -> Error {
    Error::Write {
        path: file.path().to_owned(),
        source,
    }
}
