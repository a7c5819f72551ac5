//! What is known of the fields ahead: which of them are members of oneofs that another one replaces further on.
//!
//! Of each message that is open a window is known: as many of its next fields as were looked at, each once. Fields are told by the
//! bytes at which they start. It begins once members have been replaced often, and ends where that was in vain.

use std::ops::Range;

use crate::column::Taken;

/// So many members are replaced before anyone looks ahead.
const OFTEN: usize = 4;

/// After so many looks in vain no one looks until as many have been replaced again: data may be fine but for some.
const IN_VAIN: usize = 64;

/// So many looks are worth it where one member is replaced.
const WORTH: usize = 3;

/// A look goes over so many fields at the least, and over so many for each oneof of the message: what the last members replace that
/// are in sight is not seen, and those should be few of all.
const LEAST_AHEAD: usize = 1 << 10;
const AHEAD_OF_EACH: usize = 16;

/// So many spans are known at a time, and so many of each message that is open. Two are apart by a field, so that a look goes over
/// no more than twice as many fields.
const MOST_SPANS: usize = 1 << 15;
const LEAST_SPANS: usize = LEAST_AHEAD / 2;

/// Tags within groups that may be looked at for each byte that has been read since the look before. To see where a group ends is to
/// read it, those within it included, which are then looked at once more, each by itself.
const TAGS_AHEAD: usize = 2;

/// The same at the start of a message.
const TAGS_AT_FIRST: usize = 64;

/// Fields of a message, one right behind the other, all of them members that others replace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// True where nothing is wrong with any of them. Others are still to be checked.
    pub(super) is_checked: bool,
}

/// The fields of an open message that were looked at.
#[derive(Debug)]
struct Window {
    /// How many messages are open around that one.
    depth: u32,
    /// The byte at which the first field starts that was not looked at.
    end: usize,
    /// Where its spans start in the list of all.
    first_span: usize,
    /// Where the next of them stands there.
    next_span: usize,
}

/// A member of a oneof that was come by in a look.
#[derive(Debug)]
struct Member {
    start: usize,
    end: usize,
    is_checked: bool,
    is_replaced: bool,
    /// Where the one before stands that the oneof had, as long as that is of the same field.
    before: Option<u32>,
}

/// The last member of a oneof that was come by.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    /// In which look.
    look: u64,
    column: u16,
    member: u32,
    /// True where another is replaced before it, as far as that look has gone.
    has_replaced: bool,
}

/// What is known, and whether it is worth to look.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    /// How many members were replaced that had been written.
    replaced: usize,
    /// How many looks have seen no member that is replaced, but for those that others made up for.
    looks_in_vain: usize,
    /// Windows of messages that are open, and of some that were, the innermost last.
    windows: Vec<Window>,
    spans: Vec<Span>,
    /// Fields of the message at that depth that start in there are not replaced, or not known to be.
    clear: Range<usize>,
    clear_depth: u32,
    /// The members of the current look.
    members: Vec<Member>,
    /// For each oneof of the message.
    last: Vec<Last>,
    look: u64,
    /// The byte from which on the look before went.
    looked_from: usize,
    /// How many tags within groups may still be looked at.
    pub(super) allowance: usize,
    /// The byte where something is wrong.
    fault: Option<usize>,
    /// What the lists take.
    taken: Taken,
    taken_len: usize,
}

impl Lookahead {
    /// Notes that a member was replaced that had been written.
    #[inline(always)]
    pub(super) fn note_replaced(&mut self) {
        self.replaced = self.replaced.saturating_add(1);
        if self.replaced == OFTEN {
            self.clear = 0..0;
        }
    }

    /// Begins a message at that byte.
    #[inline(always)]
    pub(super) fn begin_message(&mut self, start: usize) {
        // Where no one has looked there is nothing to forget, as in nearly all data.
        if self.look > 0 {
            self.windows.clear();
            self.spans.clear();
            self.clear = 0..0;
            (self.looked_from, self.allowance) = (start, TAGS_AT_FIRST);
        }
    }

    /// Notes at which byte of the next message something is wrong, where that is known: what it is in is not passed over.
    pub(super) fn set_fault(&mut self, fault: Option<usize>) {
        self.fault = fault;
    }

    /// True where the field that starts at that byte, of the message that so many are open around, is or may be replaced.
    #[inline(always)]
    pub(super) fn is_due(&self, depth: u32, start: usize) -> bool {
        // What has been seen stays true, and is passed over, also where no one looks any more.
        let is_looked_for = self.replaced >= OFTEN || !self.windows.is_empty();
        is_looked_for && !(self.clear_depth == depth && self.clear.contains(&start))
    }

