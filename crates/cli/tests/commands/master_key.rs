//! Where the master key comes from.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use koine_testkit::Ran;

use crate::{koine, runner};

fn list(data: &Path, env: &[(&str, &str)]) -> Ran {
    let with_data = runner().env("KOINE_DATA_DIR", data.to_str().unwrap()).env("PATH", "/usr/bin:/bin");
    let with_all = env.iter().fold(with_data, |runner, (name, value)| runner.env(name, value));
    with_all.run(["environment", "list"])
}

fn write(file: &Path, text: &str, mode: u32) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn it_comes_from_a_variable_a_file_or_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let key = koine(&["key", "generate"], "").stdout;
    let (file, program) = (folder.path().join("master.key"), folder.path().join("vault"));
    write(&file, &key, 0o600);
    write(&program, &format!("#!/bin/sh\n[ \"$1 $2\" = 'read koine' ] && cat {}\n", file.display()), 0o700);
    let command = format!("{} read koine", program.display());
    for place in [
        ("KOINE_MASTER_KEY", key.as_str()),
        ("KOINE_MASTER_KEY_FILE", file.to_str().unwrap()),
        ("KOINE_MASTER_KEY_COMMAND", &command),
    ] {
        let ran = list(folder.path(), &[place]);
        assert_eq!(ran.code, 0, "{}: {ran:?}", place.0);
    }
    let other = koine(&["key", "generate"], "").stdout;
    let behind = [("KOINE_MASTER_KEY", other.as_str()), ("KOINE_MASTER_KEY_PREVIOUS", key.as_str())];
    assert_eq!(list(folder.path(), &behind).code, 0, "a database under the previous key opens");
    assert_eq!(list(folder.path(), &behind[..1]).code, 1, "and under another one it does not");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.key");
    for (mode, code) in [(0o644, 2), (0o606, 2), (0o620, 2), (0o640, 0), (0o400, 0)] {
        let _old = std::fs::remove_file(&file);
        write(&file, &koine(&["key", "generate"], "").stdout, mode);
        let data = folder.path().join(format!("{mode:o}"));
        let ran = list(&data, &[("KOINE_MASTER_KEY_FILE", file.to_str().unwrap())]);
        assert_eq!(ran.code, code, "{mode:o}: {ran:?}");
        assert_eq!(ran.stderr.contains("chmod 600"), code == 2, "{ran:?}");
    }
}

#[test]
fn what_gives_no_key_is_told_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = koine(&["key", "generate"], "").stdout;
    for (env, words) in [
        (vec![], "no master key"),
        (vec![("KOINE_MASTER_KEY", "c2VjcmV0")], "not 32 bytes"),
        (vec![("KOINE_MASTER_KEY_FILE", "/nonexistent/key")], "/nonexistent/key"),
        (vec![("KOINE_MASTER_KEY_COMMAND", "false")], "ended with exit status: 1"),
        (vec![("KOINE_MASTER_KEY_COMMAND", "true")], "holds no key"),
        (vec![("KOINE_MASTER_KEY_COMMAND", "cat $HOME/key")], "without a shell"),
    ] {
        let ran = list(folder.path(), &env);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{env:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{env:?}: {ran:?}");
        assert!(!ran.stderr.contains("c2VjcmV0") && !ran.stderr.contains(key.trim()), "{ran:?}");
    }
}
