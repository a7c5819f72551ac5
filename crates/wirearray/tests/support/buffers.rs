//! Messages in buffers of their own.

use std::ops::Range;

use wirearray::decode::Input;
use wirearray::parallel::Messages;

pub(crate) struct Buffers<'a, B>(pub(crate) &'a [B]);

impl<B: AsRef<[u8]> + Sync> Messages for Buffers<'_, B> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone {
        self.0[rows].iter().map(|message| (message.as_ref().into(), 0..message.as_ref().len()))
    }

    fn total_len(&self) -> usize {
        self.0.iter().map(|message| message.as_ref().len()).sum()
    }
}
