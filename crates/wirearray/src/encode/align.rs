//! Placing packed payloads at multiples of some number of bytes, with padding that every parser reads.
//!
//! Two forms of padding change no value: an empty packed run of the same field, and a length that is longer than it need
//! be, up to five bytes. `docs/aligned-files.md` says why both are legal, and who reads them.

use super::message::{Field, Label, Message, PADDED_LEN, PackedLens, Values, range};
use super::write::write_label;
use crate::varint;
use crate::wire::{WriteResult, Writer};

/// The bytes in front of an aligned payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lead {
    /// How many empty runs there are.
    runs: usize,
    /// The bytes that their lengths take beyond one each.
    excess: usize,
    /// The bytes of the payload's own length.
    len_width: usize,
    /// All of them, tags and lengths.
    len: usize,
}

impl Lead {
    /// What stands before a payload of `len` bytes, if the tag could be written `position` bytes from the start of the
    /// outermost message: as few bytes as possible, in as few runs as possible.
    pub(super) fn new(label: Label, len: u64, align: usize, position: u64) -> Self {
        let len_width = varint::len(len);
        let least = label.len + len_width;
        // How much longer the payload's length may be written, and how long an empty run can be.
        let spare = PADDED_LEN.saturating_sub(len_width);
        let (shortest_run, longest_run) = (label.len + 1, label.len + PADDED_LEN);
        let gap = (position + least as u64).wrapping_neg() as usize & (align - 1);
        let mut padding = gap;
        loop {
            let mut runs = 0;
            while runs * shortest_run <= padding {
                let rest = padding - runs * shortest_run;
                if padding <= runs * longest_run + spare {
                    let excess = rest.min(runs * (PADDED_LEN - 1));
                    let len_width = len_width + rest - excess;
                    return Self { runs, excess, len_width, len: least + padding };
                }
                runs += 1;
            }
            padding += align;
        }
    }
}

/// Writes what stands in front of an aligned payload of `len` bytes; the outermost message started at byte `start`.
pub(super) fn write_start(label: Label, len: u64, align: usize, out: &mut Writer<'_>, start: u64) -> WriteResult {
    let lead = Lead::new(label, len, align, out.written() - start);
    let mut excess = lead.excess;
    for _ in 0..lead.runs {
        let more = excess.min(PADDED_LEN - 1);
        excess -= more;
        write_label(label, out)?;
        out.put_padded_varint(0, 1 + more)?;
    }
    write_label(label, out)?;
    out.put_padded_varint(len, lead.len_width)
}

impl Message<'_> {
    /// Measures `row` again, for the place that it will stand at; returns its length.
    pub(super) fn place(&mut self, row: usize, position: u64) -> u64 {
        if !self.is_aligned {
            return self.len_of(row);
        }
        let mut end = position;
        for field in &mut self.fields {
            end += field.place(row, end);
        }
        end += self.unknown.map_or(0, |unknown| unknown.len(row));
        self.lens.as_mut_slice()[row - self.rows.start] = end - position;
        end - position
    }
}

impl Field<'_> {
    /// True where values are aligned, of this field or within its messages.
    pub(super) fn is_aligned(&self) -> bool {
        match &self.values {
            Values::Packed(_, _, _, lens) => matches!(lens, PackedLens::Aligned { .. }),
            Values::Message(message, _) | Values::Messages(_, message, _) => message.is_aligned,
            _ => false,
        }
    }

    fn place(&mut self, row: usize, position: u64) -> u64 {
        if !self.is_aligned() {
            return self.len_of(row);
        }
        let label = self.label;
        let mut end = position;
        match &mut self.values {
            Values::Packed(offsets, _, _, PackedLens::Aligned { width, align }) => {
                let len = (range(offsets, row).len() * *width) as u64;
                if len > 0 {
                    end += Lead::new(label, len, *align, position).len as u64 + len;
                }
            }
            Values::Message(message, frame) if self.present.has(row, || false) => {
                let len = message.place(row, end + frame.len_before(label));
                end += frame.len_around(label, len);
            }
            Values::Messages(offsets, message, frame) => {
                for at in range(offsets, row) {
                    let len = message.place(at, end + frame.len_before(label));
                    end += frame.len_around(label, len);
                }
            }
            _ => {}
        }
        end - position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::WireType;

    #[test]
    fn every_gap_is_filled_with_the_least_that_fits() {
        for number in [1, 15, 16, 2047, 2048, 536_870_911] {
            let label = Label::of_tag(number, WireType::Delimited);
            for len in [8, 127, 128, 1 << 14, 1 << 21, 1 << 28, (1 << 35) - 1, 1 << 35] {
                for (align, position) in [8, 64].into_iter().flat_map(|align| (0..130).map(move |at| (align, at))) {
                    let lead = Lead::new(label, len, align, position);
                    let own = label.len + lead.len_width;
                    let runs = lead.runs * (label.len + 1) + lead.excess;
                    assert_eq!(lead.len, own + runs, "{lead:?}");
                    assert!((position + lead.len as u64).is_multiple_of(align as u64), "{lead:?}");
                    assert!(lead.excess <= 4 * lead.runs, "{lead:?}");
                    assert!((varint::len(len)..=5.max(varint::len(len))).contains(&lead.len_width), "{lead:?}");
                    let unpadded = label.len + varint::len(len);
                    assert!(lead.len - unpadded < 3 * align, "{lead:?} wastes no more than long tags make it");
                }
            }
        }
    }
}
