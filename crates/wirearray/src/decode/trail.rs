//! Messages that look like the one before: the same fields in the same order.
//!
//! Most messages of a batch do. So the tags of the next message are looked up once, and those after it only compared with
//! them. The values of a block of messages are gathered in a lane for each field, and then each lane goes to its column as a
//! whole. A message that differs, be it by a fault, is left to the loop over fields, as if nothing had been read of it. That
//! the field that is expected is tried first is the idea of the fast paths in the generated parsers of upb and C++.

use super::frame::rows_left;
use super::lane::{Land, Lane, land_of};
use super::{Decoder, Input, Views};
use crate::column::TableId;
use crate::plan::{MessagePlan, Op};
use crate::simd;
use crate::wire::{Cursor, Tag};

/// Messages whose values are gathered before they go to their columns: enough that the way there is cheap, and little enough
/// that all lanes of most messages stay in the first cache.
pub(super) const BLOCK: usize = 64;

/// A message with more fields is not worth the comparison.
const MOST_HOPS: usize = 64;

/// A trail that more messages follow was worth finding.
const WORTH: usize = 8;

/// The most messages that are read without looking for a trail again.
const LONGEST_REST: usize = 1024;

/// Where messages of one type come from, one after the other.
pub(super) trait Source<'a> {
    /// The next message, if there is one.
    fn next(&mut self) -> Option<Message<'a>>;
    /// Takes back the last messages that it gave.
    fn put_back(&mut self, messages: &[Message<'a>]);
    /// How many bytes can still come, the next message's among them.
    fn len_left(&self) -> usize;
}

/// A message in an input.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// The input, which ends with the message.
    pub(super) input: Input<'a>,
    /// The byte at which its first field's tag starts.
    pub(super) start: usize,
    /// The byte at which its own tag starts, where it has one.
    pub(super) tag_start: usize,
}

/// Whether it is worth to look for a trail.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Messages to be read before the next look.
    rest: usize,
    /// How many they were after the last one.
    last_rest: usize,
}

impl Patience {
    /// True where a look is due; to be asked once a message.
    #[inline(always)]
    pub(super) fn is_over(&mut self) -> bool {
        let is_over = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        is_over
    }

    fn learn(&mut self, followed: usize) {
        self.last_rest = if followed >= WORTH { 0 } else { (2 * self.last_rest + 1).min(LONGEST_REST) };
        self.rest = self.last_rest;
    }
}

/// A field of the messages on a trail.
struct Hop<'a> {
    /// Its tag of one byte or two, the first one lowest.
    tag: u16,
    /// The bits of the two bytes that belong to it.
    tag_bits: u16,
    tag_len: usize,
    lane: Lane<'a>,
    /// Where its values go: the number of the column in the batch, and how they are put there. Nowhere, where it is skipped.
    landing: Option<(usize, Land)>,
}

