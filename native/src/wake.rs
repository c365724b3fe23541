//! A descriptor by which one thread wakes another that waits outside of this crate.

/// An eventfd, or a pipe where there is none.
#[derive(Debug)]
pub(crate) struct Wake {
    reader: i32,
    writer: i32,
}

#[cfg(unix)]
impl Wake {
    /// # Errors
    /// Where the system has no descriptor left.
    pub(crate) fn new() -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            // SAFETY: takes numbers, gives a number.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                Err(std::io::Error::last_os_error())
            } else {
                Ok(Self { reader: fd, writer: fd })
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let mut ends = [0i32; 2];
            // SAFETY: `ends` has room for the two descriptors that pipe writes.
            if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
            for end in ends {
                // SAFETY: both descriptors were just opened by this function.
                unsafe {
                    libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
                    libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
                }
            }
            Ok(Self {
                reader: ends[0],
                writer: ends[1],
            })
        }
    }

    pub(crate) fn signal(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: `one` is 8 readable bytes. A full pipe or counter means that a wake-up is pending already.
        unsafe { libc::write(self.writer, one.as_ptr().cast(), one.len()) };
    }

    pub(crate) fn clear(&self) {
        let mut buffer = [0u8; 64];
        // SAFETY: `buffer` has room for the bytes asked for; the descriptor does not block.
        unsafe { libc::read(self.reader, buffer.as_mut_ptr().cast(), buffer.len()) };
    }
}

#[cfg(unix)]
impl Drop for Wake {
    fn drop(&mut self) {
        // SAFETY: the descriptors were opened by `new` and belong to this value alone.
        unsafe {
            libc::close(self.reader);
            if self.writer != self.reader {
                libc::close(self.writer);
            }
        }
    }
}

#[cfg(not(unix))]
impl Wake {
    pub(crate) fn new() -> std::io::Result<Self> {
        Err(std::io::Error::new(
            std::io::ErrorKind::Unsupported,
            "asynchronous calls and callbacks are not supported on this platform yet",
        ))
    }

    pub(crate) fn signal(&self) {}

    pub(crate) fn clear(&self) {}
}

impl Wake {
    /// Readable from a signal until [`Self::clear`].
    #[must_use]
    pub(crate) fn descriptor(&self) -> i32 {
        self.reader
    }
}
