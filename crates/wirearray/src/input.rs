//! Files as bytes: mapped where the system can, read where it cannot.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "maps files"))]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

#[cfg(not(feature = "safe"))]
use memmap2::{Advice, Mmap};

use crate::column::Owner;

/// The bytes of a file, without a copy where it can be mapped.
///
/// A mapped file must not be cut short while its bytes are in use: the system then ends the process with `SIGBUS`.
/// Replacing it by renaming another over it is safe. Where neither can be promised, [`read`] it.
pub fn open(path: &Path) -> io::Result<Owner> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // A pipe or a file of `/proc` has no length and nothing to map, and some file systems map nothing at all.
    if metadata.is_file()
        && metadata.len() > 0
        && let Ok(mapped) = map(&file)
    {
        return Ok(mapped);
    }
    read_all(file)
}

/// The bytes of a file as they are now: whatever becomes of it does not matter.
pub fn read(path: &Path) -> io::Result<Owner> {
    read_all(File::open(path)?)
}

fn read_all(mut file: File) -> io::Result<Owner> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Arc::new(bytes))
}

#[cfg(not(feature = "safe"))]
fn map(file: &File) -> io::Result<Owner> {
    // SAFETY: nothing is written through the mapping. That no one cuts the file short is asked of the caller above; other
    // writers can change values meanwhile; the decoder bounds every access by lengths of slices, never by what it read.
    let mapping = unsafe { Mmap::map(file) }?;
    // Advice only: the pages are wanted once, in order.
    let _ = mapping.advise(Advice::Sequential);
    Ok(Arc::new(mapping))
}

/// Another process can change a mapped file, so mapping it makes a promise that safe code cannot.
#[cfg(feature = "safe")]
fn map(_file: &File) -> io::Result<Owner> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_every_sort_are_read_whole() {
        let directory = std::env::temp_dir();
        let path = directory.join(format!("wirearray-input-{}", std::process::id()));
        for bytes in [b"".as_slice(), b"some bytes"] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!((*open(&path).unwrap()).as_ref(), bytes);
            assert_eq!((*read(&path).unwrap()).as_ref(), bytes);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(open(&path).err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
        assert_eq!(open(&directory).err().map(|error| error.kind()), Some(io::ErrorKind::IsADirectory));
    }
}
