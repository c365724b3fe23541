//! Providers: pure translation, no I/O. A dialect is a file that reads and writes one wire format; a vendor that speaks
//! a dialect is a line in [`vendors`].

pub(crate) mod anthropic;
pub(crate) mod chat_by_responses;
mod chunks;
pub(crate) mod compatible;
pub(crate) mod dialect;
mod gemini;
mod model_facts;
pub(crate) mod native_usage;
mod ollama;
pub(crate) mod openai;
mod operation;
pub(crate) mod parameters;
mod parts;
mod python_json;
mod raw_object;
pub(crate) mod rerank;
pub(crate) mod responses;
pub(crate) mod vendors;

pub(crate) use dialect::{Dialect, Reading};
pub(crate) use operation::Operation;
pub(crate) use vendors::Vendor;
