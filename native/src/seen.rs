//! Calls that are told of when their outcome is fetched, perhaps more than once: by what they are known, and which of
//! them this process has told of.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use ring::digest;

/// More than a program fetches twice; beyond that the ledger itself still takes each only once.
const MOST: usize = 100_000;

static TOLD: LazyLock<Mutex<HashSet<[u8; 16]>>> = LazyLock::new(Mutex::default);

/// The id of the call that a provider knows by this name: the same in every process (a UUID of version 8).
#[must_use]
pub(crate) fn uid_of(provider: &str, name: &str) -> [u8; 16] {
    let digest = digest::digest(&digest::SHA256, format!("{provider}\n{name}").as_bytes());
    let mut uid = [0; 16];
    uid.copy_from_slice(&digest.as_ref()[..16]);
    uid[6] = uid[6] & 0x0f | 0x80;
    uid[8] = uid[8] & 0x3f | 0x80;
    uid
}

/// Notes that the call is told of; false where it was before.
pub(crate) fn is_new(uid: [u8; 16]) -> bool {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() >= MOST {
        told.clear();
    }
    told.insert(uid)
}
