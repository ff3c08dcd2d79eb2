//! The master key: is it there, is it one, and who else can read it.

use std::os::unix::fs::PermissionsExt as _;

use koine_settings::{Origin, Read};
use koine_store::Vault;

use super::finding::Findings;
use crate::config::Config;

/// Who else reads the key's file, and whether more than one place of a key is set.
pub(super) fn places(findings: &mut Findings, read: &Read) {
    if let Some(file) = &read.settings.master_key_file
        && let Ok(metadata) = std::fs::metadata(file)
        && metadata.permissions().mode() & 0o067 == 0o040
    {
        // More than that is refused where the key is read.
        let path = file.display();
        findings.warning(
            "keys",
            format!("{path} can be read by its group, which can then decrypt the credentials"),
            format!("chmod 0600 {path}, unless the group is the gateway's own"),
        );
    }
    let names = ["master_key", "master_key_file", "master_key_command"];
    let set: Vec<&str> = names.into_iter().filter(|name| *read.origin(name) != Origin::Default).collect();
    if set.len() > 1 {
        findings.warning(
            "keys",
            format!("{} are set; the one set closest to the command counts", set.join(" and ")),
            "keep one of them",
        );
    }
}

/// The keys, if they are some.
pub(super) async fn vault(findings: &mut Findings, config: &Config) -> Option<Vault> {
    let advice = "set KOINE_MASTER_KEY_FILE to the key that this database was made with, or make one for a new database";
    let read = match config.master_keys() {
        Ok(keys) => keys.all().await.map(|all| (keys, all.len())),
        Err(failure) => Err(failure),
    };
    match read {
        Ok((keys, count)) => {
            let previous = if count > 1 { ", with older ones beside it" } else { "" };
            findings.ok("keys", format!("the master key is 32 bytes{previous}"));
            Some(Vault::with_source(keys.clone()))
        }
        Err(failure) => {
            findings.error("keys", failure.message, advice);
            None
        }
    }
}
