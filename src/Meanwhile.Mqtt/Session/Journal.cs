namespace Meanwhile.Mqtt.Session;

/// <summary>
/// Group commit of what a broker has to remember: while one batch is being committed, the next one collects. Alone, a change waits for nothing; under load, batches grow and share
/// the cost of a commit.
/// </summary>
internal sealed class Journal : IDisposable
{
    // What may collect before clients are not read any more.
    private const int MostChanges = 8192;
    private const long MostBytes = 16 << 20;

    private readonly IBrokerStore? _store;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private JournalBatch _collecting = new(1);
    private JournalBatch _taken = new(0);
    private long _committed;
    private volatile bool _isFull;
    private bool _isBroken;

    /// <summary>Begins.</summary>
    /// <param name="store">Where it is kept; null for nowhere: then nothing is to be appended.</param>
    public Journal(IBrokerStore? store)
    {
        _store = store;
        _taken.Settle();
        Completion = WriteAsync();
    }

    /// <summary>Something is kept at all.</summary>
    public bool IsKept => _store is not null;

    /// <summary>Ends when it is stopped, or with what made it impossible to go on.</summary>
    public Task Completion { get; }

    /// <summary>What is appended while this is held is committed together. Taken before a session's gate.</summary>
    public Lock Grouping { get; } = new();

    /// <summary>The batch up to which everything is durable.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>So much waits for its commit that nothing more is to be read from clients.</summary>
    public bool IsFull => _isFull;

    /// <summary>Appends a change.</summary>
    /// <param name="session">Has something to send after it; null for none.</param>
    /// <returns>The batch in which it is.</returns>
    public long Append(Change change, ClientSession? session)
    {
        lock (_gate)
        {
            Announce();
            _collecting.Add(change, session);
            _isFull = _collecting.Changes.Count >= MostChanges || _collecting.Bytes >= MostBytes;
            return _collecting.Number;
        }
    }

    /// <summary>Acknowledges something after what has been appended so far, be it committed already or not.</summary>
    /// <returns>False when everything is: then there is nothing to wait for.</returns>
    public bool TryWait(in Incoming incoming)
    {
        lock (_gate)
        {
            if (_collecting.IsEmpty && _taken.Committed.IsCompletedSuccessfully)
                return false;
            Announce();
            _collecting.Add(incoming);
            return true;
        }
    }

    /// <summary>Completes when everything that has been appended so far is durable.</summary>
    /// <exception cref="OperationCanceledException">It never will be.</exception>
    public Task FlushAsync()
    {
        lock (_gate)
            return _collecting.IsEmpty ? _taken.Committed : _collecting.Committed;
    }

    /// <summary>Waits until more may be appended.</summary>
    public async ValueTask RoomAsync(CancellationToken cancellationToken)
    {
        while (IsFullUntil(out var taken))
            await taken.WaitAsync(cancellationToken);
    }

    /// <summary>From here on, a store that cannot commit is not waited for.</summary>
    public void StopWaiting()
    {
        if (!Completion.IsCompleted)
            _stopping.Cancel();
    }

    /// <summary>Commits what is left, if that is possible, and ends.</summary>
    public async Task StopAsync()
    {
        if (Completion.IsCompleted)
            return;
        StopWaiting();
        _work.Release();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Whoever wants to know looks at it.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _work.Dispose();
        _stopping.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                await _work.WaitAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                if (Take() is not { } batch)
                    return;
                if (batch.Changes.Count > 0)
                    await _store!.CommitAsync(batch.Changes, _stopping.Token);
                Interlocked.Exchange(ref _committed, batch.Number); // To be seen before anybody is looked for who is to be woken.
                batch.Settle();
            }
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    // Both are looked at together: the batch that collects next may never be taken.
    private bool IsFullUntil(out Task taken)
    {
        lock (_gate)
        {
            taken = _collecting.Taken;
            return _isFull;
        }
    }

    // Null when there is nothing left to do.
    private JournalBatch? Take()
    {
        lock (Grouping)
        {
            lock (_gate)
            {
                if (_collecting.IsEmpty)
                    return null;
                _taken = _collecting;
                _collecting = new JournalBatch(_taken.Number + 1);
                _isFull = false;
                _taken.Take();
                return _taken;
            }
        }
    }

    private void Abandon()
    {
        lock (_gate)
        {
            _isBroken = true;
            _taken.Abandon();
            _collecting.Abandon();
        }
    }

    // The writer is woken once for each batch.
    private void Announce()
    {
        if (_collecting.IsEmpty && !_isBroken)
            _work.Release();
    }
}
