//! Documents with any of their parts replaced: they are refused or used, and nothing gives up.

use std::path::PathBuf;

use koine_connector::catalogue;
use serde_json::Value;

use super::*;

fn here(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).join(path)
}

fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(inner, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(number, inner)| pointers(inner, &format!("{at}/{number}"), all));
        }
        _ => {}
    }
}

/// The exchanges of the made-up connector's fixtures, and what its facts say.
async fn made_up() -> (Vec<Seen>, SpecificationFile) {
    let folder = here("folder");
    let material = Material {
        catalogue: Arc::new(Catalogue::with_folder(&folder).unwrap_or_else(|problems| panic!("{problems}"))),
        files: Files::new(),
        fixtures: catalogue::fixtures(Some(&folder)).unwrap(),
    };
    let facts = material.catalogue.connector("acme").unwrap().facts.specification[0].clone();
    (exchanges(&material, "acme").await.unwrap(), facts)
}

#[tokio::test]
async fn any_document_is_refused_or_used() {
    let (seen, facts) = made_up().await;
    let odd = [json!(null), json!(7), json!("{"), json!([]), json!({}), json!([[{}]]), json!({"$ref": "#"})];
    for file in ["acme.yaml", "dialects/swagger.yaml", "dialects/discovery.yaml", "dialects/hyper.yaml"] {
        let document: Value = serde_saphyr::from_str(&std::fs::read_to_string(here(file)).unwrap()).unwrap();
        let mut all = Vec::new();
        pointers(&document, "", &mut all);
        let mut used = 0;
        for (number, pointer) in all.iter().enumerate() {
            let mut changed = document.clone();
            *changed.pointer_mut(pointer).unwrap() = odd[number % odd.len()].clone();
            if let Ok(specification) = Specification::parse("a.json", &changed.to_string()) {
                report::of("acme", &[Against::new(specification, &facts)], &seen, Vec::new(), Vec::new());
                used += 1;
            }
        }
        assert!(used > 50, "{file}: {used} of {} could be read", all.len());
    }
}
