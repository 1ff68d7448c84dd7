namespace Meanwhile.Stores.Sqlite;

/// <summary>The tables, and the way from a file of the seed's program, or of an older version of ours, to today's.</summary>
internal static class SqliteSchema
{
    /// <summary>Today's.</summary>
    public const int Version = 3;

    /// <summary>The oldest that can be read as today's is: the next one lets the column of numbers take -0, and moves nothing.</summary>
    public const int OldestReadable = 2;

    // The numbers have no affinity: it would make 0 of -0. The times have, so that those of the seed's program, which are texts, become numbers.
    private const string Messages = "CREATE TABLE messages (number, epochtime NUMERIC, series INTEGER, position INTEGER PRIMARY KEY)";

    // A number that was given once never names another message.
    private const string Quarantine =
        "CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, arrived NUMERIC NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL)";

    /// <summary>Brings a file up to date.</summary>
    /// <exception cref="StoreException">It was written by a newer version.</exception>
    public static void Prepare(Database database, string path)
    {
        database.MakeDurable();
        var version = ReadVersion(database, path);
        if (version == Version)
            return;
        database.Transact((database, version), static file => Migrate(file.database, file.version));
        if (database.ReadPragma("auto_vacuum") == 0)
            database.Execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM"); // It was made without; only this changes that.
    }

    /// <summary>The version of a file: 0 for one that is empty, or of the seed's program.</summary>
    /// <exception cref="StoreException">It was written by a newer version of ours.</exception>
    public static long ReadVersion(Database database, string path)
    {
        var version = database.ReadPragma("user_version");
        return version <= Version
            ? version
            : throw new StoreException($"{path} was written by a newer version of meanwhile (its schema is {version}, expected at most {Version})", mayHeal: false);
    }

    private static void Migrate(Database database, long version)
    {
        if (version == 0)
            MakeTables(database);
        else if (version == 1)
            database.Execute($"ALTER TABLE quarantine RENAME TO old; {Quarantine}; INSERT INTO quarantine SELECT * FROM old ORDER BY id; DROP TABLE old");
        if (version < 2)
            PutInOrderOfTime(database);
        else
            TakeAffinityOffNumbers(database);
        database.Execute($"PRAGMA user_version = {Version}");
    }

    private static void MakeTables(Database database)
    {
        // What the seed's program makes: the same as in a file of its own, so that both start from the same place.
        database.Execute("CREATE TABLE IF NOT EXISTS messages (number NUMERIC, epochtime NUMERIC)");
        database.Execute("ALTER TABLE messages ADD COLUMN series INTEGER");
        database.Execute("CREATE TABLE series (id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE)");
        database.Execute(Quarantine);
        database.Execute("CREATE TABLE sessions (name TEXT PRIMARY KEY, subscription TEXT NOT NULL) WITHOUT ROWID");
        database.Execute("CREATE TABLE received_ids (session TEXT NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID");
    }

    // As SQLite's manual has it for changes after which what is on disk stays right: a copy of the table would take minutes where readings are many.
    private static void TakeAffinityOffNumbers(Database database)
    {
        var next = database.ReadPragma("schema_version") + 1;
        database.Execute($"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{Messages}' WHERE type = 'table' AND name = 'messages'");
        database.Execute($"PRAGMA schema_version = {next}; PRAGMA writable_schema = RESET");
    }

    // Names the two columns when it inserts: so does the seed's program, which gets the last position for its rows and no series. The index holds its
    // rows alone, and costs ours nothing.
    private static void PutInOrderOfTime(Database database)
    {
        database.Execute("CREATE TABLE identities (position INTEGER PRIMARY KEY, series INTEGER NOT NULL, identity TEXT NOT NULL, UNIQUE (series, identity))");
        database.Execute("CREATE INDEX quarantine_arrived ON quarantine (arrived)");
        database.Execute("ALTER TABLE messages RENAME TO unordered");
        database.Execute(Messages);
        database.Execute("CREATE INDEX foreign_rows ON messages (series) WHERE series IS NULL");
        var positions = new Positions(database);
        var old = database.Prepare("SELECT number, epochtime, series FROM unordered WHERE TYPEOF(number) IN ('integer', 'real') AND TYPEOF(epochtime) IN ('integer', 'real') ORDER BY rowid");
        var copy = database.Prepare("INSERT INTO messages (number, epochtime, series, position) VALUES (?, ?, ?, ?)");
        while (old.Step())
        {
            var time = ReadingsTable.TimeOf(old, 1);
            ReadingsTable.BindTime(ReadingsTable.BindNumber(copy, old.Double(0), 1), time).Bind(4, positions.Next(time));
            (old.IsNull(2) ? copy.BindNull(3) : copy.Bind(3, old.Integer(2))).Run();
        }
        database.Execute("DROP TABLE unordered");
    }
}
