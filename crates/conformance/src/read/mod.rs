//! Readers: each takes one way of writing a specification into the one form, [`Specification`].

mod discovery;
mod hyper;
mod openapi2;
mod openapi3;
mod paths;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::schema::Schemas;
use crate::specification::{Operation, Specification};

/// Why a file is no specification.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Neither JSON nor YAML.
    #[error("{file}: {why}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser says.
        why: String,
    },
    /// A document of another kind.
    #[error("{0}: this is no OpenAPI 2 or 3, Google Discovery or JSON hyper-schema document")]
    Kind(String),
}

impl Specification {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or parsed, or is no specification.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Unreadable::Missing { file: path.to_owned(), source })?;
        Self::parse(&path.file_name().unwrap_or_default().to_string_lossy(), &text)
    }

    /// Reads a document: JSON, or YAML when the file's name ends so.
    ///
    /// # Errors
    /// When it cannot be parsed, or is no specification.
    pub fn parse(file: &str, text: &str) -> Result<Self, Unreadable> {
        let failed = |why: String| Unreadable::Syntax { file: file.to_owned(), why };
        let document: Value = if file.ends_with(".yaml") || file.ends_with(".yml") {
            // Specifications are large, but hold no more aliases than other files.
            let budget =
                serde_saphyr::budget! { max_events: 20_000_000, max_nodes: 20_000_000, max_depth: 200 };
            let bounds = serde_saphyr::options! { budget: budget, with_snippet: false };
            serde_saphyr::from_str_with_options(text, bounds).map_err(|error| failed(error.to_string()))?
        } else {
            serde_json::from_str(text).map_err(|error| failed(error.to_string()))?
        };
        let (operations, names) = operations(&document).ok_or_else(|| Unreadable::Kind(file.to_owned()))?;
        Ok(Self { file: file.to_owned(), operations, schemas: Schemas::new(document, names) })
    }
}

/// The operations, and where a bare name in `$ref` points.
fn operations(document: &Value) -> Option<(Vec<Operation>, &'static str)> {
    let starts = |key: &str, with: &str| {
        let version = document
            .get(key)
            .map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned));
        version.is_some_and(|version| version.starts_with(with))
    };
    if starts("openapi", "3") {
        Some((openapi3::operations(document), ""))
    } else if starts("swagger", "2") {
        Some((openapi2::operations(document), ""))
    } else if document.get("discoveryVersion").is_some() {
        Some((discovery::operations(document), "/schemas"))
    } else if starts("$schema", "http")
        && document["$schema"].as_str().is_some_and(|it| it.contains("hyper-schema"))
    {
        Some((hyper::operations(document), ""))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use crate::Specification;
    use crate::schema::Direction;

    #[test]
    fn yaml_may_have_numbers_as_keys() {
        let text = "openapi: 3.0.0\npaths:\n  /on:\n    get:\n      responses:\n        200: {description: Fine.}\n        404: {description: None.}\n";
        let specification = Specification::parse("a.yaml", text).unwrap();
        let statuses = specification.operations[0].answers.iter().map(|answer| answer.status.to_string());
        assert_eq!(statuses.collect::<Vec<_>>(), ["200", "404"]);
    }

    /// Every schema of an operation, and the way that it travels.
    fn schemas(specification: &Specification) -> Vec<(String, Value, Direction)> {
        let mut all = Vec::new();
        for operation in &specification.operations {
            let mut add = |schema: &Value, direction| all.push((operation.name(), schema.clone(), direction));
            operation.parameters.iter().for_each(|it| add(&it.schema, Direction::Request));
            let sent = operation.body.iter().flat_map(|body| &body.contents);
            sent.filter_map(|it| it.schema.as_ref()).for_each(|it| add(it, Direction::Request));
            let back = operation.answers.iter().flat_map(|answer| &answer.contents);
            back.filter_map(|it| it.schema.as_ref()).for_each(|it| add(it, Direction::Answer));
        }
        all
    }

    #[test]
    fn every_specification_can_be_read_and_every_schema_of_it_used() {
        let Some(folder) = std::env::var_os("KOINE_VENDOR_SPECS") else {
            eprintln!("SKIPPED: KOINE_VENDOR_SPECS names no folder of vendors' specifications");
            return;
        };
        let mut wrong = Vec::new();
        for entry in std::fs::read_dir(Path::new(&folder)).unwrap() {
            let path = entry.unwrap().path();
            let specification = match Specification::read(&path) {
                Ok(specification) => specification,
                Err(error) => {
                    wrong.push(error.to_string());
                    continue;
                }
            };
            let schemas = schemas(&specification);
            if specification.operations.is_empty() || schemas.is_empty() {
                wrong.push(format!("{}: nothing in it", specification.file));
            }
            for (operation, schema, direction) in schemas {
                if let Err(why) = specification.schemas.validator(&schema, direction) {
                    wrong.push(format!("{}: {operation}: {direction:?}: {why}", specification.file));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
