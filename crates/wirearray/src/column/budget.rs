//! How much memory columns may take together, and the way out where there is not enough.
//!
//! Memory is taken deep within loops over numbers, which have no other way to fail and must not pay for one. So what runs short
//! unwinds, without the report of a panic, to whoever opened the budget: as [salsa] cancels its queries.
//!
//! [salsa]: https://docs.rs/salsa/latest/salsa/struct.Cancelled.html

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that may still be taken, shared by all that take from it; without a limit where there is none to share.
#[derive(Debug, Clone, Default)]
pub struct Budget(Option<Arc<Left>>);

#[derive(Debug)]
struct Left {
    bytes: AtomicUsize,
    /// What each byte of input adds.
    for_each_byte: usize,
}

/// What any input may take.
const FOR_ANY_INPUT: usize = 1 << 30;

/// What each of its bytes may take on top of that.
const FOR_EACH_BYTE: usize = 400;

/// There was not as much memory as was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The budget has no more.
    Budget,
    /// The system has no more.
    System,
}

thread_local! {
    static CURRENT: RefCell<Budget> = const { RefCell::new(Budget(None)) };
    /// Of the head start what is left; nothing where nothing is spent.
    static HEAD_START: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What the columns of some work may take together before there are values for it, in some five hundred times 64 KiB. A part
/// that was not touched is address space alone; but hostile data can bring a column with every few of their bytes.
const WHOLE_HEAD_START: usize = 32 << 20;

impl Budget {
    /// A budget of so many bytes.
    pub fn of(limit: usize) -> Self {
        Self(Some(Arc::new(Left { bytes: AtomicUsize::new(limit), for_each_byte: 0 })))
    }

    /// The budget for input of so many bytes, in a layout of which the longest default has so many.
    pub fn of_input(len: usize, longest_default: usize) -> Self {
        // The most comes of rows of two bytes, each as wide as all columns that other rows have, of two bytes each: a quarter of
        // the bytes as rows, and as columns. A value takes eight bytes, a flag, and its default.
        let most = (len / 4).saturating_mul(len / 4).saturating_mul(longest_default.saturating_add(9));
        if most < FOR_ANY_INPUT / 2 {
            return Self(None);
        }
        let budget = Self::of_stream();
        budget.feed(len);
        budget
    }

    /// The budget for input that is still to come.
    pub fn of_stream() -> Self {
        Self(Some(Arc::new(Left { bytes: AtomicUsize::new(FOR_ANY_INPUT), for_each_byte: FOR_EACH_BYTE })))
    }

    /// Notes so many bytes of input, where the budget is in proportion to them.
    pub fn feed(&self, len: usize) {
        let for_each_byte = self.0.as_ref().map_or(0, |left| left.for_each_byte);
        self.give_back(len.saturating_mul(for_each_byte));
    }

    /// The one that memory is taken from which this thread takes now.
    pub fn current() -> Self {
        CURRENT.with_borrow(Self::clone)
    }

    /// Does some work, all memory of which is taken from here, unless that runs short.
    pub fn spend<R>(&self, work: impl FnOnce() -> R) -> Result<R, Shortage> {
        // What the work has left half done is either dropped, or looked at only for where it stood.
        catch_unwind(AssertUnwindSafe(|| self.within(work))).or_else(|payload| match payload.downcast::<Shortage>() {
            Ok(shortage) => Err(*shortage),
            Err(panic) => resume_unwind(panic),
        })
    }

    /// The same for one of several threads, where another catches what runs short.
    pub fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        let is_outermost = HEAD_START.get().is_none();
        let _restore = Restore { budget: CURRENT.replace(self.clone()), is_outermost };
        if is_outermost {
            HEAD_START.set(Some(WHOLE_HEAD_START));
        }
        work()
    }

    /// How many bytes a column may start with that would like to have so many: all, unless many others have had them.
    pub fn head_start(wanted: usize) -> usize {
        let Some(left) = HEAD_START.get() else { return wanted };
        let Some(still_left) = left.checked_sub(wanted) else { return 0 };
        HEAD_START.set(Some(still_left));
        wanted
    }

    /// Takes so many bytes; unwinds where there are not as many.
    pub fn take(&self, bytes: usize) {
        if !self.try_take(bytes) {
            Shortage::Budget.unwind();
        }
    }

    /// Takes so many bytes; false where there are not as many.
    fn try_take(&self, bytes: usize) -> bool {
        let Some(left) = &self.0 else { return true };
        left.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// Gives back what was taken.
    pub fn give_back(&self, bytes: usize) {
        if let Some(left) = &self.0 {
            left.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// What was taken from a budget for as long as this is there.
#[derive(Debug, Default)]
pub struct Taken {
    budget: Budget,
    bytes: usize,
}

impl Taken {
    /// Takes so many bytes more from the budget of this thread; unwinds where there are not as many.
    pub fn add(&mut self, bytes: usize) {
        self.begin();
        self.budget.take(bytes);
        self.bytes += bytes;
    }

    /// The same for what is done where memory has run short already: takes nothing where there are not as many.
    pub(super) fn note(&mut self, bytes: usize) {
        self.begin();
        if self.budget.try_take(bytes) {
            self.bytes += bytes;
        }
    }

    fn begin(&mut self) {
        if self.bytes == 0 {
            self.budget = Budget::current();
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

impl Shortage {
    /// Leaves for whoever opened the budget.
    #[cold]
    pub(crate) fn unwind(self) -> ! {
        resume_unwind(Box::new(self))
    }
}

/// Sets the thread's budget back to what it was, however the work ends.
struct Restore {
    budget: Budget,
    /// True where nothing was spent before, and so there is no head start any more.
    is_outermost: bool,
}

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(std::mem::take(&mut self.budget));
        if self.is_outermost {
            HEAD_START.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Buffer;
    use super::*;

    #[test]
    fn what_is_taken_counts_until_it_is_given_back() {
        let budget = Budget::of(100);
        assert_eq!(budget.spend(|| Budget::current().take(60)), Ok(()));
        assert_eq!(budget.spend(|| Budget::current().take(60)), Err(Shortage::Budget));
        budget.give_back(60);
        assert_eq!(budget.spend(|| Budget::current().take(100)), Ok(()));
        assert_eq!(Budget::default().spend(|| Budget::current().take(usize::MAX)), Ok(()));
    }

    #[test]
    fn budgets_lie_within_each_other() {
        let (outer, inner) = (Budget::of(1), Budget::of(2));
        let spent = outer.spend(|| (inner.spend(|| Budget::current().take(2)), Budget::current().take(1)));
        assert_eq!(spent, Ok((Ok(()), ())));
        Budget::current().take(usize::MAX);
    }

    #[test]
    fn other_panics_pass() {
        let panic = std::panic::catch_unwind(|| Budget::of(1).spend(|| panic!("another")));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"another"));
    }

    #[test]
    fn what_streams_may_take_grows_with_them() {
        let budget = Budget::of_stream();
        assert_eq!(budget.spend(|| Budget::current().take(FOR_ANY_INPUT + 1)), Err(Shortage::Budget));
        budget.feed(10);
        assert_eq!(budget.spend(|| Budget::current().take(FOR_ANY_INPUT + 10 * FOR_EACH_BYTE)), Ok(()));
        assert_eq!(budget.spend(|| Budget::current().take(1)), Err(Shortage::Budget));
        let fixed = Budget::of(1);
        fixed.feed(10);
        assert_eq!(fixed.spend(|| Budget::current().take(2)), Err(Shortage::Budget), "it does not grow");
    }

    #[test]
    fn short_input_has_no_budget_unless_a_default_is_long() {
        let most = FOR_ANY_INPUT + 20_000 * FOR_EACH_BYTE;
        for (len, longest_default, is_bounded) in [(20_000, 0, false), (20_000, 60_000, true), (40_000, 0, true)] {
            let taken = Budget::of_input(len, longest_default).spend(|| Budget::current().take(2 * most));
            assert_eq!(taken.is_err(), is_bounded, "{len} bytes");
        }
    }

    #[test]
    fn many_columns_do_not_start_with_room_for_all_that_may_come() {
        let buffers = || (0..10_000).map(|_| Buffer::<u64>::default());
        let filled = Budget::of(WHOLE_HEAD_START + (2 << 20)).spend(|| {
            buffers()
                .map(|mut buffer| {
                    buffer.push(1, 1 << 20);
                    buffer
                })
                .collect::<Vec<_>>()
                .len()
        });
        assert_eq!(filled, Ok(10_000));
    }

    #[test]
    fn buffers_take_what_they_grow_by_and_give_it_back() {
        for bytes in [100, 100 << 10, 30 << 20] {
            let budget = Budget::of(bytes + (2 << 20));
            let fill = |len| (0..len).map(|_| 0u8).collect::<Buffer<u8>>();
            for _ in 0..3 {
                assert_eq!(budget.spend(|| fill(bytes).len()), Ok(bytes), "it is dropped each time");
            }
            let kept = budget.spend(|| fill(bytes)).unwrap();
            assert_eq!(budget.spend(|| fill(bytes + (2 << 20))).err(), Some(Shortage::Budget));
            assert!(budget.spend(|| fill(4 << 20)).is_err() || bytes < 2 << 20);
            drop(kept);
            assert!(budget.spend(|| fill(bytes)).is_ok());
        }
    }
}
