//! `koine migrate`, `koine export`, `koine import`.

use std::path::Path;

use crate::{Ran, runner};

/// 32 bytes, each key its own.
const KEYS: [&str; 2] =
    ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="];

/// Runs a command on the installation in this folder.
fn run(folder: &Path, key: &str, args: &[&str]) -> Ran {
    runner().env("KOINE_DATA_DIR", folder.to_str().unwrap()).env("KOINE_MASTER_KEY", key).run(args)
}

#[test]
fn what_migrating_would_do_is_told_before() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = |option: &[&str]| run(folder.path(), KEYS[0], &[&["migrate"], option].concat());
    let told = migrate(&["--dry-run"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stdout.contains("-- 1 initial\n") && told.stdout.contains("CREATE TABLE environments"));
    let status = migrate(&["--status"]);
    assert!(status.stdout.contains("pending") && !status.stdout.contains("applied"), "{status:?}");
    assert!(!folder.path().join("koine.db").exists(), "nothing was done yet");
    let done = migrate(&[]);
    assert!(done.code == 0 && done.stdout.contains("initial"), "{done:?}");
    let status = migrate(&["--status"]);
    assert!(status.stdout.contains("applied") && !status.stdout.contains("pending"), "{status:?}");
    assert_eq!(migrate(&["--dry-run"]).stdout, "");
}

#[test]
fn an_installation_moves_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let (from, to) = (place("from"), place("to"));
    let made = run(&from, KEYS[0], &["environment", "create", "production"]);
    assert_eq!(made.code, 0, "{made:?}");
    let (file, phrase, short) = (place("koine.export"), place("phrase"), place("short"));
    std::fs::write(&phrase, "a passphrase for the move\n").unwrap();
    std::fs::write(&short, "short\n").unwrap();
    let move_it = |folder: &Path, key: &str, verb: &str, phrase: &Path| {
        let args = [verb, file.to_str().unwrap(), "--passphrase-file", phrase.to_str().unwrap()];
        run(folder, key, &args)
    };
    let refused = move_it(&from, KEYS[0], "export", &short);
    assert!(refused.code != 0 && refused.stderr.contains("fewer than 12"), "{refused:?}");
    let exported = move_it(&from, KEYS[0], "export", &phrase);
    assert_eq!((exported.code, exported.stderr.as_str()), (0, ""));
    let again = move_it(&from, KEYS[0], "export", &phrase);
    assert!(again.code == 2 && again.stderr.contains("exists; export into a new file"), "{again:?}");
    // Another folder, and another master key.
    let imported = move_it(&to, KEYS[1], "import", &phrase);
    assert_eq!((imported.code, imported.stderr.as_str()), (0, ""));
    let list = run(&to, KEYS[1], &["environment", "list"]);
    assert!(list.stdout.contains("production"), "{list:?}");
    let twice = move_it(&to, KEYS[1], "import", &phrase);
    assert!(twice.code == 1 && twice.stderr.contains("needs an empty database"), "{twice:?}");
}
