//! Memory that is made when someone looks at it.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::budget::Budget;
use super::forks;
use super::memory::Memory;
use super::table::Data;

/// Bytes that are made from others, which are let go of then. What they take comes from the budget of the call that they came of.
pub(super) struct Late {
    make: Mutex<Option<Box<dyn Fn() -> Memory + Send>>>,
    budget: Budget,
    made: OnceLock<Memory>,
}

impl Late {
    pub(super) fn new(make: impl Fn() -> Memory + Send + 'static) -> Self {
        Self { make: Mutex::new(Some(Box::new(make))), budget: Budget::current(), made: OnceLock::new() }
    }

    /// True once they have been made.
    pub(super) fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// The bytes. Where memory runs short, that unwinds, and they can be asked for again.
    #[inline(never)]
    pub(super) fn as_bytes(&self) -> &[u8] {
        if let Some(made) = self.made.get() {
            return made.as_bytes();
        }
        let made = || {
            self.made.get_or_init(|| {
                let mut make = self.make.lock().unwrap_or_else(PoisonError::into_inner);
                let making = make.as_ref().expect("what makes them is there until they are made");
                let made = self.budget.within(making);
                *make = None;
                made
            })
        };
        forks::making(made).as_bytes()
    }
}

impl Data {
    /// The memory that it is in, but for that of columns of its tables.
    pub fn memory(&self) -> impl Iterator<Item = &Memory> {
        let (offsets, values) = match self {
            Self::List(list) => (Some(list.offsets.memory()), &list.values),
            other => (None, other),
        };
        let parts = match values {
            Self::Numbers(numbers) => [Some(&numbers.values), None],
            Self::Strings(strings) => [Some(strings.offsets.memory()), Some(&strings.data)],
            Self::Table(table) => [table.validity().memory(), None],
            // The language has no repeated repeated fields.
            Self::List(_) => [None, None],
        };
        offsets.into_iter().chain(parts.into_iter().flatten())
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("made", &self.made).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, Buffer, Shortage};
    use super::*;

    fn zeros(len: usize) -> Memory {
        let mut zeros = Buffer::<u8>::default();
        zeros.fill_to(len, 0, len);
        zeros.freeze()
    }

    #[test]
    fn what_is_late_has_a_length_before_it_is_made_and_is_made_once() {
        let memory = Memory::late(5, || [1u8, 2, 3, 4, 5].into_iter().collect::<Buffer<u8>>().freeze());
        let part = memory.slice(1..3);
        assert_eq!((memory.len(), part.len(), part.is_late()), (5, 2, true));
        assert_eq!((part.as_bytes(), memory.as_bytes()), ([2, 3].as_slice(), [1, 2, 3, 4, 5].as_slice()));
        assert!(!memory.is_late() && std::ptr::eq(&memory.as_bytes()[1], &part.as_bytes()[0]));
    }

    #[test]
    fn it_takes_its_memory_from_the_budget_of_the_call_and_may_be_asked_for_again() {
        const LEN: usize = 1 << 20;
        let budget = Budget::of(LEN + LEN / 2);
        let memory = budget.spend(|| Memory::late(LEN, || zeros(LEN))).unwrap();
        let other = budget.spend(|| zeros(LEN)).unwrap();
        assert_eq!(Budget::default().spend(|| memory.as_bytes().len()), Err(Shortage::Budget));
        assert!(memory.is_late());
        drop(other);
        assert_eq!(Budget::default().spend(|| memory.as_bytes().len()), Ok(LEN));
    }
}
