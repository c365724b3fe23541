//! The recorder: nothing is lost on the way, nobody waits, what does not fit is counted.

mod common;

use std::time::Duration;

use common::{Folder, Found, record};

const LONG: Duration = Duration::from_secs(10);

#[test]
fn what_was_pushed_before_a_flush_is_in_the_spool() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    for number in 0..1_000 {
        recorder.push(record(number));
    }
    assert!(recorder.flush(LONG));
    let found = Found::in_folder(&folder.spool());
    assert_eq!(found.numbers(), (0..1_000).collect::<Vec<_>>());
    assert_eq!((found.files, found.torn), (1, 0));
    let stats = recorder.stats();
    assert_eq!(
        (
            stats.recorded,
            stats.written,
            stats.queued_records,
            stats.queued_bytes
        ),
        (1_000, 1_000, 0, 0)
    );
    assert_eq!(stats.ledger_path, Some(folder.ledger()));
}
