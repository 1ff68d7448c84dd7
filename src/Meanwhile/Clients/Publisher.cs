using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Clients;

/// <summary>What the publisher sends.</summary>
/// <param name="Topic">Without wildcards.</param>
/// <param name="Qos">0, 1 or 2.</param>
/// <param name="Pace">When.</param>
/// <param name="Count">How many; null for without end.</param>
/// <param name="Seed">Makes the numbers and intervals repeatable; null for any.</param>
internal sealed record PublisherOptions(string Topic, int Qos, Pace Pace, long? Count, int? Seed);

/// <summary>The seed's publisher: random whole numbers from 1 to 100 at random intervals.</summary>
internal sealed class Publisher(BrokerSettings broker, PublisherOptions options, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(5);
    private const int MostInFlight = 100;

    private readonly Random _random = options.Seed is { } seed ? new Random(seed) : new Random();
    private readonly BrokerLink _link = new(broker, logger, time);
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _acknowledged;

    /// <summary>Publishes until told to stop, or until all are acknowledged.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var client = new MqttClient(_link.Options());
        using var giveUp = new CancellationTokenSource();
        var inFlight = new Queue<Task>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var connecting = client.RunAsync(CancellationToken.None); // Until it is disposed: what is in flight may need another connection.
        var sending = SendAsync(client, inFlight, giveUp.Token, ending.Token);
        var first = await Task.WhenAny(sending, connecting, _refused.Task);
        await ending.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first.IsFaulted)
            await first;
        await FinishAsync(inFlight, giveUp, connecting, stop);
        if (options.Count is not { } count)
            return;
        if (_acknowledged == count)
            Log.AllPublished(logger, count);
        else
            Log.PublishedSome(logger, _acknowledged, count);
    }

    private async Task SendAsync(MqttClient client, Queue<Task> inFlight, CancellationToken giveUp, CancellationToken stop)
    {
        await _link.Connected.WaitAsync(stop);
        var start = time.GetTimestamp();
        var due = TimeSpan.Zero; // The first reading at once.
        for (long sent = 0; options.Count is not { } count || sent < count; sent++)
        {
            if (due - time.GetElapsedTime(start) is { Ticks: > 0 } wait)
                await Task.Delay(wait, time, stop);
            stop.ThrowIfCancellationRequested();
            while (inFlight.Count >= MostInFlight || inFlight.TryPeek(out var oldest) && oldest.IsCompleted)
            {
                await inFlight.Peek().WaitAsync(stop);
                _ = inFlight.Dequeue();
            }
            inFlight.Enqueue(PublishAsync(client, Payload(), giveUp));
            due += options.Pace.Next(_random);
        }
    }

    // What is in flight gets a moment when the program is told to stop, and all the time it needs when it is not.
    private async Task FinishAsync(Queue<Task> inFlight, CancellationTokenSource giveUp, Task connecting, CancellationToken stop)
    {
        var all = Task.WhenAll(inFlight);
        await Task.WhenAny(all.WaitAsync(stop), connecting);
        await (connecting.IsFaulted ? connecting : Task.CompletedTask);
        await all.WaitAsync(LeaveTimeout, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await giveUp.CancelAsync();
        try
        {
            await all;
        }
        catch (OperationCanceledException)
        {
        }
    }

    private string Payload() => $"{{\"number\": {_random.Next(1, 101)}, \"epochtime\": \"{time.GetUtcNow().ToUnixTimeSeconds()}\"}}";

    private async Task PublishAsync(MqttClient client, string payload, CancellationToken giveUp)
    {
        var reason = await client.PublishAsync(new Message { Topic = options.Topic, Payload = Encoding.UTF8.GetBytes(payload), Qos = options.Qos }, giveUp);
        if (reason >= ReasonCode.UnspecifiedError)
        {
            var refusal = new UserException($"the broker refuses messages on '{options.Topic}' ({_link.Explain(reason)}): check TOPIC, --qos and what this user may write");
            _refused.TrySetException(refusal); // Nobody need wait for the next reading to hear of it.
            throw refusal;
        }
        Interlocked.Increment(ref _acknowledged);
        Log.Published(logger, options.Topic, payload);
    }
}
