//! How long a call may take, phase by phase, and what is said when one took longer.

use std::time::Duration;

use tokio::time::Instant;

/// A system that does not hear from a host gives up after about as long.
const LONGEST_CONNECT: Duration = Duration::from_secs(60);
/// No limit: long enough for any call, and short enough to be added to any moment.
pub(crate) const UNLIMITED: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// Until there is a connection: name, TCP, proxy, TLS.
    pub connect: Duration,
    /// Without a byte from the server.
    pub read: Duration,
    /// Waiting for one of the calls under way to end, where there are as many as there may be.
    pub pool: Duration,
    /// An attempt as a whole, to the end of its answer; of a stream, to its beginning.
    pub total: Duration,
}

/// Which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connect,
    Read,
    Pool,
    Total,
}

impl Timeouts {
    /// One number: the whole attempt may take that long, and so may each phase.
    pub(crate) fn of(total: Duration) -> Self {
        Self {
            connect: total.min(LONGEST_CONNECT),
            read: total,
            pool: total,
            total,
        }
    }

    /// The moment at which `limit` from now, or the whole time at `end`, runs out, and which of them that is.
    pub(crate) fn nearer(limit: Duration, phase: Phase, end: Instant) -> (Instant, Phase) {
        let at = Instant::now() + limit;
        if at < end { (at, phase) } else { (end, Phase::Total) }
    }

    pub(crate) fn message(&self, phase: Phase, host: &str) -> String {
        let seconds = |limit: Duration| limit.as_secs_f64();
        match phase {
            Phase::Connect => format!(
                "could not connect to {host} within {} s (connect timeout)",
                seconds(self.connect.min(self.total))
            ),
            Phase::Read => format!("nothing came from {host} for {} s (read timeout)", seconds(self.read)),
            Phase::Pool => format!(
                "{} calls are under way and none of them ended within {} s (pool timeout)",
                super::MOST_AT_ONCE,
                seconds(self.pool)
            ),
            Phase::Total => format!("no answer within the timeout of {} s", seconds(self.total)),
        }
    }
}
