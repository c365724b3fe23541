//! What can go wrong between a record and the disk. None of it ever reaches the caller of a call.

use std::fmt;
use std::io;
use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub enum Error {
    /// The spool's folder, or a file in it, cannot be made or opened.
    Folder { path: PathBuf, source: io::Error },
    /// The disk refused a batch: full, over quota, broken.
    Write { path: PathBuf, source: io::Error },
    /// Another process held the lock on every open file for as long as we are willing to wait.
    Busy { path: PathBuf },
    /// The thread that writes could not be started.
    Thread(io::Error),
}

impl Error {
    /// Whether trying again at once is sensible; every other error needs somebody to do something first.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path, source } => {
                write!(f, "cannot open the spool {}: {source}", path.display())
            }
            Self::Write { path, source } => {
                write!(f, "cannot write to {}: {source}", path.display())
            }
            Self::Busy { path } => {
                write!(f, "another process holds the lock on {}", path.display())
            }
            Self::Thread(source) => write!(f, "cannot start the writer thread: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::Write { source, .. } | Self::Thread(source) => Some(source),
            Self::Busy { .. } => None,
        }
    }
}
