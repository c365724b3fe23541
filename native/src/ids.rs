//! Identifiers: UUIDv7 for calls, random trace and span ids. None repeats between a process and its forks.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::fork;

thread_local! {
    /// xoshiro256++ state and the fork generation it was seeded in: a child must not continue its parent's sequence.
    static RANDOM: Cell<([u64; 4], u64)> = const { Cell::new(([0; 4], u64::MAX)) };
}

fn seed() -> [u64; 4] {
    let mut bytes = [0u8; 32];
    if !fill_from_system(&mut bytes) {
        // No entropy source: time and thread identity still keep ids of one machine apart.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64);
        let address = std::ptr::from_ref(&bytes) as u64;
        let pid = u64::from(std::process::id());
        return [now, address, pid, 0x9e37_79b9_7f4a_7c15];
    }
    let mut words = [0u64; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte));
    }
    words[3] |= 1; // an all-zero state would stay zero
    words
}

/// Fills `bytes` from the operating system's entropy; false where it has none to give.
pub(crate) fn fill_from_system(bytes: &mut [u8]) -> bool {
    use ring::rand::SecureRandom;
    ring::rand::SystemRandom::new().fill(bytes).is_ok()
}

pub(crate) fn random_u64() -> u64 {
    RANDOM.with(|cell| {
        let (mut s, seeded_in) = cell.get();
        let generation = fork::generation();
        if seeded_in != generation {
            s = seed();
        }
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        cell.set((s, generation));
        result
    })
}

/// A UUIDv7 for a call that started `start_ns` nanoseconds after the epoch.
pub(crate) fn call_uid(start_ns: i64) -> [u8; 16] {
    let millis = (start_ns.max(0) / 1_000_000) as u64;
    let mut uid = [0u8; 16];
    uid[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    uid[6..8].copy_from_slice(&(random_u64() as u16).to_be_bytes());
    uid[8..].copy_from_slice(&random_u64().to_be_bytes());
    uid[6] = uid[6] & 0x0f | 0x70;
    uid[8] = uid[8] & 0x3f | 0x80;
    uid
}

pub(crate) fn trace_id() -> [u8; 16] {
    let mut id = [0u8; 16];
    id[..8].copy_from_slice(&random_u64().to_be_bytes());
    // W3C: an all-zero id is invalid.
    id[8..].copy_from_slice(&(random_u64() | 1).to_be_bytes());
    id
}

pub(crate) fn span_id() -> [u8; 8] {
    (random_u64() | 1).to_be_bytes()
}

/// The hyphenated text of a UUID.
pub(crate) fn uuid_text(uid: &[u8; 16]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(36);
    for (at, byte) in uid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An id of the form that litellm gives an answer whose provider gave none.
pub(crate) fn completion_id() -> String {
    format!("chatcmpl-{}", uuid_text(&call_uid(wall_clock_ns())))
}

pub(crate) fn wall_clock_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_uid_is_a_version_7_uuid_that_sorts_by_time() {
        let early = call_uid(1_700_000_000_000_000_000);
        let late = call_uid(1_700_000_000_001_000_000);
        assert!(early < late);
        assert_eq!(early[6] >> 4, 7);
        assert_eq!(early[8] >> 6, 0b10);
        let text = uuid_text(&early);
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "7");
    }

    #[test]
    fn ids_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| (trace_id(), span_id())).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
