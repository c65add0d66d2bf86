//! Keeps the stream of the local table quick and short, however much is written.
//!
//! The emulator looks for the number of a new record among all that there are, and keeps them for ever: each write would
//! take longer than the one before it.

use std::path::Path;

use dynoxide::Database;
use rusqlite::Connection;

/// Finds the last record of a table at once. Once in a thousand records, those before the last 100,000 go: DynamoDB keeps
/// them for a day, and what reads them here is never that far behind.
const SHORT: &str = "
    CREATE INDEX IF NOT EXISTS stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE TRIGGER IF NOT EXISTS stream_end AFTER INSERT ON _stream_records WHEN NEW.id % 1000 = 0 BEGIN
        DELETE FROM _stream_records WHERE id <= NEW.id - 100000;
    END;";

/// Whatever the emulator or `SQLite` says.
type Failure = Box<dyn std::error::Error>;

/// A database in a file.
pub(crate) fn on_disk(file: &Path) -> Result<Database, Failure> {
    let database = Database::new(&file.to_string_lossy())?;
    // SQLite opens anything; whether it is a database is known once it is read.
    database.database_info()?;
    Connection::open(file)?.execute_batch(SHORT)?;
    Ok(database)
}

/// A database in memory, which begins as a copy of an empty one in a file: nothing else reaches its schema.
pub(crate) fn in_memory() -> Result<Database, Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("empty.sqlite");
    drop(on_disk(&file)?);
    let database = Database::memory()?;
    database.restore_from(&file.to_string_lossy())?;
    Ok(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_is_found_by_the_index_and_old_ones_go() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("dynamodb.sqlite");
        drop(on_disk(&file)?);
        drop(on_disk(&file)?);
        let connection = Connection::open(&file)?;
        // As the emulator asks for it.
        let last =
            "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1";
        let plan: String = connection.query_row(&format!("EXPLAIN QUERY PLAN {last}"), ["muster"], |row| row.get(3))?;
        assert!(plan.contains("stream_order (table_name=?)"), "{plan}");
        connection.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 102500)
            INSERT INTO _stream_records (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
            SELECT 'muster', 'INSERT', '{}', i, 's', 0 FROM n",
        )?;
        let kept = "SELECT MIN(id), MAX(id) FROM _stream_records";
        let kept: (i64, i64) = connection.query_row(kept, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        assert_eq!(kept, (2_001, 102_500));
        assert_eq!(connection.query_row::<i64, _, _>(last, ["muster"], |row| row.get(0))?, 102_501);
        Ok(())
    }
}
