namespace Meanwhile.Stores.Sqlite;

/// <summary>
/// Requests to end sessions, in a table of the broker's file: whoever may write that file may make them, and the broker that holds it looks at them once a second. A request
/// that was not answered in time is void, so that none takes effect later, when a broker is started again.
/// </summary>
internal sealed class SessionRequests : IDisposable
{
    /// <summary>Makes the table.</summary>
    public const string Table = "CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, client TEXT NOT NULL, until INTEGER NOT NULL, answer INTEGER)";

    private readonly Database _database; // Of its own: the broker's other connection belongs to its commits.
    private readonly Statement _ask;
    private readonly Statement _forgetVoid;
    private readonly Statement _findOpen;
    private readonly Statement _answer;
    private readonly Statement _findAnswer;
    private readonly Statement _takeBack;

    /// <summary>Opens a file that is there.</summary>
    /// <exception cref="StoreException">It cannot be used, or not yet.</exception>
    public SessionRequests(string path)
    {
        _database = new Database(path);
        try
        {
            _database.Execute(Table);
            _ask = _database.Prepare("INSERT INTO requests (id, client, until) VALUES (?, ?, ?)");
            _forgetVoid = _database.Prepare("DELETE FROM requests WHERE until < ?");
            _findOpen = _database.Prepare("SELECT id, client, until, answer FROM requests");
            _answer = _database.Prepare("UPDATE requests SET answer = ?2 WHERE id = ?1");
            _findAnswer = _database.Prepare("SELECT answer FROM requests WHERE id = ?");
            _takeBack = _database.Prepare("DELETE FROM requests WHERE id = ?");
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    /// <summary>Asks for the end of a session.</summary>
    /// <param name="until">When it is void; milliseconds since the Unix epoch.</param>
    /// <returns>The number of the request.</returns>
    public long Ask(string clientId, long until)
    {
        var id = Random.Shared.NextInt64();
        _ask.Bind(1, id).Bind(2, clientId).Bind(3, until).Run();
        return id;
    }

    /// <summary>What is asked for at a time, in milliseconds since the Unix epoch.</summary>
    public IReadOnlyList<(long Id, string ClientId)> Open(long now)
    {
        var open = new List<(long, string)>();
        var isAnyVoid = false;
        while (_findOpen.Step())
        {
            var isVoid = _findOpen.Integer(2) < now;
            isAnyVoid |= isVoid;
            if (!isVoid && _findOpen.IsNull(3))
                open.Add((_findOpen.Integer(0), _findOpen.Text(1)));
        }
        if (isAnyVoid)
            _forgetVoid.Bind(1, now).Run();
        return open;
    }

    /// <summary>Answers a request.</summary>
    /// <param name="wasThere">There was such a session, and it has ended.</param>
    public void Answer(long id, bool wasThere) => _answer.Bind(1, id).Bind(2, wasThere ? 1 : 0).Run();

    /// <summary>Whether there was such a session, which has ended; null for no answer yet.</summary>
    public bool? FindAnswer(long id)
    {
        _findAnswer.Bind(1, id);
        var answer = _findAnswer.Step() && !_findAnswer.IsNull(0) ? _findAnswer.Integer(0) != 0 : (bool?)null;
        _findAnswer.Reset();
        return answer;
    }

    /// <summary>A request is over.</summary>
    public void TakeBack(long id) => _takeBack.Bind(1, id).Run();

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();
}
