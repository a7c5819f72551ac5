//! Arrays, one after the other, as the stream of the C data interface.

#![allow(unsafe_code, reason = "the functions that consumers call get the structs as raw pointers")]

use std::any::Any;
use std::ffi::{CString, c_char, c_int};
use std::iter::once;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema, Released};
use super::releasing::release;
use super::{Array, Field};

/// Why there is no next array, for whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveError {
    /// A number of the system's: consumers choose their exceptions by it.
    pub number: c_int,
    /// What is wrong.
    pub text: String,
}

/// What a stream gives: arrays of one type. What is behind an error is not asked for.
pub type Arrays = Box<dyn Iterator<Item = Result<Array, GiveError>> + Send>;

/// What a stream of ours points to.
struct StreamParts {
    field: Field,
    arrays: Option<Arrays>,
    /// What the consumer can ask for after an error.
    text: Option<CString>,
}

impl ArrowArrayStream {
    /// A stream that gives one array, and then ends.
    pub fn of_one(field: Field, array: Array) -> Self {
        Self::of(field, Box::new(once(Ok(array))))
    }

    /// A stream that gives arrays as they are asked for.
    pub fn of(field: Field, arrays: Arrays) -> Self {
        let parts = Box::new(StreamParts { field, arrays: Some(arrays), text: None });
        Self {
            get_schema: Some(give_schema),
            get_next: Some(give_next),
            get_last_error: Some(give_last_error),
            release: Some(release_stream),
            private_data: Box::into_raw(parts).cast(),
        }
    }
}

impl StreamParts {
    /// The next array; nothing at the end, and behind an error.
    fn next(&mut self) -> Result<Option<Array>, GiveError> {
        let Some(arrays) = &mut self.arrays else { return Ok(None) };
        // Nothing may unwind into the consumer, which is of another language.
        let next = catch_unwind(AssertUnwindSafe(|| arrays.next().transpose()));
        let next = next.unwrap_or_else(|panic| Err(GiveError { number: EIO, text: text_of(&*panic) }));
        if !matches!(next, Ok(Some(_))) {
            release(self.arrays.take());
        }
        next
    }
}

/// The system's number for what went wrong outside of a program's reach.
const EIO: c_int = 5;

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the producer panicked").to_owned()
}

unsafe extern "C" fn give_schema(stream: *mut ArrowArrayStream, place: *mut ArrowSchema) -> c_int {
    // SAFETY: the interface has a consumer call this with a stream that `of` has made, one function at a time.
    let stream = unsafe { &*stream };
    // SAFETY: `of` made it of a box of this type, which lives until the stream is released.
    let parts = unsafe { &*stream.private_data.cast::<StreamParts>() };
    // SAFETY: the interface has the consumer give a place to write to, which holds nothing to be released.
    unsafe { place.write(parts.field.clone().into()) };
    0
}

unsafe extern "C" fn give_next(stream: *mut ArrowArrayStream, place: *mut ArrowArray) -> c_int {
    // SAFETY: the interface has a consumer call this with a stream that `of` has made, one function at a time.
    let stream = unsafe { &*stream };
    // SAFETY: `of` made it of a box of this type, which lives until the stream is released.
    let parts = unsafe { &mut *stream.private_data.cast::<StreamParts>() };
    let next = match parts.next() {
        Ok(next) => next.map_or(ArrowArray::RELEASED, ArrowArray::from),
        Err(error) => {
            parts.text = Some(CString::new(error.text.replace('\0', " ")).unwrap_or_default());
            return if error.number == 0 { EIO } else { error.number };
        }
    };
    // SAFETY: the interface has the consumer give a place to write to, which holds nothing to be released.
    unsafe { place.write(next) };
    0
}

unsafe extern "C" fn give_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: the interface has a consumer call this with a stream that `of` has made, one function at a time.
    let stream = unsafe { &*stream };
    // SAFETY: `of` made it of a box of this type, which lives until the stream is released.
    let parts = unsafe { &*stream.private_data.cast::<StreamParts>() };
    parts.text.as_ref().map_or(null(), |text| text.as_ptr())
}

unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: the interface has a consumer call this once, with a struct that `of` has made.
    let stream = unsafe { &mut *stream };
    // SAFETY: `of` made it of a box of this type, and only the first call gets here.
    release(unsafe { Box::from_raw(stream.private_data.cast::<StreamParts>()) });
    stream.release = None;
}
