//! `api_key_id`: tells keys apart in the ledger without holding any part of one.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;

use crate::core::core;
use crate::{ids, settings};

/// Lies beside the spool files, so that all processes that share a ledger give a key the same id.
const FILE: &str = "fingerprint.secret";
const SECRET_BYTES: usize = 32;
/// Bytes of the digest that are kept: ids of a machine's few keys do not collide, and the digest cannot be tested against guesses
/// without the secret.
const ID_BYTES: usize = 8;

#[derive(Debug, Default)]
struct Known {
    secret: Option<hmac::Key>,
    ids: HashMap<String, Arc<str>>,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
static SECRETS_FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// Ids hold as long as this stays the same.
pub(crate) fn generation() -> u64 {
    SECRETS_FORGOTTEN.load(Ordering::Acquire)
}

/// The id of `api_key`; None where there is no ledger to keep the secret beside.
pub(crate) fn of(api_key: &str) -> Option<Arc<str>> {
    if core().disabled {
        return None;
    }
    let mut slot = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = slot.get_or_insert_default();
    if let Some(id) = known.ids.get(api_key) {
        return Some(Arc::clone(id));
    }
    if known.secret.is_none() {
        let spool = exporters::spool_folder(&settings::read().ledger?);
        known.secret = secret(&spool).map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
    }
    let tag = hmac::sign(known.secret.as_ref()?, api_key.as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .take(ID_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let id: Arc<str> = Arc::from(hex);
    if known.ids.len() < 10_000 {
        known.ids.insert(api_key.to_owned(), Arc::clone(&id));
    }
    Some(id)
}

/// Forgets the secret: the next ledger has its own.
pub(crate) fn forget() {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
    SECRETS_FORGOTTEN.fetch_add(1, Ordering::Release);
}

fn secret(spool: &Path) -> Option<Vec<u8>> {
    let path = spool.join(FILE);
    let read = || std::fs::read(&path).ok().filter(|bytes| bytes.len() == SECRET_BYTES);
    if let Some(bytes) = read() {
        return Some(bytes);
    }
    let mut fresh = vec![0u8; SECRET_BYTES];
    if !ids::fill_from_system(&mut fresh) {
        return None;
    }
    create_folder(spool);
    // Written under another name and linked into place: nobody ever reads half a secret, and the first one wins.
    let temporary = spool.join(format!("{FILE}.{:016x}", ids::random_u64()));
    let made = private_file(&temporary)
        .and_then(|mut file| file.write_all(&fresh))
        .and_then(|()| std::fs::hard_link(&temporary, &path));
    let _ = std::fs::remove_file(&temporary);
    match made {
        Ok(()) => Some(fresh),
        Err(_) => read(),
    }
}

#[cfg(unix)]
fn create_folder(path: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    // Where this fails the spool says so.
    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_folder(path: &Path) {
    let _ = std::fs::create_dir_all(path);
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)
}
