//! The spool's folder: that it is there, and what its files are called.

use std::cmp::Reverse;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::SCHEMA;
use super::file::{self, Access};

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The folder that stood at the path when we last opened a file in it.
    id: Option<(u64, u64)>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, id: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, and the file that is always empty, where they are missing.
    pub(super) fn ensure(&mut self) -> io::Result<Access> {
        let metadata = match self.path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                file::new_folder(&self.path)?;
                self.path.metadata()?
            }
            outcome => outcome?,
        };
        self.id = Some(file::id(&metadata));
        let access = Access::of_folder(&metadata);
        // It is there already, or we may not make files here; the latter shows where we have to make one.
        let _ = file::create_empty(&self.path.join(format!("0-none.v{SCHEMA}.jsonl")), &access);
        Ok(access)
    }

    /// Whether the path leads nowhere, or to another folder than before. A path that cannot be looked at (the process gave
    /// up its rights after opening the file) says nothing.
    pub(super) fn is_gone(&self) -> bool {
        match self.path.metadata() {
            Ok(metadata) => Some(file::id(&metadata)) != self.id,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// The spool files of our schema.
    pub(super) fn files_newest_first(&self) -> io::Result<Vec<PathBuf>> {
        let mut names = Vec::new();
        for entry in self.path.read_dir()? {
            let name = entry?.file_name();
            if let Some(key) = name.to_str().and_then(age) {
                names.push(Reverse(key));
            }
        }
        names.sort_unstable();
        Ok(names
            .into_iter()
            .map(|Reverse((_, name))| self.path.join(name))
            .collect())
    }

    /// A name that no file has or ever had: readers remember the names they have folded.
    pub(super) fn new_file_path(&self) -> PathBuf {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Keyed by the system's randomness; the process and the time besides, because a forked child inherits the keys.
        let random = RandomState::new().hash_one((std::process::id(), now.as_nanos()));
        self.path
            .join(format!("{}-{random:016x}.v{SCHEMA}.jsonl", now.as_millis()))
    }
}

/// What sorts the name by age, if it is one of `<unix_ms>-<random>.v<schema>.jsonl` with our schema.
fn age(name: &str) -> Option<(u64, String)> {
    let stem = name.strip_suffix(".jsonl")?.strip_suffix(&format!(".v{SCHEMA}"))?;
    let (made, random) = stem.split_once('-')?;
    let made: u64 = made.parse().ok()?;
    (made > 0 && !random.is_empty()).then(|| (made, name.to_owned()))
}
