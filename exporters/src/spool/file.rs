//! One spool file on Unix: open to writers while its owner's write bit is set, written under a shared `flock`.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::descriptor::Descriptor;

const OWNER_MAY_WRITE: u32 = 0o200;
const PRIVATE: u32 = 0o600;
const SHARED: u32 = 0o660;
/// Between two tries for a lock; a fold holds it for microseconds.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// What a new file takes from its folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    mode: u32,
    owner: u32,
    group: u32,
}

impl Access {
    pub(super) fn of_folder(folder: &Metadata) -> Self {
        let shared_by_group = folder.mode() & 0o070 != 0;
        let mode = if shared_by_group { SHARED } else { PRIVATE };
        Self {
            mode,
            owner: folder.uid(),
            group: folder.gid(),
        }
    }

    fn give_to(&self, file: &File) -> io::Result<()> {
        let made = file.metadata()?;
        if made.uid() != self.owner {
            // Only root can give a file away, and has to: the owner of the ledger could not read the lines.
            let _ = fchown(file, Some(self.owner), None);
        }
        let mut mode = self.mode;
        if mode == SHARED && made.gid() != self.group && fchown(file, None, Some(self.group)).is_err() {
            // For the folder's group, and no other.
            mode = PRIVATE;
        }
        if mode == PRIVATE && file.metadata()?.uid() != self.owner {
            // One file that the ledger's owner cannot read would fail every query.
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the spool is another user's, who could not read what this user writes there: \
                 share it by a group that both are in (chmod g+rwxs)",
            ));
        }
        // Whatever the umask is: a file without the write bit is closed.
        file.set_permissions(Permissions::from_mode(mode))
    }
}

/// What a writer finds at the door.
#[derive(Debug)]
pub(super) enum Entry {
    /// Ours to write until `leave`.
    Locked { size: u64 },
    /// Being folded, or gone.
    Closed,
    /// Somebody holds it exclusively, and did so until the deadline.
    Busy,
    /// The descriptor's number stands for something else now.
    NotOurs,
}

#[derive(Debug)]
pub(super) struct SpoolFile {
    path: PathBuf,
    id: (u64, u64),
    /// Before `file`: fields are dropped in this order, and the number has to be retracted before it is closed.
    published: Published,
    file: File,
}

#[derive(Debug)]
struct Published(Arc<Descriptor>);

impl Published {
    fn new(file: &File, descriptor: &Arc<Descriptor>) -> Self {
        descriptor.publish(file.as_raw_fd());
        Self(Arc::clone(descriptor))
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        self.0.retract();
    }
}

impl SpoolFile {
    /// `None` if it is closed to writers, above `full`, or no file at all.
    pub(super) fn open(path: &Path, full: u64, descriptor: &Arc<Descriptor>) -> io::Result<Option<Self>> {
        // Before opening: a pipe of that name would wait for a reader.
        if !is_open(&path.symlink_metadata()?) {
            return Ok(None);
        }
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().append(true).custom_flags(flags).open(path)?;
        let published = Published::new(&file, descriptor);
        let metadata = file.metadata()?;
        if !is_open(&metadata) || metadata.len() > full {
            return Ok(None);
        }
        Ok(Some(Self::identified(path, &metadata, published, file)))
    }

    pub(super) fn create(path: &Path, access: &Access, descriptor: &Arc<Descriptor>) -> io::Result<Self> {
        let file = create(path, access)?;
        let published = Published::new(&file, descriptor);
        let metadata = file.metadata()?;
        Ok(Self::identified(path, &metadata, published, file))
    }

    fn identified(path: &Path, metadata: &Metadata, published: Published, file: File) -> Self {
        let id = id(metadata);
        published.0.identify(id);
        Self {
            path: path.to_owned(),
            id,
            published,
            file,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the shared lock, waiting for it until `deadline`, and looks inside it whether the file may still be written:
    /// whoever folds it clears the write bit first and then waits for the writers inside to leave.
    pub(super) fn enter(&self, deadline: Instant) -> io::Result<Entry> {
        loop {
            // Before the lock too: not to lock what is not ours, and not to wait for what is closed already.
            if let Some(refusal) = self.refusal()?.1 {
                return Ok(refusal);
            }
            if self.flock(libc::LOCK_SH | libc::LOCK_NB)? {
                return match self.refusal() {
                    Ok((size, None)) => Ok(Entry::Locked { size }),
                    Ok((_, Some(refusal))) => {
                        self.leave();
                        Ok(refusal)
                    }
                    Err(error) => {
                        self.leave();
                        Err(error)
                    }
                };
            }
            if Instant::now() >= deadline {
                return Ok(Entry::Busy);
            }
            thread::sleep(LOCK_RETRY);
        }
    }

    fn refusal(&self) -> io::Result<(u64, Option<Entry>)> {
        let metadata = match self.file.metadata() {
            Ok(metadata) => metadata,
            // A program that closes descriptors wholesale closed this one too.
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => {
                return Ok((0, Some(Entry::NotOurs)));
            }
            Err(error) => return Err(error),
        };
        let refusal = if id(&metadata) != self.id {
            Some(Entry::NotOurs)
        } else if !is_open(&metadata) {
            Some(Entry::Closed)
        } else {
            None
        };
        Ok((metadata.len(), refusal))
    }

    /// Whether the lock was had; `LOCK_NB` where it must not wait.
    fn flock(&self, operation: libc::c_int) -> io::Result<bool> {
        loop {
            // SAFETY: `flock` takes any number, and this one belongs to `self.file`, which is open as long as `self` is.
            if unsafe { libc::flock(self.file.as_raw_fd(), operation) } == 0 {
                return Ok(true);
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(false),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        }
    }

    /// Releases the lock. Explicitly, before any close: the lock would live on in a child that was forked meanwhile.
    pub(super) fn leave(&self) {
        let _ = self.flock(libc::LOCK_UN);
    }

    /// One `write`: with `O_APPEND` it cannot mix with another process's.
    pub(super) fn write(&self, batch: &[u8]) -> io::Result<usize> {
        loop {
            match (&self.file).write(batch) {
                Ok(0) if !batch.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    /// Clears the owner's write bit. Refused where the file is another user's, whose next writer will do it.
    pub(super) fn close_to_writers(&self) {
        if let Ok(metadata) = self.file.metadata() {
            let mode = metadata.mode() & 0o7777 & !OWNER_MAY_WRITE;
            let _ = self.file.set_permissions(Permissions::from_mode(mode));
        }
    }

    /// Forgets the number without closing it.
    pub(super) fn abandon(self) {
        drop(self.published);
        let _ = self.file.into_raw_fd();
    }
}

fn is_open(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.nlink() > 0 && metadata.mode() & OWNER_MAY_WRITE != 0
}

/// A new file, which gets its name when it belongs to whom it should: whoever is killed in between leaves nothing that
/// readers look at.
fn create(path: &Path, access: &Access) -> io::Result<File> {
    let mut unready = path.as_os_str().to_owned();
    unready.push(format!(".{}.new", std::process::id()));
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&unready)?;
    access
        .give_to(&file)
        .and_then(|()| fs::rename(&unready, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&unready);
        })?;
    Ok(file)
}

/// Makes an empty file where there is none yet.
pub(super) fn create_empty(path: &Path, access: &Access) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, access).map(drop),
        outcome => outcome.map(drop),
    }
}

/// What tells one file or folder from another that has its path, or its number.
pub(super) fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Only its owner looks into a new spool folder.
pub(super) fn new_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
