namespace Meanwhile.Trials.Benchmarking;

/// <summary>What is published.</summary>
/// <param name="Topic">What is before the number of the series.</param>
/// <param name="Publishers">How many connections.</param>
/// <param name="Series">How many topics; publishers share one only where there are fewer topics than publishers.</param>
/// <param name="InFlight">Messages of each publisher that are not acknowledged yet.</param>
/// <param name="Bytes">Of a payload.</param>
internal sealed record LoadOptions(string Topic, int Publishers, int Series, int Qos, int InFlight, int Bytes)
{
    /// <summary>How many series are a publisher's alone: number, number + publishers, …</summary>
    public int SeriesOf(int publisher) => publisher < Series ? ((Series - 1 - publisher) / Publishers) + 1 : 0;
}

/// <summary>What was published, to be found again.</summary>
internal sealed class Sent(int series)
{
    private long _total;
    private long _acknowledged;

    /// <summary>Messages of each series.</summary>
    public int[] Counts { get; } = new int[series];

    /// <summary>The sum of the numbers of each series.</summary>
    public long[] Sums { get; } = new long[series];

    public long Total => Interlocked.Read(ref _total);

    /// <summary>At QoS 1 and 2.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>The next number of a series, which counts as sent.</summary>
    public int Next(int series)
    {
        var number = PublishTemplate.NumberOf(Counts[series]++);
        Sums[series] += number;
        return number;
    }

    public void Add(int messages) => Interlocked.Add(ref _total, messages);

    public void Acknowledge(int messages) => Interlocked.Add(ref _acknowledged, messages);
}

/// <summary>Publishers of prepared packets, so that they cost next to nothing: as many messages in flight as they may have, sent again as soon as some are acknowledged.</summary>
internal sealed class LoadGenerator : IDisposable
{
    private const int ConnectingAtOnce = 64;
    private const int MostKept = 1000;

    private readonly Target _broker;
    private readonly TimeProvider _time;
    private readonly List<RawPublisher> _publishers = [];

    private LoadGenerator(Target broker, LoadOptions options, TimeProvider time) => (_broker, _time, Options, Sent) = (broker, time, options, new Sent(options.Series));

    public LoadOptions Options { get; }

    public Sent Sent { get; }

    /// <summary>So many connections that they are not kept between rounds: a process may have only so many open files.</summary>
    public bool IsLarge => Options.Publishers > MostKept;

    /// <summary>Connects all publishers; those of a large load when they are to publish.</summary>
    public static async Task<LoadGenerator> ConnectAsync(Target broker, LoadOptions options, TimeProvider time, CancellationToken stop)
    {
        var load = new LoadGenerator(broker, options, time);
        if (!load.IsLarge)
            await load.ConnectAsync(stop);
        return load;
    }

    /// <summary>Connects all publishers, if they are not.</summary>
    public async Task ConnectAsync(CancellationToken stop)
    {
        if (_publishers.Count > 0)
            return;
        var name = Guid.NewGuid().ToString("n")[..8];
        try
        {
            foreach (var some in Enumerable.Range(0, Options.Publishers).Chunk(ConnectingAtOnce))
            {
                var connections = await Task.WhenAll(some.Select(number => RawConnection.ConnectAsync(_broker, $"bench-{name}-{number}", version: 4, stop)));
                _publishers.AddRange(connections.Zip(some, (connection, number) => new RawPublisher(connection, number, Options, Sent, _time)));
            }
        }
        catch
        {
            Disconnect();
            throw;
        }
    }

    /// <summary>Ends all connections.</summary>
    public void Disconnect()
    {
        _publishers.ForEach(publisher => publisher.Dispose());
        _publishers.Clear();
    }

    /// <summary>Publishes until it is over, and all is acknowledged.</summary>
    /// <param name="isOver">No more is to be begun.</param>
    /// <param name="hasRoom">Whoever receives is not too far behind.</param>
    public Task RunAsync(Func<bool> isOver, Func<bool> hasRoom, CancellationToken stop) =>
        Task.WhenAll(_publishers.Select(publisher => Task.Run(() => publisher.RunAsync(int.MaxValue, isOver, hasRoom, stop), stop)));

    /// <summary>Publishes one message to each series.</summary>
    public Task FillAsync(Func<bool> hasRoom, CancellationToken stop) => Task.WhenAll(
        _publishers.Select((publisher, number) => Task.Run(() => publisher.RunAsync(Options.SeriesOf(number), static () => false, hasRoom, stop), stop)));

    /// <summary>Publishes some messages by the first publisher, without waiting for their acknowledgements longer than it has to.</summary>
    public ValueTask PublishAsync(int messages, CancellationToken stop) => _publishers[0].PublishAsync(messages, stop);

    /// <summary>Waits for the acknowledgements of what <see cref="PublishAsync"/> has sent.</summary>
    public Task DrainAsync(CancellationToken stop) => _publishers[0].RunAsync(0, static () => true, static () => true, stop);

    /// <inheritdoc/>
    public void Dispose() => Disconnect();
}