    /// True where that field has been looked at.
    pub(super) fn has_seen(&mut self, depth: u32, start: usize) -> bool {
        while let Some(past) = self.windows.pop_if(|window| window.depth > depth || window.end <= start) {
            self.spans.truncate(past.first_span);
        }
        self.windows.last().is_some_and(|window| window.depth == depth)
    }

    /// True where it is worth to look at the fields from that one on, up to the end of the message.
    pub(super) fn is_worth_it(&mut self, depth: u32, start: usize, end: usize) -> bool {
        if self.replaced < OFTEN {
            self.clear_depth = depth;
            self.clear = start..end;
        }
        self.replaced >= OFTEN
    }

    /// The fields that are replaced from that one on, which has been looked at; nothing where it is not.
    pub(super) fn span_at(&mut self, depth: u32, start: usize) -> Option<Span> {
        let window = self.windows.last_mut()?;
        while self.spans.get(window.next_span).is_some_and(|span| span.end <= start) {
            window.next_span += 1;
        }
        let next = self.spans.get(window.next_span).copied();
        let span = next.filter(|span| span.start == start);
        if span.is_none() {
            self.clear_depth = depth;
            self.clear = start..next.map_or(window.end, |span| span.start);
        }
        span
    }

    /// Begins a look from that byte on at the fields of a message with so many oneofs, which has not been seen; returns how many it
    /// goes over.
    pub(super) fn begin(&mut self, start: usize, oneofs: usize) -> usize {
        self.look += 1;
        self.members.clear();
        self.last.resize(self.last.len().max(oneofs), Last::default());
        self.allowance += TAGS_AHEAD.saturating_mul(start.saturating_sub(self.looked_from));
        self.looked_from = start;
        let spans = MOST_SPANS.saturating_sub(self.spans.len()).max(LEAST_SPANS);
        (AHEAD_OF_EACH * oneofs).max(LEAST_AHEAD).min(2 * spans)
    }

    /// Notes that a member of a oneof comes next, the field in place `column`; true where it is the first one in this look that
    /// replaces others.
    pub(super) fn note(&mut self, oneof: u16, column: u16, range: Range<usize>, is_checked: bool) -> bool {
        // There are no more than a look goes over.
        let member = self.members.len() as u32;
        let Some(last) = self.last.get_mut(usize::from(oneof)) else { return false };
        let former = std::mem::replace(last, Last { look: self.look, column, member, has_replaced: false });
        let is_known = former.look == self.look;
        let is_other = is_known && former.column != column;
        let before = (is_known && !is_other).then_some(former.member);
        self.members.push(Member { start: range.start, end: range.end, is_checked, is_replaced: false, before });
        let has_replaced = is_other && self.replace_run(former.member);
        self.last[usize::from(oneof)].has_replaced = has_replaced || is_known && former.has_replaced;
        has_replaced && !former.has_replaced
    }

    /// Notes that the last members of a oneof are replaced, which are of one field: this one and those before it. False where that is
    /// to be kept open.
    fn replace_run(&mut self, last: u32) -> bool {
        if let Some(fault) = self.fault {
            // Where something is wrong, its path counts what all of them have brought.
            let mut run = std::iter::successors(Some(last), |&member| self.members[member as usize].before);
            let is_at_fault = |member: &Member| (member.start..=member.end).contains(&fault);
            if run.any(|member| is_at_fault(&self.members[member as usize])) {
                return false;
            }
        }
        let mut next = Some(last);
        while let Some(member) = next {
            let member = &mut self.members[member as usize];
            member.is_replaced = true;
            next = member.before;
        }
        true
    }

    /// Ends a look at byte `end`.
    pub(super) fn end(&mut self, depth: u32, end: usize) {
        let first_span = self.spans.len();
        self.looks_in_vain += 1;
        for &Member { start, end, is_checked, .. } in self.members.iter().filter(|member| member.is_replaced) {
            self.looks_in_vain = self.looks_in_vain.saturating_sub(WORTH);
            match self.spans[first_span..].last_mut() {
                Some(span) if span.end == start => {
                    span.end = end;
                    span.is_checked &= is_checked;
                }
                _ => self.spans.push(Span { start, end, is_checked }),
            }
        }
        self.windows.push(Window { depth, end, first_span, next_span: first_span });
        if self.looks_in_vain >= IN_VAIN {
            (self.replaced, self.looks_in_vain) = (0, 0);
        }
        self.count();
    }

    /// Takes from the budget what the lists take more than before.
    fn count(&mut self) {
        let len = self.spans.capacity() * size_of::<Span>() + self.members.capacity() * size_of::<Member>();
        if len > self.taken_len {
            self.taken.add(len - self.taken_len);
            self.taken_len = len;
        }
    }
}
