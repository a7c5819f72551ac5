//! Unpacked runs: the same tag before each number.

use super::frame::Reader;
use super::numbers::{Fixed, Varint, with_number};
use super::packed::{LONG, no_view};
use super::pieces::{Records, piece_len};
use super::{Decoder, Views};
use crate::column::Width;
use crate::error::{DecodeErrorKind, NoView, WireResult};
use crate::plan::{Number, Step};
use crate::simd::{self, Backend};
use crate::varint::{self, is_tagged};

/// A run that begins with so many numbers is a long one: it is worth to look for address space, and for more threads.
const PROBE: usize = 4096;

impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn append_number(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        with_number!(
            number,
            V => self.append_varints::<V>(reader, step),
            T => self.append_fixed::<T>(reader, step),
            closed enum => self.append_closed_enum(reader, step)
        )
    }

    #[inline(never)]
    fn append_varints<V: Varint>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let tag = reader.tag_bytes();
        let mut at_most = reader.rows_left();
        let values = V::Element::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        let varint = reader.cursor.read_varint()?;
        if !is_tagged(reader.cursor.remaining(), tag) {
            // Alone, as where fields come in turn, it is not worth a kernel.
            values.push(V::of(varint), at_most);
            return Ok(());
        }
        let backend = Backend::active();
        let rest = reader.input.bytes.get(reader.field_start..reader.frame.end).unwrap_or_default();
        if rest.len() >= LONG && count_varints(rest, tag, PROBE) == PROBE {
            at_most = values.reserve_or_count(at_most, || count_varints(rest, tag, usize::MAX));
        }
        let rest = values.fill_from(
            rest,
            at_most,
            |rest| is_tagged(rest, tag),
            |rest, room| {
                let decoded = simd::decode_tagged::<V>(backend, rest, tag, room);
                (decoded.read, decoded.values)
            },
        );
        reader.seek(reader.frame.end - rest.len());
        if is_tagged(rest, tag) {
            // It stopped in front of a fault, which is behind the tag.
            reader.cursor.advance(tag.len());
            reader.cursor.read_varint()?;
        }
        Ok(())
    }

    #[inline(never)]
    fn append_fixed<T: Fixed>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        if self.options.views == Views::Always {
            return Err(no_view(reader, NoView::NotPackedFixedWidth));
        }
        // The loops below are compiled for tags of one and two bytes; a longer one takes a step for each number.
        match reader.tag_bytes().len() {
            1 => self.append_records::<T, 1>(reader, step),
            2 => self.append_records::<T, 2>(reader, step),
            _ => {
                let value = T::read(&mut reader.cursor)?;
                let at_most = reader.rows_left();
                T::lists(self.column(reader, step)?).open(reader.frame.row, at_most).push(value, at_most);
                Ok(())
            }
        }
    }

    /// Appends all numbers that follow each other with the same tag of `TAG` bytes: a strided gather.
    fn append_records<T: Fixed, const TAG: usize>(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
    ) -> WireResult<()> {
        let stride = TAG + size_of::<T>();
        let mut records = reader.input.bytes.get(reader.field_start..reader.frame.end).unwrap_or_default();
        let Some(&tag) = records.first_chunk::<TAG>().filter(|_| records.len() >= stride) else {
            return Err(reader.cursor.fault(DecodeErrorKind::Truncated));
        };
        let mut at_most = reader.len_left() / stride + 1;
        let (backend, cores) = (Backend::active(), self.options.cores);
        let is_next = |records: &[u8]| records.len() >= stride && records.starts_with(&tag);
        let count = |most| records.chunks(stride).take(most).take_while(|record| is_next(record)).count();
        let values = T::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        if records.len() >= LONG && count(PROBE) == PROBE {
            at_most = values.reserve_or_count(at_most, || count(usize::MAX));
            let threads = cores.for_len(records.len());
            if threads > 1 {
                // The rest of the message may be all of this run; where it is not, the pieces behind it count for nothing.
                let len = records.len() / stride * stride;
                let piece = (piece_len(len) / stride).max(1);
                let pieces = Records { records: &records[..len], tag, piece };
                let whole: usize = values.fill_in_pieces(threads, &pieces, len / stride, at_most);
                records = &records[(whole * piece * stride).min(len)..];
            }
        }
        let records = values.fill_from(records, at_most, is_next, |records, room| {
            let numbers = simd::gather(backend, records, tag, room);
            (numbers.len() * stride, numbers)
        });
        reader.seek(reader.frame.end - records.len());
        Ok(())
    }
}

/// How many varints follow each other, each behind the tag, up to a number of them.
fn count_varints(mut bytes: &[u8], tag: &[u8], most: usize) -> usize {
    let mut count = 0;
    while count < most
        && is_tagged(bytes, tag)
        && let Ok((_, len)) = varint::decode(&bytes[tag.len()..])
    {
        bytes = &bytes[tag.len() + len..];
        count += 1;
    }
    count
}
