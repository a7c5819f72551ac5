//! Calls that go as deep as data are nested, whatever the size of the thread's stack.

/// The bytes of stack that must be left for one level more, and for all that it calls but the next.
const LEAST: usize = 64 << 10;

/// The bytes of stack that a level takes of calls that do not ask at each.
const LEVEL: usize = 4 << 10;

/// The bytes of a further stack, for some hundred levels.
const MORE: usize = 1 << 20;

/// Does the work of one level of something nested, on a further stack where little of this one is left.
#[inline]
pub fn deeper<R>(work: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(LEAST, MORE, work)
}

/// Does work that goes no more than so many levels deep, on a further stack where there is not enough of this one for all.
pub fn for_levels<R>(levels: u32, work: impl FnOnce() -> R) -> R {
    let most = LEAST + levels as usize * LEVEL;
    stacker::maybe_grow(most, most + MORE, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_deeper_than_their_stack() {
        fn depth(left: usize) -> usize {
            let room = std::hint::black_box([left; 64]);
            if left == 0 { 0 } else { deeper(|| 1 + depth(left - 1)) + room[0] - left }
        }
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(|| depth(100_000));
        assert_eq!(thread.unwrap().join().unwrap(), 100_000);
    }
}
