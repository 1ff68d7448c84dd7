using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A client of ours that runs, and a host that sees everything it is told.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<MqttClientException> _failures = [];
    private readonly List<Accepted> _accepted = [];

    private TestClient(ClientOptions options)
    {
        Client = new MqttClient(options with
        {
            Connected = async (client, accepted, ends) =>
            {
                lock (_accepted)
                    _accepted.Add(accepted);
                await (options.Connected?.Invoke(client, accepted, ends) ?? Task.CompletedTask);
            },
            Failed = async (failure, stop) =>
            {
                lock (_failures)
                    _failures.Add(failure);
                await (options.Failed?.Invoke(failure, stop) ?? Task.CompletedTask);
            },
        });
        Running = Client.RunAsync(_stop.Token);
    }

    public MqttClient Client { get; }

    public Task Running { get; }

    /// <summary>What it was told of attempts and connections that have failed.</summary>
    public IReadOnlyList<MqttClientException> Failures
    {
        get
        {
            lock (_failures)
                return [.. _failures];
        }
    }

    /// <summary>Connections that were accepted.</summary>
    public IReadOnlyList<Accepted> Accepted
    {
        get
        {
            lock (_accepted)
                return [.. _accepted];
        }
    }

    /// <summary>Starts one.</summary>
    public static TestClient Start(Uri server, Func<ClientOptions, ClientOptions>? configure = null)
    {
        var options = new ClientOptions { Server = server, ClientId = "c", KeepAlive = TimeSpan.Zero };
        return new TestClient(configure?.Invoke(options) ?? options);
    }

    /// <summary>The next thing that comes; it is not completed.</summary>
    public async Task<Incoming> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            return await Client.Incoming.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"nothing has come; accepted: {string.Join(" | ", Accepted)}; failed: {string.Join(" | ", Failures.Select(failure => failure.Message))}");
            throw;
        }
    }

    /// <summary>The next message as text, with its QoS; it is completed.</summary>
    public async Task<string> ReadTextAsync()
    {
        while (true)
        {
            var incoming = await ReadAsync();
            var text = incoming.Message is { } message ? $"{message.Topic} {message.Qos} {System.Text.Encoding.UTF8.GetString(message.Payload.Span)}" : null;
            Client.Complete([incoming]);
            if (text is not null && incoming.Kind == IncomingKind.Message)
                return text;
        }
    }

    /// <summary>Publishes text.</summary>
    public Task<ReasonCode> PublishAsync(string topic, string payload = "", int qos = 1, bool retain = false) =>
        Client.PublishAsync(Message(topic, payload, qos, retain), TestContext.Current.CancellationToken).WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Subscribes to one filter.</summary>
    public async Task<ReasonCode> SubscribeAsync(string filter, int qos = 2) => Assert.Single(
        await Client.SubscribeAsync([new SubscriptionRequest(filter, qos)], cancellationToken: TestContext.Current.CancellationToken).WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken));

    public static Message Message(string topic, string payload = "", int qos = 1, bool retain = false) =>
        new() { Topic = topic, Payload = System.Text.Encoding.UTF8.GetBytes(payload), Qos = qos, Retain = retain };

    /// <summary>Tells it to take nothing in any more.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Waits until it was told of a failure like this.</summary>
    public async Task<MqttClientException> FailsAsync(Func<MqttClientException, bool> condition)
    {
        await Meanwhile.Tests.Support.Until.TrueAsync(() => Failures.Any(condition), () => $"no such failure in: {string.Join(" | ", Failures.Select(failure => failure.Message))}");
        return Failures.First(condition);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _stop.Dispose();
    }
}
