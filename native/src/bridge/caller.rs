//! Where a call is made from: the context around it and the span it is in.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::context::Context;
use crate::call::Parent;
use crate::scope::Scope;

#[derive(Debug, Default)]
pub(crate) struct Caller {
    pub scope: Option<Arc<Scope>>,
    pub parent: Option<Parent>,
}

impl Caller {
    /// Reads what `edgequake_obs._caller.current()` returned: None, or the context and the span around.
    pub(crate) fn read(caller: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(caller) = caller.filter(|caller| !caller.is_none()) else {
            return Ok(Self::default());
        };
        let (context, ids) = caller
            .cast::<PyTuple>()?
            .extract::<(Option<PyRef<'_, Context>>, Option<(u128, u64, u8)>)>()?;
        Ok(Self {
            scope: context.map(|context| Arc::clone(&context.scope)),
            parent: ids.map(|(trace, span, flags)| Parent {
                trace_id: trace.to_be_bytes(),
                span_id: span.to_be_bytes(),
                sampled: flags & 1 == 1, // W3C trace flags
            }),
        })
    }
}
