using System.Text;
using System.Threading.Channels;
using Meanwhile.Feeds;

namespace Meanwhile.Tests.Support;

/// <summary>A feed whose messages come from the test, and which keeps what is acknowledged and published.</summary>
/// <param name="time">For the arrival of messages.</param>
internal sealed class ManualFeed(TimeProvider time) : IFeed
{
    private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>();
    private readonly Channel<string> _results = Channel.CreateUnbounded<string>();

    public ChannelReader<Delivery> Deliveries => _deliveries.Reader;

    public bool IsReady => true;

    /// <summary>Every event in the order in which the data path caused it.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Called before an acknowledgement is noted: the place to look at the store.</summary>
    public Action? Acknowledging { get; set; }

    public void Send(string topic, string payload) => Send(topic, Encoding.UTF8.GetBytes(payload));

    public void Send(string topic, byte[] payload) =>
        Send(Support.Deliveries.Of(DeliveryKind.Message, topic, payload));

    public void Send(Delivery delivery) =>
        Assert.True(_deliveries.Writer.TryWrite(delivery with { Incoming = delivery.Incoming with { Received = time.GetUtcNow() } }));

    /// <summary>Ends the deliveries, as a feed that was told to stop does.</summary>
    public void End() => _deliveries.Writer.Complete();

    /// <summary>The next result, as "topic payload".</summary>
    public async Task<string> ResultAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        return await _results.Reader.ReadAsync(timeout.Token);
    }

    public bool TryResult(out string? result) => _results.Reader.TryRead(out result);

    public Task RunAsync(CancellationToken stop) => Task.CompletedTask;

    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        Acknowledging?.Invoke();
        Events.Add($"acknowledged {committed.Count}");
        return committed.Count(d => d.Kind != DeliveryKind.SessionChange);
    }

    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        Events.Add("published");
        Assert.True(_results.Writer.TryWrite($"{topic} {Encoding.UTF8.GetString(payload.Span)}"));
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
