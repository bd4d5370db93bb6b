//! Rows of a schema of PostgreSQL.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::line::{Cell, parse, render};
use super::{LineSink, LineSource, TABLES, Table, Type, occupied};
use crate::postgres::{BEGIN_SNAPSHOT, Connector, Fault, Link, Outcome, check_current, migrated};
use crate::{Location, PostgresConfig, StoreError};

/// Rows of one statement.
const CHUNK_ROWS: usize = 2_000;

/// Runs work that waits on a thread of its own: the caller may be inside a runtime.
fn block_on<T: Send>(
    config: &PostgresConfig,
    action: &str,
    work: impl Future<Output = Outcome<T>> + Send,
) -> Result<T, StoreError> {
    let place = Location::from(config.clone()).to_string();
    let broken = |detail: String| StoreError::Storage {
        action: format!("{action} {place}"),
        detail,
    };
    let done = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            Ok::<_, std::io::Error>(runtime.block_on(work))
        });
        thread.join()
    });
    let done = done.map_err(|_| broken("a fault of its own".to_owned()))?;
    let done = done.map_err(|error| broken(error.to_string()))?;
    done.map_err(|fault| fault.into_error(action, &place))
}

fn connector(config: &PostgresConfig) -> Result<Connector, StoreError> {
    Connector::new(&config.server, &config.schema, config.timeout)
}

