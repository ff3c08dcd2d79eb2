//! An installation as a file, and back: every row of every table that is not this installation's own.

use std::io::{Read, Write};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use zeroize::Zeroizing;

use super::{DbConnection, DbRow, SqlStore, begin, begin_reading, columns, row, schema};
use crate::export::{Archive, Column, EXPORTED_TABLES as TABLES, ExportKey, Kind, Reader, Writer};
use crate::vault::Wrapped;
use crate::{StoreError, Vault};

/// How many rows make a part.
const ROWS: usize = 200;
/// The columns whose values depend on the master key, each with the one that names the row. In the file they are bare.
const UNDER_THE_MASTER_KEY: &[(&str, &str, &str)] =
    &[("environments", "id", "data_key_sealed"), ("installation_keys", "name", "sealed")];
/// Tables that a new database has its own rows of, which those of the file replace.
const REPLACED: &[&str] = &["audit_head"];

/// Some rows of one table.
#[derive(Serialize, Deserialize)]
struct Part {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

#[async_trait]
impl Archive for SqlStore {
    async fn export(&self, key: &ExportKey, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let mut writer = Writer::new(to, &self.vault, key, schema())?;
        let mut transaction = begin_reading(&self.read).await?;
        for table in TABLES {
            let columns = columns(&mut transaction, table).await?;
            self.export_table(&mut transaction, table, &columns, &mut writer).await?;
        }
        writer.end()
    }

    async fn import(&self, key: &ExportKey, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let mut reader = Reader::new(from, &self.vault, key)?;
        if reader.schema != schema() {
            let what = format!(
                "the file has schema {} and this koine has schema {}; export and import with the same koine",
                reader.schema,
                schema()
            );
            return Err(StoreError::Invalid { what });
        }
        let _changed = self.changes.change();
        let mut transaction = begin(&self.write).await?;
        must_be_empty(&mut transaction).await?;
        while let Some(plain) = reader.part()? {
            let part: Part =
                serde_json::from_slice(&plain).map_err(|_| StoreError::corrupt("a part of the file"))?;
            import_part(&mut transaction, &self.vault, part).await?;
        }
        Ok(transaction.commit().await?)
    }
}

impl SqlStore {
    async fn export_table(
        &self,
        connection: &mut DbConnection,
        table: &str,
        columns: &[Column],
        writer: &mut Writer<'_>,
    ) -> Result<(), StoreError> {
        let names = || columns.iter().map(|column| column.name.clone()).collect();
        let mut part = Part { table: table.to_owned(), columns: names(), rows: Vec::new() };
        let select = format!("SELECT * FROM {table}");
        let mut rows = sqlx::query(AssertSqlSafe(select)).fetch(connection);
        loop {
            let row = rows.try_next().await?;
            if part.rows.len() == ROWS || (row.is_none() && !part.rows.is_empty()) {
                let plain = Zeroizing::new(serde_json::to_vec(&part).expect("a part is JSON"));
                writer.part(&plain)?;
                part.rows.clear();
            }
            let Some(row) = row else { return Ok(()) };
            let mut values = Vec::with_capacity(columns.len());
            for column in columns {
                values.push(match name_column(table, &column.name) {
                    Some(name) => {
                        self.bare(table, &row::text(&row, name)?, row.try_get(column.name.as_str())?)?
                    }
                    None => value(&row, column)?,
                });
            }
            part.rows.push(values);
        }
    }

    fn bare(&self, table: &str, name: &str, wrapped: &[u8]) -> Result<Value, StoreError> {
        let what = under_the_master_key(table, name).ok_or_else(|| StoreError::corrupt(table))?;
        Ok(Value::String(STANDARD.encode(self.vault.bare(&what, wrapped)?.as_slice())))
    }
}

/// The column that names the row, where `column` holds something under the master key.
fn name_column(table: &str, column: &str) -> Option<&'static str> {
    let found = UNDER_THE_MASTER_KEY.iter().find(|(of, _, sealed)| (*of, *sealed) == (table, column));
    found.map(|(_, name, _)| *name)
}

fn under_the_master_key<'a>(table: &str, name: &'a str) -> Option<Wrapped<'a>> {
    match table {
        "environments" => name.parse().ok().map(Wrapped::Data),
        _ => Some(Wrapped::Installation(name)),
    }
}