impl<'p> Decoder<'p> {
    /// Reads messages as long as they look like the first of them; returns how many. They go to the rows of `table` from
    /// `row` on.
    pub(super) fn follow<'a>(
        &mut self,
        source: &mut impl Source<'a>,
        plan: &'p MessagePlan,
        table: TableId,
        row: usize,
    ) -> usize {
        let mut followed = 0;
        let Some(first) = source.next() else { return 0 };
        let hops = self.find_trail(plan, table, first);
        source.put_back(&[first]);
        if let Some(mut hops) = hops {
            let mut block = [first; BLOCK];
            loop {
                let at_most = rows_left(source.len_left());
                let gathered = gather_block(&mut hops, source, &mut block);
                let landed = self.land(&hops, row + followed, gathered, at_most);
                // A value that is not what it has to be is left to the loop over fields, which says so.
                source.put_back(&block[landed..gathered]);
                followed += landed;
                if landed < BLOCK {
                    break;
                }
            }
        }
        self.patience.learn(followed);
        followed
    }

    /// The fields of a message, where each can be a hop.
    fn find_trail<'a>(&self, plan: &MessagePlan, table: TableId, message: Message<'a>) -> Option<Vec<Hop<'a>>> {
        let Message { input: Input { bytes, .. }, start, .. } = message;
        let mut cursor = Cursor::new(bytes);
        cursor.enter(bytes, start);
        let mut hops: Vec<Hop<'a>> = Vec::new();
        while !cursor.is_at_end() {
            let before = cursor.position();
            let tag = cursor.read_tag().ok()?;
            let tag_len = cursor.position() - before;
            let landing = self.landing(plan, table, tag)?;
            let number = landing.map(|(number, _)| number);
            let is_double = landing.is_some() && hops.iter().any(|hop| hop.landing.map(|(number, _)| number) == number);
            if tag_len > 2 || is_double || hops.len() == MOST_HOPS {
                return None;
            }
            let tag_bits = if tag_len == 1 { 0x00ff } else { 0xffff };
            let first_two = u16::from_le_bytes(*bytes[before..].first_chunk()?);
            cursor.skip_value(tag, 0, 0).ok()?;
            let lane = Lane::new(tag.wire_type())?;
            hops.push(Hop { tag: first_two & tag_bits, tag_bits, tag_len, lane, landing });
        }
        Some(hops)
    }

    /// Where the values behind a tag go; nothing where it cannot be a hop.
    #[expect(clippy::option_option, reason = "what is skipped is a hop, and goes nowhere")]
    fn landing(&self, plan: &MessagePlan, table: TableId, tag: Tag) -> Option<Option<(usize, Land)>> {
        let step = plan.step(tag);
        match step.op {
            Op::Skip if self.options.keep_unknown => None,
            // An entry of a map may depend on a value that is not selected, and so may a oneof.
            Op::Notice if plan.is_map_entry => None,
            _ if step.is_in_oneof => None,
            Op::Skip | Op::Notice => Some(None),
            Op::AppendPacked(_) if self.options.views != Views::Never => None,
            op => Some(Some((self.batch.column_number(table, step.column)?, land_of(op)?))),
        }
    }

    /// Puts `count` values of each lane into the rows from `row` on; returns how many rows could be filled so.
    fn land(&mut self, hops: &[Hop<'_>], row: usize, count: usize, at_most: usize) -> usize {
        let mut landed = count;
        for hop in hops {
            if let Some((number, land)) = hop.landing {
                landed = land(self.batch.column(number), &hop.lane, row, landed, at_most);
            }
        }
        if landed < count {
            for (number, _) in hops.iter().filter_map(|hop| hop.landing) {
                self.batch.column(number).truncate(row + landed);
            }
        }
        landed
    }
}

/// Gathers the values of up to a block of messages with exactly these fields; returns how many they were.
#[inline(never)]
fn gather_block<'a>(hops: &mut [Hop<'a>], source: &mut impl Source<'a>, block: &mut [Message<'a>; BLOCK]) -> usize {
    for (index, slot) in block.iter_mut().enumerate() {
        let Some(message) = source.next() else { return index };
        *slot = message;
        if gather(hops, message, index).is_none() {
            source.put_back(&[message]);
            return index;
        }
    }
    BLOCK
}

#[inline(always)]
fn gather<'a>(hops: &mut [Hop<'a>], message: Message<'a>, index: usize) -> Option<()> {
    let mut rest = message.input.bytes.get(message.start..)?;
    simd::prefetch_behind(rest);
    for hop in hops {
        let tag = u16::from_le_bytes(*rest.first_chunk()?);
        if tag & hop.tag_bits != hop.tag {
            return None;
        }
        rest = hop.lane.gather(rest.get(hop.tag_len..)?, index)?;
    }
    rest.is_empty().then_some(())
}

#[cfg(test)]
#[path = "trail_tests.rs"]
mod tests;
