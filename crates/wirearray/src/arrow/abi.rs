//! The three structs of Arrow's C data interface, with which libraries hand columns to each other without a copy.
//!
//! Their layout is that of <https://arrow.apache.org/docs/format/CDataInterface.html> and, of the stream,
//! <https://arrow.apache.org/docs/format/CStreamInterface.html>. Whoever holds one has to release it once, which dropping
//! it does; one that has been moved elsewhere has no release function any more.

#![allow(unsafe_code, reason = "the structs hold raw pointers, which other libraries' functions make and release")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use crate::column::Memory;

/// The flag of a field that may have nulls.
pub(super) const NULLABLE: i64 = 2;

/// The type of a column and of all columns within it.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowSchema {
    pub(super) format: *const c_char,
    pub(super) name: *const c_char,
    pub(super) metadata: *const c_char,
    pub(super) flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *mut *mut ArrowSchema,
    pub(super) dictionary: *mut ArrowSchema,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub(super) private_data: *mut c_void,
}

/// The buffers of a column and of all columns within it.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArray {
    pub(super) length: i64,
    pub(super) null_count: i64,
    pub(super) offset: i64,
    pub(super) n_buffers: i64,
    pub(super) n_children: i64,
    pub(super) buffers: *mut *const c_void,
    pub(super) children: *mut *mut ArrowArray,
    pub(super) dictionary: *mut ArrowArray,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub(super) private_data: *mut c_void,
}

/// Arrays of one type, one after the other.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArrayStream {
    pub(super) get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    pub(super) get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    pub(super) get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub(super) private_data: *mut c_void,
}

/// A struct that whoever holds it has to release.
pub(super) trait Released: Sized {
    /// One that has been released, or moved elsewhere.
    const RELEASED: Self;

    fn release(&self) -> Option<unsafe extern "C" fn(*mut Self)>;
}

impl Released for ArrowSchema {
    const RELEASED: Self = Self {
        format: null(),
        name: null(),
        metadata: null(),
        flags: 0,
        n_children: 0,
        children: null_mut(),
        dictionary: null_mut(),
        release: None,
        private_data: null_mut(),
    };

    fn release(&self) -> Option<unsafe extern "C" fn(*mut Self)> {
        self.release
    }
}

impl Released for ArrowArray {
    const RELEASED: Self = Self {
        length: 0,
        null_count: 0,
        offset: 0,
        n_buffers: 0,
        n_children: 0,
        buffers: null_mut(),
        children: null_mut(),
        dictionary: null_mut(),
        release: None,
        private_data: null_mut(),
    };

    fn release(&self) -> Option<unsafe extern "C" fn(*mut Self)> {
        self.release
    }
}

impl Released for ArrowArrayStream {
    const RELEASED: Self =
        Self { get_schema: None, get_next: None, get_last_error: None, release: None, private_data: null_mut() };

    fn release(&self) -> Option<unsafe extern "C" fn(*mut Self)> {
        self.release
    }
}

macro_rules! held_once {
    ($($name:ident),*) => {$(
        // SAFETY: the interface asks producers for structs that may be used and released on any thread.
        unsafe impl Send for $name {}
        // SAFETY: as above; shared access reads the struct and what it points to, which no one changes.
        unsafe impl Sync for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                if let Some(release) = self.release() {
                    // SAFETY: a struct with a release function has not been released, and no one else holds this one.
                    unsafe { release(self) }
                }
            }
        }

        impl $name {
            /// Takes the struct from where a producer has left it, and leaves one that has been released; nothing where
            /// someone else has taken it.
            ///
            /// # Safety
            ///
            /// There has to be such a struct, which follows the interface, and no one may use it meanwhile.
            pub unsafe fn take(place: *mut Self) -> Option<Self> {
                // SAFETY: the caller promises a struct there that no one else uses.
                let taken = unsafe { place.replace(Self::RELEASED) };
                taken.release.is_some().then_some(taken)
            }
        }
    )*};
}

held_once!(ArrowSchema, ArrowArray, ArrowArrayStream);

// ---------------------------------------------------------------------------------------------------------------------
// Reading what others have made

impl ArrowSchema {
    /// The type in the letters of the interface.
    pub(super) fn format(&self) -> &str {
        text(self.format)
    }

    pub(super) fn name(&self) -> &str {
        text(self.name)
    }

    /// The type of a column within it; nothing where there is none, or it has been released.
    pub(super) fn child(&self, index: usize) -> Option<&Self> {
        as_ref(pointed_to(self.children, self.n_children, index)?)
    }

