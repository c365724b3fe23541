//! The record of a call, and what leaves with it: the line it becomes, the spool that processes of a machine share, the
//! recorder that stands between a caller who never waits and a disk that may, and the same towards a collector.

mod error;
mod json;
pub mod line;
pub mod otlp;
pub mod record;
pub mod recorder;
pub mod spool;
mod thread;

pub use error::{Error, Result};
pub use line::{Process, write_line};
pub use record::{Attempt, CallRecord, CallUid, Ended, Labels, Outcome};
pub use recorder::{Recorder, RecorderSettings, RecorderStats};
pub use spool::{SCHEMA, Spool, spool_folder};
