namespace Meanwhile.Stores.Sqlite;

/// <summary>The tables, and the way from a file of the seed's program, or of an older version of ours, to today's.</summary>
internal static class Schema
{
    private const int Version = 1;

    /// <summary>Brings a file up to date.</summary>
    /// <exception cref="StoreException">It was written by a newer version.</exception>
    public static void Prepare(Database database, string path)
    {
        // FULL: a commit is on the disk, not only with the operating system, when it returns.
        database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        if (ReadVersion(database, path) < Version)
            database.Transact(() => Migrate(database));
    }

    private static void Migrate(Database database)
    {
        // The seed's program names the two columns when it inserts, so a third one does not disturb it. NUMERIC keeps whole numbers whole, as its own
        // INTEGER does. Rows that it writes have no series.
        database.Execute("CREATE TABLE IF NOT EXISTS messages (number NUMERIC, epochtime NUMERIC)");
        database.Execute("ALTER TABLE messages ADD COLUMN series INTEGER");
        database.Execute("CREATE INDEX messages_epochtime ON messages (epochtime)");
        database.Execute("CREATE TABLE series (id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE)");
        database.Execute("CREATE TABLE quarantine (id INTEGER PRIMARY KEY, arrived NUMERIC NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL)");
        database.Execute("CREATE TABLE sessions (name TEXT PRIMARY KEY, subscription TEXT NOT NULL) WITHOUT ROWID");
        database.Execute("CREATE TABLE received_ids (session TEXT NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID");
        database.Execute($"PRAGMA user_version = {Version}");
    }

    /// <summary>The version of a file: 0 for one that is empty, or of the seed's program.</summary>
    /// <exception cref="StoreException">It was written by a newer version of ours.</exception>
    public static long ReadVersion(Database database, string path)
    {
        var statement = database.Prepare("PRAGMA user_version");
        statement.Step();
        var version = statement.Integer(0);
        statement.Reset();
        return version <= Version
            ? version
            : throw new StoreException($"{path} was written by a newer version of meanwhile (its schema is {version}, expected at most {Version})", mayHeal: false);
    }
}