pub(super) fn schemas(config: &PostgresConfig) -> Result<Vec<String>, StoreError> {
    let connector = connector(config)?;
    block_on(config, "look into", async {
        let link = connector.link().await?;
        let sql = "SELECT n.nspname::text FROM pg_namespace n JOIN pg_class c
             ON c.relnamespace = n.oid WHERE c.relname = 'store_schema'
             AND starts_with(n.nspname, $1) ORDER BY 1";
        let begin = format!("{}_", config.schema);
        let rows = link.query(sql, &[&begin]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    })
}

pub(super) fn dump(config: &PostgresConfig, sink: LineSink<'_>) -> Result<u64, StoreError> {
    let connector = connector(config)?;
    let place = Location::from(config.clone()).to_string();
    block_on(config, "read", async {
        let link = connector.link().await?;
        check_current(&link, &place).await?;
        link.batch(BEGIN_SNAPSHOT).await?;
        let mut count = 0;
        for table in TABLES {
            let sql = format!("SELECT {} FROM {}", table.names(), table.name);
            let mut rows = link.stream(&sql, &[]).await?;
            while let Some(row) = rows.next().await? {
                sink(&render(table, read(table, &row)?))?;
                count += 1;
            }
        }
        link.batch("COMMIT").await?;
        Ok(count)
    })
}

fn read(table: &Table, row: &Row) -> Outcome<Vec<Option<Cell>>> {
    let cell = |(index, (name, kind)): (usize, &(&str, Type))| -> Outcome<Option<Cell>> {
        Ok(match kind {
            Type::Uuid => row.try_get::<_, Option<_>>(index)?.map(Cell::Uuid),
            Type::Text => row.try_get::<_, Option<_>>(index)?.map(Cell::Text),
            Type::TextBytes => {
                let bytes: Option<Vec<u8>> = row.try_get(index)?;
                let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                text.map(Cell::Text)
            }
            Type::Bytes => row.try_get::<_, Option<_>>(index)?.map(Cell::Bytes),
            Type::Number if *name == "on_delete" => {
                let small: Option<i16> = row.try_get(index)?;
                small.map(|number| Cell::Number(number.into()))
            }
            Type::Number => row.try_get::<_, Option<_>>(index)?.map(Cell::Number),
            Type::Bool => row.try_get::<_, Option<_>>(index)?.map(Cell::Bool),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

pub(super) fn load(config: &PostgresConfig, source: LineSource<'_>) -> Result<u64, StoreError> {
    let connector = connector(config)?;
    let place = Location::from(config.clone()).to_string();
    block_on(config, "write", async {
        let link = migrated(&connector, &config.schema, &place).await?;
        for table in TABLES {
            let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
            if link.one(&sql, &[]).await?.is_some() {
                return Err(occupied(&place).into());
            }
        }
        link.batch("BEGIN; SET LOCAL statement_timeout = 0").await?;
        let mut count = 0;
        let mut chunk = Chunk::new(0);
        while let Some(line) = source()? {
            let (position, cells) = parse(&line)?;
            if chunk.position != position || chunk.rows >= CHUNK_ROWS {
                let full = std::mem::replace(&mut chunk, Chunk::new(position));
                full.write(&link).await?;
            }
            chunk.push(cells);
            count += 1;
        }
        chunk.write(&link).await?;
        for table in ["entity", "audit", super::HISTORY] {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'seq'), max(seq)) FROM {table}"
            );
            link.query(&sql, &[]).await?;
        }
        link.batch("COMMIT").await?;
        Ok(count)
    })
}

/// Rows of one table, column by column.
struct Chunk {
    position: usize,
    rows: usize,
    columns: Vec<Column>,
}

enum Column {
    Uuid(Vec<Option<uuid::Uuid>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Number(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
}

impl Chunk {
    fn new(position: usize) -> Self {
        let column = |(_, kind): &(&str, Type)| match kind {
            Type::Uuid => Column::Uuid(Vec::new()),
            Type::Text => Column::Text(Vec::new()),
            Type::TextBytes | Type::Bytes => Column::Bytes(Vec::new()),
            Type::Number => Column::Number(Vec::new()),
            Type::Bool => Column::Bool(Vec::new()),
        };
        Self {
            position,
            rows: 0,
            columns: TABLES[position].columns.iter().map(column).collect(),
        }
    }

    fn push(&mut self, cells: Vec<Option<Cell>>) {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (column, cell) {
                (Column::Uuid(values), Some(Cell::Uuid(id))) => values.push(Some(id)),
                (Column::Text(values), Some(Cell::Text(text))) => values.push(Some(text)),
                (Column::Bytes(values), Some(Cell::Text(text))) => {
                    values.push(Some(text.into_bytes()));
                }
                (Column::Bytes(values), Some(Cell::Bytes(bytes))) => values.push(Some(bytes)),
                (Column::Number(values), Some(Cell::Number(number))) => values.push(Some(number)),
                (Column::Bool(values), Some(Cell::Bool(is_true))) => values.push(Some(is_true)),
                // Kinds were checked when the line was read: this is a null.
                (Column::Uuid(values), _) => values.push(None),
                (Column::Text(values), _) => values.push(None),
                (Column::Bytes(values), _) => values.push(None),
                (Column::Number(values), _) => values.push(None),
                (Column::Bool(values), _) => values.push(None),
            }
        }
    }

    async fn write(self, link: &Link) -> Result<(), Fault> {
        if self.rows == 0 {
            return Ok(());
        }
        let table = &TABLES[self.position];
        let (mut arrays, mut values): (Vec<String>, Vec<&(dyn ToSql + Sync)>) = Default::default();
        for (column, place) in self.columns.iter().zip(1..) {
            let (name, array): (&str, &(dyn ToSql + Sync)) = match column {
                Column::Uuid(values) => ("uuid", values),
                Column::Text(values) => ("text", values),
                Column::Bytes(values) => ("bytea", values),
                Column::Number(values) => ("bigint", values),
                Column::Bool(values) => ("boolean", values),
            };
            arrays.push(format!("${place}::{name}[]"));
            values.push(array);
        }
        let sql = format!(
            "INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE
             SELECT {names} FROM UNNEST({}) AS n({names})",
            table.name,
            arrays.join(", "),
            names = table.names(),
        );
        link.execute(&sql, &values).await?;
        Ok(())
    }
}
