//! Types and arrays as the structs of the C data interface, and what their release functions free.

#![allow(unsafe_code, reason = "the functions that consumers call get the structs as raw pointers")]

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};

use super::abi::{ArrowArray, ArrowSchema};
use super::releasing::release;
use super::{Array, Field};
use crate::column::Memory;

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
        debug_assert!(!buffers.iter().flatten().any(Memory::is_late), "an array is made of what is there");
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
    release(parts);
    array.release = None;
}
