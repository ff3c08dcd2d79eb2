//! The way to a PostgreSQL: who is believed to be it, and what the doctor says of one.

use koine_testkit::{Authority, PostgresDatabase, Ran, Runner};

use crate::runner;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A server that is there, and the authority that signed its certificate for `localhost`.
struct Setting {
    database: PostgresDatabase,
    authority: String,
    folder: tempfile::TempDir,
}

impl Setting {
    fn new() -> Option<Self> {
        let database = PostgresDatabase::create()?;
        let (_, authority) = database.by_tcp();
        Some(Self { database, authority, folder: tempfile::tempdir().unwrap() })
    }

    fn on(&self, url: &str) -> Runner {
        let data = self.folder.path().to_str().unwrap();
        runner().env("KOINE_DATABASE_URL", url).env("KOINE_DATA_DIR", data).env("KOINE_MASTER_KEY", KEY)
    }

    /// A command that needs the database, by TCP to this host and with this query.
    fn ask(&self, host: &str, query: &str, extra_ca: Option<&str>) -> Ran {
        let (mut url, _) = self.database.by_tcp();
        url.set_host(Some(host)).unwrap();
        url.set_query(Some(query));
        let command = self.on(url.as_str());
        let command = match extra_ca {
            Some(file) => command.env("KOINE_EXTRA_CA_FILE", file),
            None => command,
        };
        let ran = command.run(["doctor", "-o", "json"]);
        assert!(!format!("{ran:?}").contains(url.password().unwrap()), "{ran:?}");
        ran
    }
}

fn over_tls(ran: &Ran) -> bool {
    ran.stdout.contains("over TLS")
}

#[test]
fn a_server_is_believed_by_its_authority_and_name() {
    let Some(setting) = Setting::new() else { return };
    let right = Some(setting.authority.as_str());
    let file = setting.folder.path().join("other.pem");
    std::fs::write(&file, Authority::new().pem()).unwrap();
    let other = file.to_str();
    for (host, query, extra_ca) in [
        ("localhost", "sslmode=verify-full", right),
        ("127.0.0.1", "sslmode=verify-ca", right),
        // Encrypted, and nobody is asked who it is.
        ("localhost", "sslmode=require", None),
        // The authority is for vendors then: what worked without it goes on working.
        ("localhost", "sslmode=require", other),
    ] {
        let ran = setting.ask(host, query, extra_ca);
        assert!(ran.code == 0 && over_tls(&ran), "{host} {query}: {ran:?}");
    }
    let named = format!("sslmode=require&sslrootcert={}", file.display());
    for (host, query, extra_ca, why) in [
        ("localhost", "sslmode=verify-full", None, "UnknownIssuer"),
        ("localhost", "sslmode=verify-full", other, "UnknownIssuer"),
        ("127.0.0.1", "sslmode=verify-full", right, "not valid for name"),
        // As libpq has it: who names an authority wants it asked.
        ("localhost", named.as_str(), right, "UnknownIssuer"),
        ("localhost", "sslmode=verify-full", Some("/nowhere.pem"), "KOINE_EXTRA_CA_FILE /nowhere.pem"),
    ] {
        let ran = setting.ask(host, query, extra_ca);
        assert!(ran.code == 1 && ran.stdout.contains(why) && !over_tls(&ran), "{host} {query}: {ran:?}");
    }
}

#[test]
fn the_doctor_knows_its_schema_and_its_rights() {
    let Some(setting) = Setting::new() else { return };
    let own = setting.on(&setting.database.url());
    let told = |words: &str| {
        let ran = own.run(["doctor", "-o", "json"]);
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
        ran.code
    };
    assert_eq!(told("there is none yet"), 0);
    assert_eq!(
        setting.database.run("SELECT to_regclass('environments') IS NULL").trim(),
        "t",
        "it changed nothing"
    );
    assert_eq!(own.run(["token", "create", "--name", "x"]).code, 0);
    assert_eq!(told("the master key is this database's"), 0);
    assert_eq!(told("the database's agrees with ours"), 0);
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    setting.database.run(newer);
    assert_eq!(told("schema 9999 is newer than this build's"), 1);
    setting.database.run("DELETE FROM _sqlx_migrations WHERE version > 2");
    assert_eq!(told("schema 2, and this build has"), 0);
}
