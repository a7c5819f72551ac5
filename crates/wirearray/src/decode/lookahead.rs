//! What is known of the fields ahead: which of them are members of oneofs that another one replaces further on.
//!
//! Of each message that is open a window is known: as many of its next fields as were looked at, each once. Fields are told by the
//! bytes at which they start.

use std::ops::Range;

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

/// A member of a oneof that was come by in a look ahead.
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
    /// True where another was replaced before in that look.
    has_replaced: bool,
}

#[derive(Debug, Default)]
pub(super) struct Lookahead {
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
    /// How many looks have seen no member that is replaced, but for those that others made up for.
    pub(super) looks_in_vain: usize,
    /// The byte from which on the look before went.
    looked_from: usize,
    /// How many bytes of groups may still be looked at.
    pub(super) allowance: usize,
    /// The byte where something is wrong: what it is in is not passed over.
    pub(super) fault: Option<usize>,
}

/// Bytes of groups that may be looked at for each byte that has been read since the look before. To see where a group ends is to read
/// it, those within it included, which are then looked at once more, each by itself.
const GROUPS_AHEAD: usize = 2;

/// The same at the start of a message.
const GROUPS_AT_FIRST: usize = 64;

/// So many spans are known at a time, and so many of each message: what is known takes no more than a few MiB.
const MOST_SPANS: usize = 1 << 16;
const LEAST_SPANS: usize = 1 << 9;

/// So many looks are worth it where one member is replaced.
const WORTH: usize = 3;

impl Lookahead {
    /// Begins another message at that byte.
    #[inline(always)]
    pub(super) fn begin_message(&mut self, start: usize) {
        if self.look > 0 {
            self.forget();
            (self.looked_from, self.allowance) = (start, GROUPS_AT_FIRST);
        }
    }

    /// Forgets what is known, as where members are written that might be passed over: oneofs have something to forget then.
    #[inline(always)]
    pub(super) fn forget(&mut self) {
        self.windows.clear();
        self.spans.clear();
        self.clear = 0..0;
    }

    /// True where the field that starts at that byte, of the message that so many are open around, is not known to be replaced,
    /// and another look would not tell.
    #[inline(always)]
    pub(super) fn is_clear(&self, depth: u32, start: usize) -> bool {
        self.clear_depth == depth && self.clear.contains(&start)
    }

    /// True where that field has been looked at.
    pub(super) fn has_seen(&mut self, depth: u32, start: usize) -> bool {
        while let Some(inner) = self.windows.pop_if(|window| window.depth > depth) {
            self.spans.truncate(inner.first_span);
        }
        // A message that was open before at the same depth ended before this field.
        self.windows.last().is_some_and(|window| window.depth == depth && start < window.end)
    }

    /// The fields that are replaced from that one on, which has been looked at; nothing where it is not.
    pub(super) fn span_at(&mut self, depth: u32, start: usize) -> Option<Span> {
        let window = self.windows.last_mut()?;
        while self.spans.get(window.next_span).is_some_and(|span| span.end <= start) {
            window.next_span += 1;
        }
        let next = self.spans.get(window.next_span);
        match next {
            Some(span) if span.start == start => Some(*span),
            _ => {
                self.clear_depth = depth;
                self.clear = start..next.map_or(window.end, |span| span.start);
                None
            }
        }
    }

    /// Begins a look from that byte on at the fields of a message with so many oneofs.
    pub(super) fn begin(&mut self, start: usize, oneofs: usize) {
        self.look += 1;
        self.members.clear();
        self.last.resize(self.last.len().max(oneofs), Last::default());
        self.allowance += GROUPS_AHEAD.saturating_mul(start.saturating_sub(self.looked_from));
        self.looked_from = start;
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
        last.has_replaced = is_known && (former.has_replaced || is_other);
        let before = (is_known && !is_other).then_some(former.member);
        self.members.push(Member { start: range.start, end: range.end, is_checked, is_replaced: false, before });
        if is_other {
            self.replace_run(former.member);
        }
        is_other && !former.has_replaced
    }

    /// Notes that the last so many members of a oneof, which are of one field, are replaced: this one and those before it.
    fn replace_run(&mut self, last: u32) {
        let is_at_fault =
            |member: &Member| self.fault.is_some_and(|fault| (member.start..=member.end).contains(&fault));
        // Where something is wrong, its path counts what all of them have brought.
        let members = std::iter::successors(Some(last), |&member| self.members[member as usize].before);
        if self.fault.is_some() && members.clone().any(|member| is_at_fault(&self.members[member as usize])) {
            return;
        }
        let mut next = Some(last);
        while let Some(member) = next {
            let member = &mut self.members[member as usize];
            member.is_replaced = true;
            next = member.before;
        }
    }

    /// Ends a look at byte `end`.
    pub(super) fn end(&mut self, depth: u32, end: usize) {
        // The message's own window ends before this one.
        if let Some(former) = self.windows.pop_if(|window| window.depth == depth) {
            self.spans.truncate(former.first_span);
        }
        let first_span = self.spans.len();
        let (mut end, most_spans) = (end, MOST_SPANS.max(first_span + LEAST_SPANS));
        self.looks_in_vain += 1;
        for member in self.members.iter().filter(|member| member.is_replaced) {
            let &Member { start, end: member_end, is_checked, .. } = member;
            self.looks_in_vain = self.looks_in_vain.saturating_sub(WORTH);
            let is_full = self.spans.len() >= most_spans;
            match self.spans[first_span..].last_mut() {
                Some(span) if span.end == start => {
                    span.end = member_end;
                    span.is_checked &= is_checked;
                }
                _ if is_full => {
                    end = start;
                    break;
                }
                _ => self.spans.push(Span { start, end: member_end, is_checked }),
            }
        }
        self.windows.push(Window { depth, end, first_span, next_span: first_span });
    }
}