    /// The type of the values, where the entries are numbers of values.
    pub(super) fn dictionary(&self) -> Option<&Self> {
        as_ref(self.dictionary)
    }
}

impl ArrowArray {
    /// A column within it; nothing where there is none, or it has been released.
    pub(super) fn child(&self, index: usize) -> Option<&Self> {
        as_ref(pointed_to(self.children, self.n_children, index)?)
    }

    /// The values, where the entries are numbers of values.
    pub(super) fn dictionary(&self) -> Option<&Self> {
        as_ref(self.dictionary)
    }

    /// True where a buffer is somewhere.
    pub(super) fn has_buffer(&self, number: usize) -> bool {
        pointed_to(self.buffers, self.n_buffers, number).is_some_and(|start| !start.is_null())
    }

    /// The first `len` bytes of a buffer, which `whole` keeps: this array, or one that it lies within. Nothing where there is
    /// no such buffer, or no memory holds that many; without a byte nothing has to be there.
    pub(super) fn buffer(&self, whole: &Arc<Self>, number: usize, len: usize) -> Option<Memory> {
        let start: *const c_void = pointed_to(self.buffers, self.n_buffers, number)?;
        if (start.is_null() && len > 0) || isize::try_from(len).is_err() {
            return None;
        }
        let start = if len == 0 { std::ptr::dangling() } else { start.cast() };
        Some(Memory::lent(Arc::new(Foreign { _whole: Arc::clone(whole), start, len })))
    }
}

/// Bytes of an array's buffer.
struct Foreign {
    _whole: Arc<ArrowArray>,
    start: *const u8,
    len: usize,
}

// SAFETY: the interface asks producers for buffers that any thread may read; the array that has them is kept.
unsafe impl Send for Foreign {}
// SAFETY: as above; the bytes are only read.
unsafe impl Sync for Foreign {}

impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the interface has producers keep a buffer of the length that follows from the type and the number of entries,
        // which is what `buffer` was asked for, until the array is released; and that is kept. `buffer` has checked that it is
        // not null, and not longer than slices are.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

fn text<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: the interface has texts end with a zero byte, and live as long as their struct, which callers borrow.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// What a pointer leads to, unless it has been released.
fn as_ref<'a, T: Released>(pointer: *mut T) -> Option<&'a T> {
    // SAFETY: the interface has a pointer to a struct be null or lead to one that lives as long as the one around it, which
    // callers borrow.
    unsafe { pointer.as_ref() }.filter(|found| found.release().is_some())
}

/// One of the pointers in a list of so many. No more of the list is touched, since some count more than there are.
fn pointed_to<T: Copy>(list: *const T, count: i64, index: usize) -> Option<T> {
    let is_there = usize::try_from(count).is_ok_and(|count| index < count);
    if list.is_null() || !is_there || index > isize::MAX as usize / size_of::<T>() {
        return None;
    }
    // SAFETY: the interface has the list be of that length, and live as long as the struct, which callers borrow; it is there
    // and long enough by the checks above, which also keep the distance within what pointers can go.
    let place = unsafe { list.add(index) };
    // SAFETY: as above; nothing is asked of where it lies.
    Some(unsafe { place.read_unaligned() })
}

impl ArrowArrayStream {
    /// The type of the arrays, or what the producer says is wrong.
    pub fn schema(&mut self) -> Result<ArrowSchema, String> {
        let mut schema = ArrowSchema::RELEASED;
        let get_schema = self.get_schema.ok_or_else(no_function)?;
        // SAFETY: the stream has not been released, since whoever holds it cannot have called that; the place is ours.
        let status = unsafe { get_schema(self, &mut schema) };
        self.check(status)?;
        Ok(schema)
    }

    /// The next array, if there is one, or what the producer says is wrong.
    pub fn next_array(&mut self) -> Result<Option<ArrowArray>, String> {
        let mut array = ArrowArray::RELEASED;
        let get_next = self.get_next.ok_or_else(no_function)?;
        // SAFETY: as for `schema`.
        let status = unsafe { get_next(self, &mut array) };
        self.check(status)?;
        Ok(array.release.is_some().then_some(array))
    }

    fn check(&mut self, status: c_int) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: as for `schema`.
        let text = self.get_last_error.map_or(null(), |get_last_error| unsafe { get_last_error(self) });
        // SAFETY: the interface has the text be null or end with a zero byte, and live until the next call.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned());
        Err(text.unwrap_or_else(|| std::io::Error::from_raw_os_error(status).to_string()))
    }
}

fn no_function() -> String {
    "the stream has been released".to_owned()
}
