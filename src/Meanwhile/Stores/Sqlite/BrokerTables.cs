using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The tables of the embedded broker's file. Each change can be written twice without harm.</summary>
internal sealed class BrokerTables
{
    private const int Version = 3;

    // Tells the file from one of readings: the letters MWbr.
    private const int ApplicationId = 0x4D576272;

    private static readonly string[] TablesOfSessions = ["sessions", "subscriptions", "queue", "received_ids"];

    private readonly Statement _open;
    private readonly Statement _leave;
    private readonly Statement[] _end;
    private readonly Statement _subscribe;
    private readonly Statement _unsubscribe;
    private readonly Statement _queue;
    private readonly Statement _release;
    private readonly Statement _finish;
    private readonly Statement _addId;
    private readonly Statement _removeId;
    private readonly Statement _retain;
    private readonly Statement _unretain;
    private readonly Statement _keepWill;
    private readonly Statement _forgetWill;

    public BrokerTables(Database database)
    {
        _open = database.Prepare("INSERT INTO sessions (client, expiry, user) VALUES (?, ?, ?) ON CONFLICT (client) DO UPDATE SET expiry = excluded.expiry, user = excluded.user, expires = NULL, sent = NULL");
        _leave = database.Prepare("UPDATE sessions SET expires = ?2, sent = ?3, expiry = COALESCE(?4, expiry) WHERE client = ?1");
        _end = [.. TablesOfSessions.Select(table => database.Prepare($"DELETE FROM {table} WHERE client = ?"))];
        _subscribe = database.Prepare("INSERT OR REPLACE INTO subscriptions (client, filter, qos, no_local, retain_as_published, identifier) VALUES (?, ?, ?, ?, ?, ?)");
        _unsubscribe = database.Prepare("DELETE FROM subscriptions WHERE client = ? AND filter = ?");
        _queue = database.Prepare(
            "INSERT OR REPLACE INTO queue (topic, payload, published_qos, expires, properties, client, number, qos, retain, released, identifiers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _release = database.Prepare("UPDATE queue SET released = 1 WHERE client = ? AND number = ?");
        _finish = database.Prepare("DELETE FROM queue WHERE client = ? AND number = ?");
        _addId = database.Prepare("INSERT OR IGNORE INTO received_ids (client, packet_id) VALUES (?, ?)");
        _removeId = database.Prepare("DELETE FROM received_ids WHERE client = ? AND packet_id = ?");
        _retain = database.Prepare("INSERT OR REPLACE INTO retained (topic, payload, published_qos, expires, properties) VALUES (?, ?, ?, ?, ?)");
        _unretain = database.Prepare("DELETE FROM retained WHERE topic = ?");
        _keepWill = database.Prepare("INSERT OR REPLACE INTO wills (number, client, topic, payload, qos, retain, properties, due, user) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _forgetWill = database.Prepare("DELETE FROM wills WHERE number = ?");
    }

    /// <summary>Makes the tables, unless they are there.</summary>
    /// <exception cref="StoreException">The file is another program's, or a newer version's.</exception>
    public static void Prepare(Database database, string path)
    {
        var version = ReadVersion(database, path, "expected one, or no file at all");
        database.MakeDurable();
        database.Execute(SessionRequests.Table);
        if (version == Version)
            return;
        database.Transact(database, static database =>
        {
            database.Execute("CREATE TABLE IF NOT EXISTS sessions (client TEXT PRIMARY KEY, expiry INTEGER NOT NULL, expires INTEGER, sent INTEGER) WITHOUT ROWID");
            database.Execute("""
                CREATE TABLE IF NOT EXISTS subscriptions (client TEXT NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL, no_local INTEGER NOT NULL, retain_as_published INTEGER NOT NULL, identifier INTEGER,
                PRIMARY KEY (client, filter)) WITHOUT ROWID
                """);
            database.Execute("""
                CREATE TABLE IF NOT EXISTS queue (client TEXT NOT NULL, number INTEGER NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, released INTEGER NOT NULL, identifiers TEXT NOT NULL,
                topic TEXT NOT NULL, payload BLOB NOT NULL, published_qos INTEGER NOT NULL, expires INTEGER, properties BLOB NOT NULL, PRIMARY KEY (client, number)) WITHOUT ROWID
                """);
            database.Execute("CREATE TABLE IF NOT EXISTS received_ids (client TEXT NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY (client, packet_id)) WITHOUT ROWID");
            database.Execute("""
                CREATE TABLE IF NOT EXISTS wills (number INTEGER PRIMARY KEY, client TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL,
                properties BLOB NOT NULL, due INTEGER)
                """);
            database.Execute("CREATE TABLE IF NOT EXISTS retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, published_qos INTEGER NOT NULL, expires INTEGER, properties BLOB NOT NULL) WITHOUT ROWID");
            // The user who owns them; empty for a client without a name. Null: nobody knows, because the broker had no users, or an older version wrote the row.
            AddUser(database, "sessions");
            AddUser(database, "wills");
            database.Execute($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}");
        });
    }

    /// <summary>Sees to it that a file is a broker's.</summary>
    /// <exception cref="StoreException">It is another program's, or of another version.</exception>
    public static void CheckIsOurs(Database database, string path)
    {
        const string expected = "expected FILE of meanwhile broker --db FILE, or DB_FILE.broker of an aggregator";
        var version = ReadVersion(database, path, expected);
        if (version == 0)
            throw new StoreException($"{path} is no file of a broker: {expected}", mayHeal: false);
        if (version < Version)
            throw new StoreException($"{path} was written by an older version of meanwhile: start the broker on it once, which brings it up to date", mayHeal: false);
    }

    private static void AddUser(Database database, string table)
    {
        var columns = database.Prepare($"SELECT COUNT(*) FROM pragma_table_info('{table}') WHERE name = 'user'");
        columns.Step();
        var isThere = columns.Integer(0) > 0;
        columns.Reset(); // Else the table could not be changed.
        if (!isThere)
            database.Execute($"ALTER TABLE {table} ADD COLUMN user TEXT");
    }

    private static long ReadVersion(Database database, string path, string expected)
    {
        var version = database.ReadPragma("user_version");
        if (version > 0 && database.ReadPragma("application_id") != ApplicationId)
            throw new StoreException($"{path} is no file of a broker: {expected}", mayHeal: false);
        return version <= Version
            ? version
            : throw new StoreException($"{path} was written by a newer version of meanwhile (its schema is {version}, expected at most {Version})", mayHeal: false);
    }

    /// <summary>Writes one change.</summary>
    public void Write(Change change)
    {
        switch (change)
        {
            case MessageQueued queued:
                Bind(_queue, queued.Message).Bind(6, queued.ClientId).Bind(7, queued.Number).Bind(8, queued.Qos).Bind(9, queued.Retain ? 1 : 0).Bind(10, queued.IsReleased ? 1 : 0)
                    .Bind(11, string.Join(',', queued.Identifiers ?? [])).Run();
                break;
            case MessageFinished finished:
                _finish.Bind(1, finished.ClientId).Bind(2, finished.Number).Run();
                break;
            case MessageReleased released:
                _release.Bind(1, released.ClientId).Bind(2, released.Number).Run();
                break;
            case IdReceived received:
                _addId.Bind(1, received.ClientId).Bind(2, received.PacketId).Run();
                break;
            case IdReleased released:
                _removeId.Bind(1, released.ClientId).Bind(2, released.PacketId).Run();
                break;
            case RetainedChanged { Message: { } message }:
                Bind(_retain, message).Run();
                break;
            case RetainedChanged retained:
                _unretain.Bind(1, retained.Topic).Run();
                break;
            case WillKept { Will: var will } kept:
                _keepWill.Bind(1, kept.Number).Bind(2, kept.ClientId).Bind(3, will.Topic).Bind(4, will.Payload.Span).Bind(5, will.Qos).Bind(6, will.Retain ? 1 : 0).Bind(7, will.Properties.ToBytes());
                BindUser(kept.DueAt is { } dueAt ? _keepWill.Bind(8, (long)dueAt.TotalMilliseconds) : _keepWill.BindNull(8), 9, kept.User).Run();
                break;
            case WillForgotten forgotten:
                _forgetWill.Bind(1, forgotten.Number).Run();
                break;
            default:
                WriteSession(change);
                break;
        }
    }

    private void WriteSession(Change change)
    {
        switch (change)
        {
            case SessionOpened opened:
                BindUser(_open.Bind(1, opened.ClientId).Bind(2, opened.Expiry), 3, opened.User).Run();
                break;
            case SessionLeft left:
                _leave.Bind(1, left.ClientId).Bind(2, (long)left.ExpiresAt.TotalMilliseconds).Bind(3, left.LastSent);
                (left.Expiry is { } expiry ? _leave.Bind(4, expiry) : _leave.BindNull(4)).Run();
                break;
            case SessionEnded ended:
                foreach (var statement in _end)
                    statement.Bind(1, ended.ClientId).Run();
                break;
            case SubscriptionAdded { Request: var request } added:
                _subscribe.Bind(1, added.ClientId).Bind(2, request.Filter).Bind(3, request.Qos).Bind(4, request.NoLocal ? 1 : 0).Bind(5, request.RetainAsPublished ? 1 : 0);
                (added.Identifier is { } identifier ? _subscribe.Bind(6, identifier) : _subscribe.BindNull(6)).Run();
                break;
            case SubscriptionRemoved removed:
                _unsubscribe.Bind(1, removed.ClientId).Bind(2, removed.Filter).Run();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change), change, "a change of a kind that is not known here");
        }
    }

    private static Statement BindUser(Statement statement, int parameter, string? user) => user is null ? statement.BindNull(parameter) : statement.Bind(parameter, user);

    // The first five parameters, in both tables.
    private static Statement Bind(Statement statement, Message message)
    {
        statement.Bind(1, message.Topic).Bind(2, message.Payload.Span).Bind(3, message.Qos).Bind(5, message.Properties.IsEmpty ? [] : message.Properties.ToBytes());
        return message.ExpiresAt is { } expiresAt ? statement.Bind(4, (long)expiresAt.TotalMilliseconds) : statement.BindNull(4);
    }
}
