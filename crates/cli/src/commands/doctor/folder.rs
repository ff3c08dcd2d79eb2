//! The folder of the gateway's data: whose it is.

use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::Access;

use super::finding::Findings;
use crate::config::Config;

/// Looks at it; a missing one is made by the gateway.
pub(super) fn check(findings: &mut Findings, config: &Config) {
    let folder = &config.settings.data_dir;
    let Ok(metadata) = std::fs::metadata(folder) else { return };
    let (path, mode) = (folder.display(), metadata.permissions().mode() & 0o777);
    if let Err(error) = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        findings.error(
            "folder",
            format!("{path} cannot be written to: {error}"),
            format!("run this as the gateway's user; if this is it: chown {path} to it, and chmod 0700"),
        );
    } else if mode & 0o077 != 0 {
        findings.warning(
            "folder",
            format!("{path} has mode {mode:o}: others than its owner may enter it"),
            format!("chmod 0700 {path}"),
        );
    } else {
        findings.ok("folder", format!("{path} is its owner's alone"));
    }
}
