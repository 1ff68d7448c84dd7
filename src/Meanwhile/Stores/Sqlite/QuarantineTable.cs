using System.Text;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The messages that were no readings, bounded by count, bytes and age: the oldest leave first.</summary>
internal sealed class QuarantineTable
{
    /// <summary>A query for all messages.</summary>
    public const string ReadAll = "SELECT id, arrived, topic, payload, reason FROM quarantine ORDER BY id";

    /// <summary>The same, the other way round.</summary>
    public const string ReadNewestFirst = ReadAll + " DESC";

    private readonly StoreOptions _options;
    private readonly Statement _insert;
    private readonly Statement _delete;
    private readonly Statement _oldest;
    private readonly Statement _read;
    private readonly Statement _readNewestFirst;
    private readonly Statement _size;
    private readonly Statement _expire;
    private readonly Database _database;
    private (long Messages, long Bytes)? _held;

    public QuarantineTable(Database database, StoreOptions options)
    {
        (_database, _options) = (database, options);
        _insert = database.Prepare("INSERT INTO quarantine (topic, arrived, payload, reason) VALUES (?, ?, ?, ?)");
        _delete = database.Prepare("DELETE FROM quarantine WHERE id = ?");
        _oldest = database.Prepare("SELECT id, LENGTH(payload) FROM quarantine ORDER BY id LIMIT 1");
        _expire = database.Prepare("DELETE FROM quarantine WHERE arrived < ?");
        _read = database.Prepare(ReadAll);
        _readNewestFirst = database.Prepare(ReadNewestFirst);
        _size = database.Prepare("SELECT COUNT(*), COALESCE(SUM(LENGTH(payload)), 0) FROM quarantine");
    }

    /// <summary>Writes messages, takes others out, and lets the oldest go that are too many, too large or too old.</summary>
    /// <returns>How many had to go.</returns>
    public int Change(Batch batch, long cutoff)
    {
        var (messages, bytes) = _held ?? Measure();
        foreach (var (arrived, topic, payload, reason) in batch.Quarantined)
        {
            ReadingsTable.BindTime(_insert.Bind(1, topic), arrived).Bind(3, payload.Span).Bind(4, reason).Run();
            (messages, bytes) = (messages + 1, bytes + payload.Length);
        }
        foreach (var number in batch.TakenFromQuarantine)
            _delete.Bind(1, number).Run();
        _expire.Bind(1, cutoff / 1000.0).Run();
        var dropped = _database.Changes;
        if (dropped > 0 || batch.TakenFromQuarantine.Count > 0)
            (messages, bytes) = Measure();
        _held = (messages, bytes);
        return dropped + Bound();
    }

    /// <summary>Oldest first, or newest first.</summary>
    public IEnumerable<QuarantinedMessage> Read(bool newestFirst) => Read(newestFirst ? _readNewestFirst : _read);

    /// <summary>Runs a query for all messages, and reads what it finds.</summary>
    public static IEnumerable<QuarantinedMessage> Read(Statement all)
    {
        all.Reset();
        while (all.Step())
            yield return new QuarantinedMessage(all.Integer(0), new RejectedMessage(ReadingsTable.TimeOf(all, 1), ForPeople(all, 2), all.Blob(3), ForPeople(all, 4)));
    }

    // Where another program has left bytes that are not UTF-8 the message can be looked at all the same: a replay takes no topic with U+FFFD for a name.
    private static string ForPeople(Statement row, int column) => Encoding.UTF8.GetString(row.TextBytes(column));

    /// <summary>What was written is gone.</summary>
    public void RolledBack() => _held = null;

    private int Bound()
    {
        var (messages, bytes) = _held!.Value;
        var dropped = 0;
        while ((messages > _options.QuarantinedMessages || bytes > _options.QuarantinedBytes) && _oldest.Step())
        {
            var (id, length) = (_oldest.Integer(0), _oldest.Integer(1));
            _oldest.Reset();
            _delete.Bind(1, id).Run();
            (messages, bytes, dropped) = (messages - 1, bytes - length, dropped + 1);
        }
        _held = (messages, bytes);
        return dropped;
    }

    private (long Messages, long Bytes) Measure()
    {
        _size.Step();
        var size = (_size.Integer(0), _size.Integer(1));
        _size.Reset();
        return size;
    }
}
