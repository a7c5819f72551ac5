//! Many messages, as Python lends them: each in a buffer of its own, or all in one.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use wirearray::DecodeError;
use wirearray::column::{Offsets, Owner, Table};
use wirearray::decode::{self, Destination, Input, Options};
use wirearray::plan::Plan;

use crate::lent::Lent;
use crate::offsets;
use crate::strings::Strings;

/// Messages that Python lends.
pub(crate) enum Messages {
    /// Each in a buffer of its own.
    Buffers(Vec<Owner>),
    /// All in one.
    OneBuffer(Owner, Offsets),
}

impl Messages {
    pub(crate) fn in_buffers(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(strings) = data.cast::<Strings>() {
            let strings = strings.get().column();
            return Ok(Self::OneBuffer(Arc::new(strings.data), strings.offsets));
        }
        if Lent::new(data, "data").is_ok() {
            let message = "data: got one buffer; pass a list of buffers, or offsets= with where each message starts";
            return Err(PyTypeError::new_err(message));
        }
        let items = data.try_iter().map_err(|_| {
            let found = data.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
            PyTypeError::new_err(format!("data: expected a list of buffers, got {found}"))
        })?;
        let lent = |(row, item): (usize, PyResult<Bound<'_, PyAny>>)| {
            let owner: Owner = Arc::new(Lent::new(&item?, format_args!("data[{row}]"))?);
            Ok(owner)
        };
        items.enumerate().map(lent).collect::<PyResult<_>>().map(Self::Buffers)
    }

    pub(crate) fn in_one_buffer(data: &Bound<'_, PyAny>, offsets: &Bound<'_, PyAny>) -> PyResult<Self> {
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        let offsets = offsets::checked(offsets, (*owner).as_ref().len())?;
        Ok(Self::OneBuffer(owner, offsets))
    }

    /// The buffers that they lie in.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &[u8]> {
        let owners = match self {
            Self::Buffers(buffers) => buffers.as_slice(),
            Self::OneBuffer(owner, _) => std::slice::from_ref(owner),
        };
        owners.iter().map(|owner| (**owner).as_ref())
    }

    pub(crate) fn decode(
        &self,
        plan: &Plan,
        options: Options,
        destinations: Vec<Destination>,
    ) -> Result<Table, DecodeError> {
        match self {
            Self::Buffers(buffers) => {
                let whole = |owner| {
                    let input = Input::from(owner);
                    (input, 0..input.bytes.len())
                };
                let total_len = buffers.iter().map(|owner| (**owner).as_ref().len()).sum();
                decode::decode_many_into(plan, buffers.iter().map(whole), total_len, options, destinations)
            }
            Self::OneBuffer(owner, offsets) => {
                let input = Input::from(owner);
                let messages = (0..offsets.len()).map(|row| (input, offsets.range(row).unwrap_or_default()));
                decode::decode_many_into(plan, messages, input.bytes.len(), options, destinations)
            }
        }
    }
}
