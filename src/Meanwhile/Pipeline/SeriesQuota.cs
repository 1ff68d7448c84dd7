namespace Meanwhile.Pipeline;

/// <summary>
/// Limits the number of series, in total and for each client. Beyond the limit, readings of new series are refused and known series continue. A series that is forgotten
/// makes room for another. Only the data path uses this; the counter can be read by anybody.
/// </summary>
internal sealed class SeriesQuota(AggregatorOptions options)
{
    // A series takes about a third of this with a few dozen readings: windows, and its name here and in the store.
    private const long BytesASeries = 4096;
    private const long Fewest = 1000;

    // The memory of all names: so much for each series that there may be. A few thousand of the longest names would take all memory.
    private const long BytesAName = 1024;
    private const long LeastNameBytes = 1 << 20;

    private readonly string _limitReached = $"its series is new, and there are already {options.MostSeries} series (--max-series)";
    private readonly string _namesReached = "its series is new, and the names of all series already take as much memory as they may: expected shorter topics, or a higher --max-series";
    private readonly string _clientLimitReached = $"its series is new, and its client has already added {options.MostSeriesOfClient} series (--max-series-client)";
    private readonly Dictionary<string, Owner> _owners = new(StringComparer.Ordinal);

    // New series of the batch that is not committed yet, with the clients that added them.
    private readonly Dictionary<string, Owner?> _coming = new(StringComparer.Ordinal);

    private readonly long _mostNameBytes = Math.Max(LeastNameBytes, BytesAName * options.MostSeries);

    private Results? _results;
    private long _comingBytes;
    private string _last = "";
    private long _refused;

    /// <summary>Readings of new series beyond the limit.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>The number of series that fit into an amount of memory and leave most of it to everything else.</summary>
    public static int MostIn(long bytes) => (int)Math.Clamp(bytes / BytesASeries, Fewest, int.MaxValue);

    /// <summary>The windows were rebuilt. Which client added which series is not known any more.</summary>
    public void Follow(Results results)
    {
        _results = results;
        _owners.Clear();
    }

    /// <summary>Counts the series of a reading, if it is new.</summary>
    /// <param name="client">The client that sent it; null if that is not known.</param>
    /// <returns>Why the reading is refused, in words for a person; null if it is not.</returns>
    public string? Take(string series, string? client)
    {
        if (ReferenceEquals(series, _last) || _results!.Has(series) || _coming.ContainsKey(series))
        {
            _last = series; // Many messages of one topic come together.
            return null;
        }
        var owner = client is null ? null : _owners.GetValueOrDefault(client);
        if (_results.SeriesCount + _coming.Count >= options.MostSeries)
            return Refuse(_limitReached);
        var bytes = Results.NameBytesOf(series);
        if (_results.NameBytes + _comingBytes + bytes > _mostNameBytes)
            return Refuse(_namesReached);
        if (client is not null && (owner?.Series ?? 0) >= options.MostSeriesOfClient)
            return Refuse(_clientLimitReached);
        if (owner is null && client is not null)
            _owners.Add(client, owner = new Owner(this, client));
        owner?.Take();
        _coming.Add(_last = series, owner);
        _comingBytes += bytes;
        return null;
    }

    /// <summary>The batch is committed, and its readings are in the windows. What did not become a series is not counted any more.</summary>
    public void Settle()
    {
        _last = "";
        if (_coming.Count == 0)
            return;
        foreach (var (series, owner) in _coming)
        {
            if (owner is not null && !_results!.TellWhenForgotten(series, owner.Give))
                owner.Give();
        }
        _coming.Clear();
        _comingBytes = 0;
    }

    private string Refuse(string reason)
    {
        Volatile.Write(ref _refused, _refused + 1);
        return reason;
    }

    // A client that has added series which still exist.
    private sealed class Owner
    {
        public Owner(SeriesQuota quota, string client)
        {
            Give = () =>
            {
                if (--Series == 0 && quota._owners.GetValueOrDefault(client) == this)
                    quota._owners.Remove(client);
            };
        }

        public int Series { get; private set; }

        /// <summary>One of its series does not exist any more.</summary>
        public Action Give { get; }

        public void Take() => Series++;
    }
}
