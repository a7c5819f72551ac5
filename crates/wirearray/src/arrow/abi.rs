//! The three structs of Arrow's C data interface, with which libraries hand columns to each other without a copy.
//!
//! Their layout is that of <https://arrow.apache.org/docs/format/CDataInterface.html> and, of the stream,
//! <https://arrow.apache.org/docs/format/CStreamInterface.html>. Whoever holds one has to release it once, which dropping
//! it does; one that has been moved elsewhere has no release function any more.

#![allow(unsafe_code, reason = "the structs hold raw pointers, which other libraries' functions make and release")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use super::{Array, Field};
use crate::column::Memory;

/// The flag of a field that may have nulls.
pub(super) const NULLABLE: i64 = 2;

/// The type of a column and of all columns within it.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowSchema {
    pub(super) format: *const c_char,
    pub(super) name: *const c_char,
    metadata: *const c_char,
    pub(super) flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *mut *mut ArrowSchema,
    pub(super) dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
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
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

/// Arrays of one type, one after the other.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArrayStream {
    get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// A struct that whoever holds it has to release.
trait Released: Sized {
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
// Handing out

/// What a schema of ours points to.
struct SchemaParts {
    _texts: [CString; 2],
    _metadata: Option<Vec<u8>>,
    children: Vec<*mut ArrowSchema>,
    dictionary: *mut ArrowSchema,
}

/// What an array of ours points to.
struct ArrayParts {
    _memories: Vec<Option<Memory>>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    dictionary: *mut ArrowArray,
}

impl From<Field> for ArrowSchema {
    fn from(field: Field) -> Self {
        let Field { name, format, flags, metadata, children, dictionary } = field;
        // No name of the language has a zero byte, and no format.
        let texts = [format.as_str(), &name].map(|text| CString::new(text).unwrap_or_default());
        let metadata = (!metadata.is_empty()).then(|| metadata_bytes(&metadata));
        let [format, name] = texts.each_ref().map(|text| text.as_ptr());
        let mut parts = Box::new(SchemaParts {
            _texts: texts,
            children: children.into_iter().map(|child| Box::into_raw(Box::new(Self::from(child)))).collect(),
            dictionary: dictionary.map_or(null_mut(), |values| Box::into_raw(Box::new(Self::from(*values)))),
            _metadata: metadata,
        });
        Self {
            format,
            name,
            metadata: parts._metadata.as_ref().map_or(null(), |bytes| bytes.as_ptr().cast()),
            flags,
            n_children: parts.children.len() as i64,
            children: parts.children.as_mut_ptr(),
            dictionary: parts.dictionary,
            release: Some(release_schema),
            private_data: Box::into_raw(parts).cast(),
        }
    }
}

/// The number of entries, and of each the length and the bytes of key and value; all lengths of 32 bits.
fn metadata_bytes(entries: &[(&str, String)]) -> Vec<u8> {
    let len = |bytes: &str| i32::try_from(bytes.len()).unwrap_or_default().to_ne_bytes();
    let mut bytes = i32::try_from(entries.len()).unwrap_or_default().to_ne_bytes().to_vec();
    for text in entries.iter().flat_map(|(key, value)| [*key, value.as_str()]) {
        bytes.extend(len(text));
        bytes.extend(text.as_bytes());
    }
    bytes
}

impl From<Array> for ArrowArray {
    fn from(array: Array) -> Self {
        let Array { len, null_count, buffers, children, dictionary } = array;
        let start =
            |memory: &Option<Memory>| memory.as_ref().map_or(null(), |memory| memory.as_bytes().as_ptr().cast());
        let mut parts = Box::new(ArrayParts {
            buffers: buffers.iter().map(start).collect(),
            children: children.into_iter().map(|child| Box::into_raw(Box::new(Self::from(child)))).collect(),
            dictionary: dictionary.map_or(null_mut(), |values| Box::into_raw(Box::new(Self::from(*values)))),
            _memories: buffers,
        });
        Self {
            length: len as i64,
            null_count: null_count as i64,
            offset: 0,
            n_buffers: parts.buffers.len() as i64,
            n_children: parts.children.len() as i64,
            buffers: parts.buffers.as_mut_ptr(),
            children: parts.children.as_mut_ptr(),
            dictionary: parts.dictionary,
            release: Some(release_array),
            private_data: Box::into_raw(parts).cast(),
        }
    }
}

/// Drops what a schema of ours points to. Children that the consumer has moved elsewhere have no release function here.
unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: the interface has a consumer call this once, with a struct that `from` has made.
    let schema = unsafe { &mut *schema };
    // SAFETY: `from` made it of a box of this type, and only the first call gets here.
    let parts = unsafe { Box::from_raw(schema.private_data.cast::<SchemaParts>()) };
    for child in parts.children.iter().copied().chain([parts.dictionary]).filter(|child| !child.is_null()) {
        // SAFETY: `from` made each of a box, which is taken once.
        drop(unsafe { Box::from_raw(child) });
    }
    schema.release = None;
}

