//! The package's parts, without making it: that takes cargo-deb, and `tools/package-test` installs the whole.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Most that `systemd-analyze security` may find the unit exposed: 100 is everything.
const MOST_EXPOSED: u32 = 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn unit() -> String {
    std::fs::read_to_string(root().join("packaging/debian/koine.service")).unwrap()
}

#[test]
fn every_file_of_the_package_is_there_or_made() {
    let manifest = std::fs::read_to_string(root().join("crates/cli/Cargo.toml")).unwrap();
    let assets: Vec<&str> =
        manifest.split("\"../../").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let (made, kept): (Vec<&str>, Vec<&str>) =
        assets.into_iter().partition(|path| path.starts_with("packaging/made/"));
    for path in &kept {
        assert!(root().join(path).exists(), "{path}");
    }
    let script = std::fs::read_to_string(root().join("tools/package")).unwrap();
    for path in made {
        let name = path.trim_start_matches("packaging/made/").trim_end_matches("/*.1");
        assert!(script.contains(&format!("\"$made/{name}\"")), "tools/package makes no {name}");
    }
    assert!(kept.contains(&"packaging/koine.toml") && kept.contains(&"LICENSE"), "{kept:?}");
}

#[test]
fn the_unit_starts_what_is_installed_as_its_own_user() {
    let unit = unit();
    for line in [
        "ExecStart=/usr/bin/koine serve",
        "User=koine",
        "Environment=KOINE_CONFIG=/etc/koine/koine.toml",
        "LoadCredential=master.key:/etc/koine/master.key",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "UMask=0077",
        "StateDirectoryMode=0700",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    // It may take as long to end as the settings let it.
    let seconds =
        |name: &str| unit.split(name).nth(1).and_then(|rest| rest.lines().next()).unwrap().parse::<u32>();
    assert!(seconds("TimeoutStopSec=").unwrap() > 30, "shutdown_grace is 30 unless set");
}

/// As systemd reads it, where there is one.
#[test]
fn systemd_finds_no_fault_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("koine.service");
    // The program is not installed here.
    std::fs::write(&file, unit().replace("/usr/bin/koine", env!("CARGO_BIN_EXE_koine"))).unwrap();
    let analyze = |args: &[&str]| Command::new("systemd-analyze").args(args).arg(&file).output();
    let Ok(verified) = analyze(&["verify", "--man=no"]) else {
        eprintln!("skipped: there is no systemd-analyze");
        return;
    };
    // It may find fault with other units of the machine; those are not ours.
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(!said.contains("koine.service"), "{said}");
    let threshold = format!("--threshold={MOST_EXPOSED}");
    let judged = analyze(&["security", "--offline=true", "--no-pager", &threshold]).unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}
