use super::*;
use crate::{LogFormat, SocketAt};

fn file(text: &str) -> Sources {
    Sources { file: Some(config(text)), ..Sources::default() }
}

fn config(text: &str) -> ConfigFile {
    ConfigFile { path: "koine.toml".into(), text: text.to_owned(), public: false }
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    let mut sources =
        file("listen = \"127.0.0.1:1\"\nlog = 'warn'\nlog_format = \"json\"\nupstream_timeout = 7");
    sources.variables =
        pairs(&[("KOINE_LISTEN", "127.0.0.1:2"), ("KOINE_LOG", "error"), ("KOINE_DATA_DIR", " ")]);
    sources.flags = pairs(&[("listen", "127.0.0.1:3")]);
    let read = read(&sources).unwrap();
    assert_eq!(read.settings.listen, SocketAt::Tcp("127.0.0.1:3".to_owned()));
    assert_eq!((read.settings.log.as_str(), read.settings.log_format), ("error", LogFormat::Json));
    assert_eq!(read.settings.upstream_timeout.get().as_secs(), 7);
    assert_eq!(read.settings.data_dir, PathBuf::from("koine-data"), "a blank variable is none");
    let origins: Vec<_> = ["listen", "log", "log_format", "data_dir", "public_url"]
        .map(|name| read.origin(name).to_string())
        .into();
    assert_eq!(origins, ["--listen", "KOINE_LOG", "koine.toml:3", "default", "default"]);
    assert_eq!(read.in_force.len(), TABLE.len());
}

#[test]
fn arrays_and_tables_are_read_where_they_fit() {
    let sources = file(
        "allow_addresses = [\"10.0.0.0/8\", '::1']\ntrusted_proxies = '10.0.0.1'\n\
         [base_urls]\nokta = \"http://127.0.0.1:1/okta\"\n\"okta https://id.example.com\" = 'http://127.0.0.1:1/id'",
    );
    let settings = read(&sources).unwrap().settings;
    assert_eq!(settings.allow_addresses.shown(), "10.0.0.0/8,::1/128");
    assert_eq!(settings.trusted_proxies.shown(), "10.0.0.1/32");
    assert_eq!(settings.base_urls.map().len(), 2);
    let wrong = "listen = ['a:1']\nlog = {a = 1}\nbase_urls = ['a']\nallow_addresses = [['a']]\ndata_dir = 2020-01-01";
    assert_eq!(
        read(&file(wrong)).unwrap_err(),
        [
            "koine.toml:1: `listen` is an array, not `host:port`, or `unix:` and an absolute path",
            "koine.toml:2: `log` is a table, not text",
            "koine.toml:3: `base_urls` is an array, not a table of URLs; as text, a JSON object",
            "koine.toml:4: `allow_addresses` is an array within an array, not ranges such as `10.0.0.0/8`, or single addresses",
            "koine.toml:5: `data_dir` is a date, not a path",
        ]
    );
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let mut sources = file(
        "# mine\nlistn = 'x:1'\nupstream_timeout = 0\nlog_format = \"xml\"\nshutdown_grace = \nnonsense = 1\n",
    );
    sources.variables = pairs(&[("KOINE_ALLOW_ADDRESSES", "10.0.0.0/8, ten")]);
    sources.flags = pairs(&[("public-url", "koine.example.com")]);
    let problems = read(&sources).unwrap_err();
    assert!(problems[0].starts_with("koine.toml:5: "), "what is no TOML: {problems:?}");
    assert_eq!(
        problems[1..],
        [
            "koine.toml:2: `listn` is no setting; did you mean `listen`?",
            "koine.toml:6: `nonsense` is no setting",
            "--public-url: `koine.example.com` is not a URL; it should look like https://koine.example.com",
            "KOINE_ALLOW_ADDRESSES: `ten` is not a range such as 10.0.0.0/8",
            "koine.toml:3: `upstream_timeout`: `0` is not 1 to 300 (seconds)",
            "koine.toml:4: `log_format`: `xml` is neither `text` nor `json`",
        ]
    );
}

#[test]
fn an_empty_value_is_a_problem_where_there_must_be_one() {
    let settings = read(&file("trusted_proxies = ''\nallow_addresses = []")).unwrap().settings;
    assert!(settings.trusted_proxies.ranges().is_empty());
    assert_eq!(read(&file("data_dir = ''")).unwrap_err(), ["koine.toml:1: `data_dir`: it is empty"]);
    assert!(read(&file("listen = 'a:1'\nlisten = 'b:1'")).is_err(), "twice");
}

#[test]
fn secrets_are_never_shown_and_come_from_no_flag() {
    let mut sources = file("database_url = \"postgres://koine:hunter2@db/koine\"\nmaster_key = 'hunter2'");
    sources.variables = pairs(&[("KOINE_EGRESS_PROXY", "http://me:hunter2@proxy:3128")]);
    sources.flags = pairs(&[("master-key", "AAAA"), ("egress-proxy", "http://other")]);
    let read_well = read(&sources).unwrap();
    let told = format!("{read_well:?}");
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(read_well.settings.master_key.as_ref().unwrap().expose(), "hunter2");
    assert_eq!(read_well.origin("egress_proxy").to_string(), "KOINE_EGRESS_PROXY");
    assert!(!format!("{:?}", sources.file).contains("hunter2"));

    sources.file.as_mut().unwrap().public = true;
    let problems = read(&sources).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].ends_with("every user can read this file: `chmod o= koine.toml`"), "{problems:?}");

    sources.variables = pairs(&[("KOINE_EGRESS_PROXY", "proxy:hunter2"), ("KOINE_DATABASE_URL", "hunter2")]);
    sources.file = None;
    let problems = read(&sources).unwrap_err().join("\n");
    assert!(problems.contains("KOINE_EGRESS_PROXY") && !problems.contains("hunter2"), "{problems}");
}

#[test]
fn a_misspelt_variable_is_noticed_and_others_are_not() {
    let sources = Sources {
        variables: pairs(&[
            ("KOINE_LISTN", "x"),
            ("KOINE_CONFIG", "x"),
            ("KOINE_SERVICE_HOST", "10.0.0.1"),
            ("LISTEN", "x"),
        ]),
        ..Sources::default()
    };
    assert_eq!(read(&sources).unwrap().warnings, ["KOINE_LISTN is no setting; did you mean KOINE_LISTEN?"]);
}

#[test]
fn every_default_is_a_value_and_every_name_has_three_spellings() {
    let read = read(&Sources::default()).unwrap();
    for one in &read.in_force {
        assert_eq!(one.value.is_some(), one.setting.default.is_some(), "{}", one.setting.name);
    }
    let grace = TABLE.iter().find(|setting| setting.name == "shutdown_grace").unwrap();
    assert_eq!(
        (grace.variable().as_str(), grace.flag().as_deref()),
        ("KOINE_SHUTDOWN_GRACE", Some("shutdown-grace"))
    );
    let key = TABLE.iter().find(|setting| setting.name == "master_key").unwrap();
    assert_eq!(key.flag(), None);
}
