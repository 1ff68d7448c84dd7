using Meanwhile.Feeds;
using Meanwhile.Pipeline;
using Meanwhile.Stores;

namespace Meanwhile.Tests.Support;

/// <summary>A feed of ours against a broker of raw bytes; the test is the store.</summary>
public abstract class RawFeedTest : IAsyncLifetime
{
    private readonly RawBroker _broker = new();
    private readonly CancellationTokenSource _stop = new();
    private MqttFeed? _feed;

    private protected ListLogger Log { get; } = new();

    private protected Ledger Ledger { get; } = new();

    private protected MqttFeed Feed => _feed!;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_feed is not null)
            await _feed.DisposeAsync();
        _broker.Dispose();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the feed.</summary>
    /// <param name="stored">What the session was subscribed to when the last process committed; null for nothing that is known.</param>
    private protected void Start(TimeProvider? time = null, string filter = "DATA", string? stored = null)
    {
        var settings = new BrokerSettings(BrokerAddress.Parse(_broker.Address), "raw", UserName: null, Password: null);
        _feed = new MqttFeed(settings, filter, new SessionState(new Dictionary<string, IReadOnlyCollection<ushort>>(), stored), new ReadyFile(null), Ledger.RefuseResult, Log, time ?? TimeProvider.System);
        _ = _feed.RunAsync(_stop.Token);
    }

    /// <summary>The feed's next connection, before its CONNECT.</summary>
    private protected Task<RawConnection> AcceptRawAsync() => _broker.AcceptAsync();

    /// <summary>Takes the feed's next connection in, in the version that is asked for.</summary>
    /// <param name="connAck">Its rest after the fixed header, as hexadecimal text: 5.0 has properties.</param>
    private protected async Task<RawConnection> AcceptAsync(string connAck)
    {
        var connection = await _broker.AcceptAsync();
        var connect = await connection.ReceiveAsync();
        if (connAck.Length == 4 && connect.Contains("00044D51545405", StringComparison.Ordinal))
        {
            await connection.SendAsync("20020001"); // 3.1.1 only.
            connection.Dispose();
            return await AcceptAsync(connAck);
        }
        await connection.SendAsync($"20{connAck.Length / 2:X2}{connAck}");
        return connection;
    }

    /// <summary>The same for a new session, up to SUBACK, with what the store commits because of it.</summary>
    private protected async Task<RawConnection> AcceptAndSubscribeAsync(bool is5 = true, string properties = "00")
    {
        var connection = await AcceptAsync(is5 ? "0000" + properties : "0000");
        await CommitAsync(1); // The identifiers are forgotten.
        Assert.StartsWith("82", await connection.ReceiveAsync(), StringComparison.Ordinal);
        await connection.SendAsync(is5 ? "9004 0001 00 02" : "9003 0001 02");
        await CommitAsync(1); // The subscription.
        return connection;
    }

    /// <summary>Takes deliveries without committing them.</summary>
    private protected async Task<List<Delivery>> TakeAsync(int count)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        List<Delivery> taken = [];
        while (taken.Count < count)
            taken.Add(await Feed.Deliveries.ReadAsync(timeout.Token));
        return taken;
    }

    /// <summary>Takes deliveries and commits them.</summary>
    /// <returns>How many were acknowledged.</returns>
    private protected async Task<int> CommitAsync(int count) => Feed.Acknowledge(await TakeAsync(count));
}