fn value(row: &DbRow, column: &Column) -> Result<Value, StoreError> {
    let name = column.name.as_str();
    Ok(match column.kind {
        Kind::Text => row.try_get::<Option<String>, _>(name)?.map_or(Value::Null, Value::String),
        Kind::Number => row.try_get::<Option<i64>, _>(name)?.map_or(Value::Null, Value::from),
        Kind::Flag => row.try_get::<Option<bool>, _>(name)?.map_or(Value::Null, Value::from),
        Kind::Bytes => {
            let bytes: Option<Vec<u8>> = row.try_get(name)?;
            bytes.map_or(Value::Null, |bytes| Value::String(STANDARD.encode(bytes)))
        }
    })
}

/// After this it is, but for the key check.
async fn must_be_empty(connection: &mut DbConnection) -> Result<(), StoreError> {
    for table in REPLACED {
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *connection).await?;
    }
    for table in TABLES {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        let is_used: bool = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        if is_used {
            return Err(StoreError::conflict(format!(
                "an import needs an empty database, and there is something in `{table}`"
            )));
        }
    }
    Ok(())
}

async fn import_part(connection: &mut DbConnection, vault: &Vault, part: Part) -> Result<(), StoreError> {
    let damaged = || StoreError::corrupt(format!("`{}` in the file", part.table));
    // Names go into SQL: only those that this database has itself.
    let table = TABLES.iter().find(|table| **table == part.table).ok_or_else(damaged)?;
    let columns = columns(connection, table).await?;
    if columns.len() != part.columns.len() {
        return Err(damaged());
    }
    let find = |name: &String| columns.iter().find(|column| column.name == *name);
    let columns: Vec<&Column> = part.columns.iter().map(find).collect::<Option<_>>().ok_or_else(damaged)?;
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let insert = format!("INSERT INTO {table} ({}) VALUES ({})", part.columns.join(", "), places.join(", "));
    let place = |name: &str| part.columns.iter().position(|column| column == name);
    let key =
        part.columns.iter().enumerate().find_map(|(at, name)| Some((at, place(name_column(table, name)?)?)));
    for mut values in part.rows {
        if values.len() != columns.len() {
            return Err(StoreError::corrupt(format!("`{table}` in the file")));
        }
        if let Some((at, name)) = key {
            values[at] = wrapped(vault, table, &values[name], &values[at])?;
        }
        let mut query = sqlx::query(AssertSqlSafe(insert.clone()));
        for (column, value) in columns.iter().zip(values) {
            let bound = bind(query, column.kind, value);
            query =
                bound.ok_or_else(|| StoreError::corrupt(format!("`{table}.{}` in the file", column.name)))?;
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The key under this installation's master key.
fn wrapped(vault: &Vault, table: &str, name: &Value, bare: &Value) -> Result<Value, StoreError> {
    let damaged = || StoreError::corrupt("a key in the file");
    let what = name.as_str().and_then(|name| under_the_master_key(table, name)).ok_or_else(damaged)?;
    let bare =
        bare.as_str().and_then(|text| STANDARD.decode(text).ok()).map(Zeroizing::new).ok_or_else(damaged)?;
    let wrapped = vault.wrap(&what, &bare)?.ok_or_else(damaged)?;
    Ok(Value::String(STANDARD.encode(wrapped)))
}

type Query<'q> = sqlx::query::Query<'q, super::Db, <super::Db as sqlx::Database>::Arguments>;

/// `None` when the value is not of this kind. A flag is a number where the database has no flags.
fn bind(query: Query<'_>, kind: Kind, value: Value) -> Option<Query<'_>> {
    let is_null = value.is_null();
    let number = value.as_i64().or_else(|| value.as_bool().map(i64::from));
    let text = match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    Some(match kind {
        Kind::Text => query.bind(if is_null { None } else { Some(text?) }),
        Kind::Number => query.bind(if is_null { None } else { Some(number?) }),
        Kind::Flag => query.bind(if is_null { None } else { Some(number? != 0) }),
        Kind::Bytes => query.bind(if is_null { None } else { Some(STANDARD.decode(text?).ok()?) }),
    })
}
