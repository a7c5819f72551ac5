//! Numbers of closed enums: one that the enum has no name for is an unknown field.

use super::Decoder;
use super::frame::{AtEnd, Frame, Reader};
use super::packed::Varints;
use crate::column::Width;
use crate::error::WireResult;
use crate::plan::Step;
use crate::varint::{self, Kind, Varint32};
use crate::wire::{Tag, WireType};

impl<'p> Decoder<'p> {
    /// As the value of a map an unknown number takes its entry with it.
    #[inline(never)]
    pub(super) fn set_closed_enum(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let value = Varint32::of(reader.cursor.read_varint()?);
        if reader.frame.field(step).knows(value) {
            return self.set(reader, step, value);
        }
        self.drop_entry(reader);
        self.keep(reader, reader.field_start);
        Ok(())
    }

    /// Notes that the current message, where it is an entry of a map, has a value that its closed enum does not know.
    pub(super) fn drop_entry(&mut self, reader: &Reader<'_, 'p>) {
        if let (true, Some(entry)) = (reader.frame.plan.is_map_entry, self.open.last_mut()) {
            entry.at_end = AtEnd::Drop;
        }
    }

    #[inline(never)]
    pub(super) fn append_closed_enum(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let value = Varint32::of(reader.cursor.read_varint()?);
        if reader.frame.field(step).knows(value) {
            let at_most = reader.rows_left();
            u32::lists(self.column(reader, step)?).open(reader.frame.row, at_most).push(value, at_most);
        } else {
            self.keep(reader, reader.field_start);
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn append_packed_closed_enum(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
        run: &[u8],
    ) -> WireResult<()> {
        let mut varints = Varints::new(reader, run)?;
        let field = reader.frame.field(step);
        let count = varint::count(run);
        let at_most = reader.len_left().saturating_add(count);
        for _ in 0..count {
            let varint = varints.next_or_zero();
            let value = Varint32::of(varint);
            if field.knows(value) {
                u32::lists(self.column(reader, step)?).open(reader.frame.row, at_most).push(value, at_most);
            } else if self.options.keep_unknown {
                // The run is no field of one value, so each that is kept becomes one, as the official parsers do it.
                let Frame { table, row, .. } = reader.frame;
                let tag = Tag::new(field.number, WireType::Varint);
                for part in [u64::from(tag.raw()), varint] {
                    let (bits, len) = varint::encode(part);
                    self.batch.keep_unknown(table, row, &bits.to_le_bytes()[..len], at_most);
                }
            }
        }
        varints.finish()
    }
}
