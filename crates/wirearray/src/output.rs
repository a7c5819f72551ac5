//! Files written whole or not at all: under another name first, and renamed when all is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that takes the place of another, or of none, once it is complete. Dropped before that, it leaves no trace.
pub struct Replacement(Target);

enum Target {
    /// A file beside the one that it will replace.
    Beside { file: NamedTempFile<File>, path: PathBuf },
    /// Something that is no regular file, as a pipe: it cannot be replaced, only written to.
    InPlace(File),
}

impl Replacement {
    /// A file that will be `len` bytes long. The room is reserved at once where the file system can, so that a full disk
    /// is found out before anything is written.
    pub fn new(path: &Path, len: u64) -> io::Result<Self> {
        let before = match fs::metadata(path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            // A directory is refused here.
            return Ok(Self(Target::InPlace(OpenOptions::new().write(true).open(path)?)));
        }
        // A link stays one: what it leads to is replaced.
        let path = end_of_links(path);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The error of the system itself says more than the one that the builder makes of it.
        let mut refused = None;
        let mut create = |path: &Path| {
            let created = OpenOptions::new().write(true).create_new(true).open(path);
            created.inspect_err(|error| refused = error.raw_os_error())
        };
        let file = tempfile::Builder::new().prefix(".wirearray-").suffix(".tmp").make_in(directory, &mut create);
        let file = file.map_err(|error| refused.map_or(error, io::Error::from_raw_os_error))?;
        if let Some(before) = before {
            file.as_file().set_permissions(before.permissions())?;
        }
        reserve(file.as_file(), len)?;
        Ok(Self(Target::Beside { file, path }))
    }

    /// Puts the file in its place.
    pub fn commit(self) -> io::Result<()> {
        match self.0 {
            Target::Beside { file, path } => file.persist(path).map(drop).map_err(|error| error.error),
            Target::InPlace(mut file) => file.flush(),
        }
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Beside { file, .. } => file.write(bytes),
            Target::InPlace(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a path leads to, also where nothing is there yet.
fn end_of_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    if len == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, len) {
        // Not every file system can; then the length alone is set.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(len),
        reserved => reserved.map_err(Into::into),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, len: u64) -> io::Result<()> {
    file.set_len(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut replacement = Replacement::new(&path, 4).unwrap();
        replacement.write_all(b"ne").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(replacement);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
        let mut replacement = Replacement::new(&path, 3).unwrap();
        replacement.write_all(b"new").unwrap();
        replacement.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay_and_pipes_are_written_to() {
        use std::fs::Permissions;
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let mut replacement = Replacement::new(&link, 3).unwrap();
        replacement.write_all(b"new").unwrap();
        replacement.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let mut null = Replacement::new(Path::new("/dev/null"), 3).unwrap();
        null.write_all(b"new").unwrap();
        null.commit().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(Replacement::new(directory.path(), 3).is_err());
        let missing = Replacement::new(&directory.path().join("missing/file"), 3).err().unwrap();
        assert_eq!(missing.raw_os_error(), Some(rustix::io::Errno::NOENT.raw_os_error()));
    }
}
