//! Letting go on behalf of a consumer.
//!
//! Consumers call release functions from wherever they are. Who owns memory that goes with them may have to know: in Python a share
//! in an object is given back with the GIL alone, which the consumer may have released.

use std::cell::Cell;

thread_local! {
    static IS_RELEASING: Cell<bool> = const { Cell::new(false) };
}

/// True within what this thread lets go of because a consumer has called for it.
pub fn is_releasing() -> bool {
    IS_RELEASING.get()
}

/// Drops a value on behalf of a consumer.
pub(super) fn release<T>(value: T) {
    let around = IS_RELEASING.replace(true);
    drop(value);
    IS_RELEASING.set(around);
}
