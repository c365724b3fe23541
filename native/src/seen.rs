//! Calls that are told of when their outcome is fetched, perhaps more than once: by what they are known, and which of
//! them this process has told of.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ring::digest;

/// More than a program fetches twice; beyond that the ledger itself still takes each only once.
const MOST: usize = 100_000;

/// Of the names of batches' results: a random UUID.
const NAMESPACE: [u8; 16] = [
    0x6f, 0x0d, 0x1c, 0x52, 0x9a, 0x47, 0x4e, 0x3b, 0x8d, 0x15, 0x2e, 0x74, 0xb0, 0x5a, 0xc3, 0x91,
];

fn with_version(digest: &[u8], version: u8) -> [u8; 16] {
    let mut uid = [0; 16];
    uid.copy_from_slice(&digest[..16]);
    uid[6] = uid[6] & 0x0f | version << 4;
    uid[8] = uid[8] & 0x3f | 0x80;
    uid
}

/// The id of the call that is a line of a batch's results: the same in every process. A UUID of version 5, by which the
/// ledger knows that it was charged at a batch's prices.
#[must_use]
pub(crate) fn uid_of_result(provider: &str, name: &str) -> [u8; 16] {
    let name = [&NAMESPACE[..], provider.as_bytes(), b"\n", name.as_bytes()].concat();
    with_version(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &name).as_ref(), 5)
}

/// The id of the call that asked for a response in the background: the same in every process. A UUID of version 8, by
/// which the ledger knows that its outcome may come later.
#[must_use]
pub(crate) fn uid_of_response(provider: &str, id: &str) -> [u8; 16] {
    let digest = digest::digest(&digest::SHA256, format!("{provider}\n{id}").as_bytes());
    with_version(digest.as_ref(), 8)
}

/// The calls that this process has told of.
#[derive(Debug, Default)]
pub(crate) struct Told {
    uids: Mutex<HashSet<[u8; 16]>>,
}

impl Told {
    /// Notes that the call is told of; false where it was before.
    pub(crate) fn is_new(&self, uid: [u8; 16]) -> bool {
        let mut uids = self.uids.lock().unwrap_or_else(PoisonError::into_inner);
        if uids.len() >= MOST {
            uids.clear();
        }
        uids.insert(uid)
    }
}
