//! Processes that fork while a thread makes what was put off.
//!
//! Others wait for that thread. In the process that a fork makes it is not there, and they would wait for ever. So who forks waits
//! first until nothing is being made, and keeps everyone from beginning to.

use std::cell::{Cell, RefCell};
use std::iter::repeat_with;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};
use std::thread;
use std::time::Duration;

static MAKING: RwLock<()> = RwLock::new(());

/// True while a thread waits to fork, or forks: one that makes one thing after the other lets it go first.
static IS_FORKING: AtomicBool = AtomicBool::new(false);

/// How long a thread waits for one that forks, in milliseconds: which takes less, or waits itself for something that this thread
/// holds.
const PATIENCE: usize = 100;

thread_local! {
    /// True where this thread has waited long enough for the one that forks now.
    static IS_PATIENCE_OVER: Cell<bool> = const { Cell::new(false) };
    /// True while this thread makes something, which may need something else to be made.
    static IS_MAKING: Cell<bool> = const { Cell::new(false) };
    static HELD: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Makes something that others wait for.
pub(super) fn making<R>(make: impl FnOnce() -> R) -> R {
    // The guard is dropped on unwinding, too.
    let _guard = Guard::take();
    make()
}

struct Guard(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>);

impl Guard {
    fn take() -> Option<Self> {
        // A thread that waited for itself would wait for ever, and one that forks holds it.
        if IS_MAKING.get() || HELD.with_borrow(Option::is_some) {
            return None;
        }
        let mut tries = repeat_with(|| {
            let guard = if IS_FORKING.load(Ordering::Relaxed) { None } else { locked(MAKING.try_read()) };
            if guard.is_none() && !IS_PATIENCE_OVER.get() {
                thread::sleep(Duration::from_millis(1));
            }
            guard
        });
        let most = if IS_PATIENCE_OVER.get() { 1 } else { PATIENCE };
        let guard = tries.by_ref().take(most).flatten().next();
        IS_PATIENCE_OVER.set(guard.is_none());
        IS_MAKING.set(guard.is_some());
        guard.map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        IS_MAKING.set(false);
    }
}

/// Keeps everyone from beginning to make something, before this thread forks; false where something is being made, and this has to be
/// asked again. What makes something may fork itself, and goes on in both processes.
pub fn hold_makers() -> bool {
    if IS_MAKING.get() {
        return true;
    }
    IS_FORKING.store(true, Ordering::Relaxed);
    let guard = locked(MAKING.try_write());
    HELD.with_borrow_mut(|held| {
        *held = guard;
        held.is_some()
    })
}

/// Lets them go on, in the process that has forked and in the other one.
pub fn let_makers_go() {
    IS_FORKING.store(false, Ordering::Relaxed);
    HELD.take();
}

/// The lock, whatever happened to who held it before: it keeps nothing.
fn locked<G>(tried: TryLockResult<G>) -> Option<G> {
    match tried {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvTimeoutError;

    use super::*;

    #[test]
    fn who_makes_something_may_fork_meanwhile() {
        assert!(making(|| hold_makers() && making(|| true)));
        let_makers_go();
    }

    #[test]
    fn who_forks_waits_for_those_who_make_and_they_for_who_forks() {
        making(|| {
            // One within another, as what is made later may hold what is made later.
            making(|| assert!(!std::thread::spawn(hold_makers).join().unwrap()));
            assert!(!std::thread::spawn(hold_makers).join().unwrap());
            let_makers_go();
        });
        // Other tests may be making something.
        while !hold_makers() {
            std::thread::yield_now();
        }
        let (made, other) = std::sync::mpsc::channel();
        std::thread::spawn(move || making(|| made.send(7).unwrap()));
        assert_eq!(other.recv_timeout(Duration::from_millis(20)), Err(RecvTimeoutError::Timeout));
        assert_eq!(making(|| 8), 8, "who holds it may make something");
        let_makers_go();
        assert_eq!(other.recv(), Ok(7));
    }
}