/// The same for an array.
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: the interface has a consumer call this once, with a struct that `from` has made.
    let array = unsafe { &mut *array };
    // SAFETY: `from` made it of a box of this type, and only the first call gets here.
    let parts = unsafe { Box::from_raw(array.private_data.cast::<ArrayParts>()) };
    for child in parts.children.iter().copied().chain([parts.dictionary]).filter(|child| !child.is_null()) {
        // SAFETY: `from` made each of a box, which is taken once.
        drop(unsafe { Box::from_raw(child) });
    }
    array.release = None;
}

/// A stream of one array.
struct StreamParts {
    field: Field,
    array: Option<Array>,
}

impl ArrowArrayStream {
    /// A stream that gives one array, and then ends.
    pub fn of_one(field: Field, array: Array) -> Self {
        let parts = Box::new(StreamParts { field, array: Some(array) });
        Self {
            get_schema: Some(give_schema),
            get_next: Some(give_next),
            get_last_error: Some(give_no_error),
            release: Some(release_stream),
            private_data: Box::into_raw(parts).cast(),
        }
    }
}

unsafe extern "C" fn give_schema(stream: *mut ArrowArrayStream, place: *mut ArrowSchema) -> c_int {
    // SAFETY: the interface has a consumer call this with a stream that `of_one` has made, one function at a time.
    let stream = unsafe { &*stream };
    // SAFETY: `of_one` made it of a box of this type, which lives until the stream is released.
    let parts = unsafe { &*stream.private_data.cast::<StreamParts>() };
    // SAFETY: the interface has the consumer give a place to write to, which holds nothing to be released.
    unsafe { place.write(parts.field.clone().into()) };
    0
}

unsafe extern "C" fn give_next(stream: *mut ArrowArrayStream, place: *mut ArrowArray) -> c_int {
    // SAFETY: the interface has a consumer call this with a stream that `of_one` has made, one function at a time.
    let stream = unsafe { &*stream };
    // SAFETY: `of_one` made it of a box of this type, which lives until the stream is released.
    let parts = unsafe { &mut *stream.private_data.cast::<StreamParts>() };
    let next = parts.array.take().map_or(ArrowArray::RELEASED, ArrowArray::from);
    // SAFETY: the interface has the consumer give a place to write to, which holds nothing to be released.
    unsafe { place.write(next) };
    0
}

unsafe extern "C" fn give_no_error(_stream: *mut ArrowArrayStream) -> *const c_char {
    null()
}

unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: the interface has a consumer call this once, with a struct that `of_one` has made.
    let stream = unsafe { &mut *stream };
    // SAFETY: `of_one` made it of a box of this type, and only the first call gets here.
    drop(unsafe { Box::from_raw(stream.private_data.cast::<StreamParts>()) });
    stream.release = None;
}

// ---------------------------------------------------------------------------------------------------------------------
// Taking

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
