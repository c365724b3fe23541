//! The Python extension: provider calls, streams and their records, in one native module.

mod bridge;
mod call;
mod client;
mod core;
mod endpoint;
mod estimate;
mod failure;
mod fingerprint;
mod fork;
mod headers;
mod ids;
mod json_scan;
mod json_text;
mod loops;
mod open_calls;
mod prices;
mod providers;
mod redact;
mod retry;
mod scope;
mod settings;
mod sse;
mod stream;
mod tap;
mod transport;
