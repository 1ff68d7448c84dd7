using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;

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
    private long _acknowledged;

    /// <summary>Publishes until told to stop, or until all are acknowledged.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var client = new BrokerClient(broker, logger, time);
        using var giveUp = new CancellationTokenSource();
        var inFlight = new Queue<Task>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var connecting = client.KeepConnectedAsync(null, ending.Token);
        var sending = SendAsync(client, inFlight, giveUp.Token, ending.Token);
        await Task.WhenAny(sending, connecting);
        if (connecting.IsFaulted)
            await ending.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (connecting.IsFaulted ? connecting : Task.CompletedTask);
        if (sending.IsFaulted)
            await sending;
        await FinishAsync(inFlight, giveUp, stop);
        if (options.Count is not { } count)
            return;
        if (_acknowledged == count)
            Log.AllPublished(logger, count);
        else
            Log.PublishedSome(logger, _acknowledged, count);
    }

    private async Task SendAsync(BrokerClient client, Queue<Task> inFlight, CancellationToken giveUp, CancellationToken stop)
    {
        await client.EnsureConnectedAsync(null, stop);
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
    private async Task FinishAsync(Queue<Task> inFlight, CancellationTokenSource giveUp, CancellationToken stop)
    {
        var all = Task.WhenAll(inFlight);
        await all.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    private async Task PublishAsync(BrokerClient client, string payload, CancellationToken giveUp)
    {
        var message = new MqttApplicationMessage
        {
            Topic = options.Topic,
            PayloadSegment = Encoding.UTF8.GetBytes(payload),
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)options.Qos,
        };
        while (true)
        {
            try
            {
                await client.EnsureConnectedAsync(null, giveUp);
                if (await client.PublishAsync(message, giveUp) is { } reason)
                    throw new UserException($"the broker refuses messages on '{options.Topic}' ({reason}): check TOPIC, --qos and what this user may write");
                Interlocked.Increment(ref _acknowledged);
                Log.Published(logger, options.Topic, payload);
                return;
            }
            catch (Exception e) when (BrokerClient.IsConnectionLoss(e) || (e is OperationCanceledException && !giveUp.IsCancellationRequested))
            {
                // Not acknowledged: once more on the next connection.
            }
        }
    }
}
