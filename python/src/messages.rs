//! Many messages, as Python lends them: each in a buffer of its own, all in one, or anywhere in those of Arrow.

use std::ops::Range;
use std::sync::Arc;

use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use wirearray::arrow::{Imported, Strings as Found, Values};
use wirearray::column::{Offsets, Owner, Validity};
use wirearray::decode::Input;
use wirearray::parallel;

use crate::arrow;
use crate::errors;
use crate::lent::Lent;
use crate::offsets;
use crate::strings::Strings;

/// Messages that Python lends.
pub(crate) enum Messages {
    /// Each in a buffer of its own.
    Buffers(Vec<Owner>),
    /// All in one.
    OneBuffer(Owner, Offsets),
    /// Each anywhere in one of the buffers.
    Scattered(Vec<Owner>, Vec<(u32, Range<usize>)>),
}

impl Messages {
    /// The `data` and `offsets` arguments.
    pub(crate) fn new(data: &Bound<'_, PyAny>, offsets: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        match offsets {
            Some(offsets) => Self::in_one_buffer(data, offsets),
            None => Self::in_buffers(data),
        }
    }

    fn in_buffers(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(strings) = data.cast::<Strings>() {
            let strings = errors::with_memory(|| Ok(strings.get().column()))?;
            return Ok(Self::OneBuffer(Arc::new(strings.data), strings.offsets));
        }
        if arrow::is_arrow(data) {
            return Self::in_arrow(&arrow::read(data)?);
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

    /// The messages in arrays of strings or bytes. One that is null is empty: it has no field.
    fn in_arrow(arrays: &[Imported]) -> PyResult<Self> {
        if let [Imported { values: Values::Strings(Found::Joined(data, offsets)), validity: Validity::All, .. }] =
            arrays
        {
            return Ok(Self::OneBuffer(Arc::new(data.clone()), offsets.clone()));
        }
        let (mut owners, mut places): (Vec<Owner>, _) = (Vec::new(), Vec::new());
        for Imported { len, validity, values } in arrays {
            // Empty messages need a buffer to be empty in.
            let first = owners.len() as u32 + 1;
            owners.push(Arc::new([]));
            // Nulls take no memory where they come from, however many they are.
            places
                .try_reserve(*len)
                .map_err(|_| PyMemoryError::new_err("there is not enough memory for the messages"))?;
            let strings = match values {
                Values::Strings(strings) => strings,
                Values::Nulls => {
                    places.extend(std::iter::repeat_n((first - 1, 0..0), *len));
                    continue;
                }
                other => {
                    let found = other.name();
                    let message = format!(
                        "data: expected an Arrow array of bytes, got one of {found}; pass the column that has them"
                    );
                    return Err(PyTypeError::new_err(message));
                }
            };
            owners.extend(strings.buffers().iter().map(|memory| -> Owner { Arc::new(memory.clone()) }));
            let place = |(row, (buffer, range)): (usize, (u32, Range<usize>))| {
                let is_there = validity.is_set(row) && !range.is_empty();
                if is_there { (first + buffer, range) } else { (first - 1, 0..0) }
            };
            places.extend(strings.places().enumerate().map(place));
        }
        Ok(Self::Scattered(owners, places))
    }

    fn in_one_buffer(data: &Bound<'_, PyAny>, offsets: &Bound<'_, PyAny>) -> PyResult<Self> {
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        let offsets = offsets::checked(offsets, (*owner).as_ref().len())?;
        Ok(Self::OneBuffer(owner, offsets))
    }

    /// The buffers that they lie in.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &[u8]> {
        let owners = match self {
            Self::Buffers(buffers) | Self::Scattered(buffers, _) => buffers.as_slice(),
            Self::OneBuffer(owner, _) => std::slice::from_ref(owner),
        };
        owners.iter().map(|owner| (**owner).as_ref())
    }
}

impl parallel::Messages for Messages {
    fn len(&self) -> usize {
        match self {
            Self::Buffers(buffers) => buffers.len(),
            Self::OneBuffer(_, offsets) => offsets.len(),
            Self::Scattered(_, places) => places.len(),
        }
    }

    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone {
        let (buffers, whole, offsets, places) = match self {
            Self::Buffers(buffers) => (&buffers[rows], None, &[][..], (&[][..], &[][..])),
            Self::OneBuffer(owner, offsets) => {
                (&[][..], Some(Input::from(owner)), &offsets.as_slice()[rows.start..=rows.end], (&[][..], &[][..]))
            }
            Self::Scattered(buffers, places) => (&[][..], None, &[][..], (buffers.as_slice(), &places[rows])),
        };
        let alone = buffers.iter().map(|owner| {
            let input = Input::from(owner);
            (input, 0..input.bytes.len())
        });
        // The offsets were checked to ascend and to lie within the buffer, so none is negative.
        let within = |pair: &[i64]| pair[0] as usize..pair[1] as usize;
        let joined = whole.into_iter().flat_map(move |input| offsets.windows(2).map(move |pair| (input, within(pair))));
        let (owners, places) = places;
        let scattered = places.iter().map(|(buffer, range)| (Input::from(&owners[*buffer as usize]), range.clone()));
        alone.chain(joined).chain(scattered)
    }

    fn total_len(&self) -> usize {
        match self {
            Self::Buffers(_) => self.inputs().map(<[u8]>::len).sum(),
            Self::OneBuffer(_, offsets) => offsets.range_of_all(0..offsets.len()).map_or(0, |all| all.len()),
            Self::Scattered(_, places) => places.iter().map(|(_, range)| range.len()).sum(),
        }
    }
}
