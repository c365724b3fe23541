//! Providers: pure translation, no I/O. A dialect is a file that reads and writes one wire format; a vendor that speaks
//! a dialect is a line in [`vendors`].

pub(crate) mod openai;
pub(crate) mod vendors;

pub(crate) use vendors::Vendor;
