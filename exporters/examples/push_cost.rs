//! What a record costs the caller, and how fast the writer is: `cargo run --release -p exporters --example push_cost`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use exporters::{CallRecord, Process, Recorder, RecorderSettings, write_line};

#[path = "../tests/common/mod.rs"]
mod common;

const RECORDS: u64 = 20_000;
const ROUNDS: usize = 20;

fn main() {
    // The machine first, so that the figures below can be read: a bare lock, and a record made and freed.
    let lock = std::sync::Mutex::new(0_u64);
    let ns = per_record(|| (0..RECORDS).for_each(|number| *lock.lock().unwrap_or_else(|e| e.into_inner()) += number));
    println!("bare mutex           {ns:8.0} ns");

    let line = {
        let mut out = Vec::new();
        write_line(&common::record(1), &Process::current(None), &mut out);
        out.len()
    };
    let process = Process::current(Some("bench".to_owned()));
    let record = common::record(1);
    let mut out = Vec::with_capacity(line * 2);
    let ns = per_record(|| {
        for _ in 0..RECORDS {
            out.clear();
            write_line(black_box(&record), &process, &mut out);
        }
    });
    println!("line of {line} bytes   {ns:8.0} ns, {:.0} MB/s", line as f64 / ns * 1e3);

    let folder = common::Folder::new();
    let recorder = Recorder::start(RecorderSettings {
        ledger: Some(folder.ledger()),
        queue_bytes: 256 << 20,
        ..RecorderSettings::default()
    });
    burst(&recorder, line);
    paced(&recorder, Duration::from_micros(100));
    paced(&recorder, Duration::from_millis(10));
}

fn per_record(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_nanos() as f64 / RECORDS as f64
}

#[allow(clippy::vec_box, reason = "a record is handed over in its box")]
fn records() -> Vec<Box<CallRecord>> {
    (0..RECORDS).map(common::record).collect()
}

/// As fast as one thread can, while the writer works on the other core.
fn burst(recorder: &Recorder, line: usize) {
    let (mut best, mut fastest) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let records = records();
        let started = Instant::now();
        best = best.min(per_record(|| {
            records.into_iter().for_each(|record| recorder.push(record))
        }));
        let written = recorder.flush(Duration::from_secs(30));
        fastest = fastest.min(started.elapsed().as_secs_f64());
        assert!(written, "{:?}", recorder.stats());
    }
    let megabytes = line as f64 * RECORDS as f64 / 1e6;
    println!("push in a burst      {best:8.0} ns");
    println!(
        "push to spool        {:8.0} ns a record, {:.0} MB/s",
        fastest * 1e9 / RECORDS as f64,
        megabytes / fastest
    );
}

/// One call every `pause`.
fn paced(recorder: &Recorder, pause: Duration) {
    let mut costs: Vec<u128> = Vec::new();
    for record in records()
        .into_iter()
        .take(if pause > Duration::from_millis(1) { 300 } else { 5_000 })
    {
        let next = Instant::now() + pause;
        let started = Instant::now();
        recorder.push(record);
        costs.push(started.elapsed().as_nanos());
        while Instant::now() < next {
            std::hint::spin_loop();
        }
    }
    costs.sort_unstable();
    let at = |share: f64| costs[(share * (costs.len() - 1) as f64) as usize];
    println!(
        "push every {pause:>8.1?}  {:8} ns median, p90 {}, p99 {}, most {} (the clock's own cost included)",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
