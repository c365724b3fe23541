//! What a process has one of: its runtime, its recorder, its list of open calls. A forked child gets its own.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use exporters::otlp::{Otlp, OtlpSettings, Semconv, Wish};
use exporters::{Recorder, RecorderSettings};

use crate::background::Background;
use crate::calls_over::CallsOver;
use crate::collector::Collector;
use crate::content::Capture;
use crate::events::Events;
use crate::io::Io;
use crate::open_calls::OpenCalls;
use crate::prices::InForce;
use crate::seen::Told;
use crate::settings::OtelMode;
use crate::transport::Http;
use crate::{fork, settings};

pub(crate) struct Core {
    io: OnceLock<Option<Io>>,
    /// Never freed: a writer may be in the middle of a push when `configure` replaces it.
    recorder: AtomicPtr<Recorder>,
    /// Null where nothing is exported; never freed either.
    otlp: AtomicPtr<Otlp>,
    pub open_calls: OpenCalls,
    pub events: Events,
    pub over: CallsOver,
    pub background: Background,
    pub told: Told,
    /// What of calls' content is kept, as a number.
    capture: AtomicU8,
    /// Whether the program's own OpenTelemetry may be used.
    may_be_python: AtomicBool,
    /// Providers are told of their request's trace.
    propagates: AtomicBool,
    /// What its spans, and its metrics, are named by.
    semconv: Mutex<(Semconv, Semconv)>,
    /// `EDGEQUAKE_OBS_DISABLED`: calls work, nothing is recorded.
    pub disabled: bool,
    pub http: Http,
    pub prices: InForce,
    pub internal_errors: AtomicU64,
}

static CORE: AtomicPtr<Core> = AtomicPtr::new(ptr::null_mut());

/// This process's core. Threads start on first use, never here.
pub(crate) fn core() -> &'static Core {
    let current = CORE.load(Ordering::Acquire);
    // SAFETY: a core is published once whole and never freed, so the pointer stays valid for the process's life.
    if let Some(core) = unsafe { current.as_ref() } {
        return core;
    }
    fork::register();
    let settings = settings::read();
    let made = Box::into_raw(Box::new(Core {
        io: OnceLock::new(),
        recorder: AtomicPtr::new(Box::into_raw(Box::new(new_recorder()))),
        otlp: AtomicPtr::new(new_otlp()),
        open_calls: OpenCalls::default(),
        events: Events::new(settings.queue_bytes),
        over: CallsOver::default(),
        background: Background::default(),
        told: Told::default(),
        capture: AtomicU8::new(settings.capture as u8),
        may_be_python: AtomicBool::new(settings.otel.may_be_python()),
        propagates: AtomicBool::new(settings::propagates()),
        semconv: Mutex::new(Semconv::of(&settings::variable)),
        disabled: settings.disabled,
        http: Http::default(),
        prices: InForce::default(),
        internal_errors: AtomicU64::new(0),
    }));
    match CORE.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: `made` comes from `Box::into_raw` just above and was published, so nobody frees it.
        Ok(_) => unsafe { &*made },
        // Another thread was first; the few hundred bytes of this one are left behind rather than freed with care.
        // SAFETY: as above, `other` was published by that thread.
        Err(other) => unsafe { &*other },
    }
}

/// In a forked child, before anything else: the parent's core, with its threads, locks and sockets, is not ours.
///
/// Called from a `pthread_atfork` child handler, so it may only do what is async-signal-safe.
pub(crate) fn forget_parents() {
    let old = CORE.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: a core is never freed. Its locks may be held by threads that do not exist here: only atomics are read.
    if let Some(old) = unsafe { old.as_ref() } {
        // SAFETY: a recorder is never freed either.
        if let Some(recorder) = unsafe { old.recorder.load(Ordering::Acquire).as_ref() } {
            recorder.after_fork_in_child();
        }
    }
}

fn new_recorder() -> Recorder {
    let settings = settings::read();
    Recorder::start(RecorderSettings {
        ledger: settings.ledger,
        queue_bytes: settings.queue_bytes,
        service_name: settings.service_name,
    })
}

fn new_otlp() -> *mut Otlp {
    let settings = settings::read();
    if !settings.otel.may_be_native() || settings.disabled {
        return ptr::null_mut();
    }
    let wish = Wish {
        url: settings.otel_url,
        explicit: settings.otel == OtelMode::Native,
        events: settings.capture.on_events(),
        service_name: settings.service_name,
        queue_bytes: settings.queue_bytes,
    };
    let exporter = OtlpSettings::read(&wish, &settings::otlp_variable).map(|mut settings| {
        let transport = Collector::new(&mut settings);
        Otlp::new(settings, Arc::new(transport))
    });
    exporter.map_or(ptr::null_mut(), |exporter| Box::into_raw(Box::new(exporter)))
}

impl Core {
    pub(crate) fn recorder(&self) -> &'static Recorder {
        // SAFETY: the pointer comes from `Box::into_raw` and is never freed.
        unsafe { &*self.recorder.load(Ordering::Acquire) }
    }

    /// What spans and metrics go through that the program's own OpenTelemetry does not see; None where nothing is exported.
    pub(crate) fn otlp(&self) -> Option<&'static Otlp> {
        // SAFETY: null, or from `Box::into_raw` and never freed.
        unsafe { self.otlp.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn capture(&self) -> Capture {
        match self.capture.load(Ordering::Relaxed) {
            0 => Capture::Nowhere,
            1 => Capture::Spans,
            2 => Capture::Events,
            _ => Capture::SpansAndEvents,
        }
    }

    pub(crate) fn renew_capture(&self) {
        self.capture.store(settings::read().capture as u8, Ordering::Relaxed);
    }

    /// Whether spans and metrics may go to the program's own OpenTelemetry.
    pub(crate) fn may_be_python(&self) -> bool {
        !self.disabled && self.may_be_python.load(Ordering::Acquire)
    }

    /// Whether requests to providers say which trace they belong to.
    pub(crate) fn propagates(&self) -> bool {
        self.propagates.load(Ordering::Relaxed)
    }

    /// Which conventions name the spans, and the metrics, in the program's own OpenTelemetry.
    pub(crate) fn semconv(&self) -> (Semconv, Semconv) {
        *self.semconv.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for the exporter: an old one sends what it has.
    pub(crate) fn renew_otlp(&self) {
        let old = self.otlp();
        self.otlp.store(new_otlp(), Ordering::Release);
        self.may_be_python
            .store(settings::read().otel.may_be_python(), Ordering::Release);
        self.propagates.store(settings::propagates(), Ordering::Relaxed);
        *self.semconv.lock().unwrap_or_else(PoisonError::into_inner) = Semconv::of(&settings::variable);
        if let Some(old) = old {
            old.close();
        }
    }

    /// Takes up changed settings: what was recorded before goes where it was to go.
    pub(crate) fn renew_recorder(&self, flush_for: std::time::Duration) {
        let old = self.recorder();
        self.recorder
            .store(Box::into_raw(Box::new(new_recorder())), Ordering::Release);
        let _ = old.flush(flush_for);
        // Ends its thread and its descriptor; a call that is about to push to it is still written.
        old.close();
    }

    /// What requests run on; None where the system refuses what it needs.
    pub(crate) fn io(&self) -> Option<&Io> {
        self.io.get_or_init(Io::new).as_ref()
    }

    /// The same where work is to be left to its thread; None where the system refuses to start one.
    pub(crate) fn io_thread(&'static self) -> Option<&'static Io> {
        self.io().filter(|io| io.has_thread())
    }
}
