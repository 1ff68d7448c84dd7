using System.Collections.Concurrent;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A store in which a commit takes until the test lets it end.</summary>
internal sealed class ManualStore(params Change[] kept) : IBrokerStore
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<IReadOnlyList<Change>> _begun = Channel.CreateUnbounded<IReadOnlyList<Change>>();
    private readonly Channel<bool> _ends = Channel.CreateUnbounded<bool>();
    private volatile Exception? _failure;

    /// <summary>What is committed.</summary>
    public ConcurrentQueue<Change> Committed { get; } = new();

    /// <summary>How many commits there were.</summary>
    public int Commits { get; private set; }

    public IEnumerable<Change> Read() => kept;

    public async ValueTask CommitAsync(IReadOnlyList<Change> changes, CancellationToken stop)
    {
        _begun.Writer.TryWrite([.. changes]);
        if (await _ends.Reader.WaitToReadAsync(stop))
            _ends.Reader.TryRead(out _);
        if (_failure is { } failure)
            throw failure;
        foreach (var change in changes)
            Committed.Enqueue(change);
        Commits++;
    }

    /// <summary>Waits for the next commit, which goes on until it may end.</summary>
    public Task<IReadOnlyList<Change>> BegunAsync() => _begun.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TimeProvider.System);

    /// <summary>One commit, this one or the next, ends well.</summary>
    public void End() => _ends.Writer.TryWrite(true);

    /// <summary>All of them end well from here on.</summary>
    public void EndAll() => _ends.Writer.TryComplete();

    /// <summary>All of them fail from here on.</summary>
    public void Fail(Exception failure)
    {
        _failure = failure;
        EndAll();
    }
}
