//! Files that show which nodes of this machine live: each holds a lock on its own, which the operating system drops
//! with the process. So a server that starts again after a crash need not wait for the lease of the one before.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A folder with one file for each node that uses it.
pub(crate) struct NodeFiles(PathBuf);

/// A living node's file. Its lock goes with this value.
pub(crate) struct Mark {
    path: PathBuf,
    _locked: File,
}

impl Mark {
    /// For an orderly end: nobody needs to find out about it.
    pub(crate) fn remove(self) {
        // What stays behind is taken for a dead node's, which it is.
        let _ = fs::remove_file(&self.path);
    }
}

impl NodeFiles {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Marks a node as alive; `None` where there can be no such file. Then only its lease tells.
    pub(crate) fn mark(&self, node: Uuid) -> Option<Mark> {
        match self.locked(node) {
            Ok(mark) => Some(mark),
            Err(error) => {
                tracing::warn!(folder = %self.0.display(), error = %error,
                    "no file can mark this node as alive; after a crash others wait for its lease to end");
                None
            }
        }
    }

    fn locked(&self, node: Uuid) -> io::Result<Mark> {
        private_folder(&self.0)?;
        // Under another name until it is locked: nobody may find it unlocked.
        let (draft, path) = (self.0.join(format!(".{node}")), self.0.join(node.to_string()));
        let file = File::create(&draft)?;
        file.try_lock()?;
        fs::rename(&draft, &path)?;
        Ok(Mark { path, _locked: file })
    }

    /// The nodes whose process is dead. Each is told until [`Self::forget`].
    pub(crate) fn dead(&self) -> Vec<Uuid> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let nodes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        nodes.filter(|node| self.is_unlocked(*node)).collect()
    }

    fn is_unlocked(&self, node: Uuid) -> bool {
        File::open(self.0.join(node.to_string())).is_ok_and(|file| file.try_lock().is_ok())
    }

    /// Removes a dead node's file.
    pub(crate) fn forget(&self, node: Uuid) {
        // If it stays, it is told again, which changes nothing.
        let _ = fs::remove_file(self.0.join(node.to_string()));
    }
}

/// What is made of its path is its owner's alone: the folder of the data may be among it.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_without_its_lock_is_a_dead_nodes() {
        let folder = tempfile::tempdir().unwrap();
        let files = NodeFiles::new(folder.path().join("nodes"));
        assert!(files.dead().is_empty());
        let (living, dead, left) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let _living = files.mark(living).unwrap();
        drop(files.mark(dead));
        files.mark(left).unwrap().remove();
        assert_eq!(files.dead(), [dead]);
        files.forget(dead);
        assert!(files.dead().is_empty());
    }

    #[test]
    fn without_a_folder_there_is_no_mark() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let files = NodeFiles::new(file.path().join("nodes"));
        assert!(files.mark(Uuid::from_u128(1)).is_none() && files.dead().is_empty());
    }
}
