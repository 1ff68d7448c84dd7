using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Pipeline;
using Microsoft.Extensions.Logging;

namespace Meanwhile.HomeAssistant;

/// <summary>
/// Lets Home Assistant discover the sensors of each series, and takes back those of series that have died, also in an earlier run. It is a client of its own
/// beside the data path, which knows nothing of it.
/// </summary>
internal sealed class Announcer : IAsyncDisposable
{
    private const int MostFound = 100_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(2);
    private static readonly byte[] Online = "online"u8.ToArray();
    private static readonly byte[] Offline = "offline"u8.ToArray();

    private readonly AnnouncerOptions _options;
    private readonly PipelineStatus _status;
    private readonly Sensors _sensors;
    private readonly TopicMatcher _configurations;
    private readonly BrokerLink _link;
    private readonly MqttClient _client;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LogLimiter _limiter;
    private readonly Dictionary<string, IReadOnlyList<string>> _announced = new(StringComparer.Ordinal);
    private readonly HashSet<string> _topics = new(StringComparer.Ordinal);

    // Topics of configurations that the broker keeps. What is more than this is found by the next connection: waiting here, we would not hear that ours have arrived.
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);
    private readonly Lock _findings = new();
    private Task _hearing = Task.CompletedTask;
    private volatile bool _isIntroduced;
    private volatile bool _mustRepeat;
    private int _missing;

    /// <summary>An announcer that is not connected yet.</summary>
    /// <param name="broker">Which broker, and who it is there.</param>
    /// <param name="options">What is announced.</param>
    /// <param name="status">Knows the series.</param>
    /// <param name="logger">For what goes wrong.</param>
    /// <param name="time">For the waits.</param>
    public Announcer(BrokerSettings broker, AnnouncerOptions options, PipelineStatus status, ILogger logger, TimeProvider time)
    {
        (_options, _status, _logger, _time, _limiter) = (options, status, logger, time, new LogLimiter(time));
        _sensors = new Sensors(options, status.Options);
        _configurations = new TopicMatcher(_sensors.Configurations);
        _link = new BrokerLink(broker with { Will = (_sensors.Availability, Offline) }, logger, time);
        _client = new MqttClient(_link.Options((client, _, ends) => IntroduceAsync(client, ends)));
    }

    /// <summary>Announces until told to stop, and says then that we are gone. Nothing that happens here ends the program.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var running = _client.RunAsync(CancellationToken.None);
        _hearing = HearAsync();
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
                await FollowAsync(stop);
            while (!running.IsCompleted && await timer.WaitForNextTickAsync(stop));
            await running;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await SayFarewellAsync();
        }
        catch (Exception e) // Whatever it is, readings come in.
        {
            Log.AnnouncerEnded(_logger, e is UserException ? e.Message : $"{e.GetType().Name}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _hearing;
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            if (_client.IsConnected && _isIntroduced && _status.Results is { } results)
                await AnnounceAsync(results, stop);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The client has ended by itself, and says why.
        }
    }

    private async Task IntroduceAsync(MqttClient client, CancellationToken ends)
    {
        _isIntroduced = false;
        SubscriptionRequest[] subscriptions = [new(_sensors.Birth, 0), new(_sensors.Configurations, 1)];
        foreach (var (subscription, reason) in subscriptions.Zip(await client.SubscribeAsync(subscriptions, cancellationToken: ends)))
        {
            if (reason >= ReasonCode.UnspecifiedError)
                SayRefused(subscription.Filter, reason);
        }
        await PublishAsync(_sensors.Availability, Online, ends);
        _mustRepeat = true; // The broker may have lost what it had retained.
        _isIntroduced = true;
    }

    private async Task HearAsync()
    {
        while (await _client.Incoming.WaitToReadAsync(CancellationToken.None))
        {
            while (_client.Incoming.TryRead(out var incoming))
            {
                if (incoming.Message is { } message)
                    Hear(message);
                _client.Complete([incoming]);
            }
        }
    }

    private void Hear(Message message)
    {
        if (message.Topic == _sensors.Birth)
        {
            _mustRepeat = _mustRepeat || message.Payload.Span.SequenceEqual(Online);
        }
        else if (!message.Payload.IsEmpty && _configurations.Matches(message.Topic))
        {
            lock (_findings)
            {
                if (_found.Count < MostFound)
                    _found.Add(message.Topic);
            }
        }
    }

    private List<string> TakeFound()
    {
        lock (_findings)
        {
            List<string> found = [.. _found];
            _found.Clear();
            return found;
        }
    }

    private async Task AnnounceAsync(Results results, CancellationToken stop)
    {
        var live = Live(results);
        foreach (var gone in _announced.Keys.Where(series => !live.Contains(series)).ToList())
            await TakeBackAsync(gone, stop);
        if (_mustRepeat)
        {
            _mustRepeat = false;
            _announced.Clear();
            _topics.Clear();
        }
        var isFirst = _announced.Count == 0;
        foreach (var series in live.Where(series => Sensors.CanHave(series) && !_announced.ContainsKey(series)).Order(StringComparer.Ordinal).Take(_options.MostSeries - _announced.Count).ToList())
            await AnnounceAsync(series, stop);
        foreach (var topic in TakeFound())
        {
            if (!_topics.Contains(topic))
                await PublishAsync(topic, [], stop); // Of a series that died while nobody was there to say so.
        }
        if (isFirst && _announced.Count > 0)
            Log.Announced(_logger, _announced.Count, _sensors.Topics);
        SayMissing(Math.Max(live.Count, _announced.Count < _options.MostSeries ? 0 : results.SeriesCount) - _announced.Count);
    }

    // Series are listed only while another one could be announced: the data path waits for that, and there may be a million of them.
    private HashSet<string> Live(Results results)
    {
        var live = new HashSet<string>(StringComparer.Ordinal);
        results.Look(_announced.Keys, _time.GetUtcNow().ToUnixTimeMilliseconds(), (series, _, _) => live.Add(series));
        return live.Count < _options.MostSeries ? results.Topics().ToHashSet(StringComparer.Ordinal) : live;
    }

    private async Task AnnounceAsync(string series, CancellationToken stop)
    {
        var sensors = _sensors.Of(series).ToList();
        _announced.Add(series, [.. sensors.Select(sensor => sensor.Topic)]);
        foreach (var (topic, configuration) in sensors)
        {
            _topics.Add(topic);
            await PublishAsync(topic, configuration, stop);
        }
    }

    private async Task TakeBackAsync(string series, CancellationToken stop)
    {
        _announced.Remove(series, out var topics);
        foreach (var topic in topics!)
        {
            _topics.Remove(topic);
            await PublishAsync(topic, [], stop);
        }
    }

    private async Task PublishAsync(string topic, byte[] payload, CancellationToken cancellationToken)
    {
        var reason = await _client.PublishAsync(new Message { Topic = topic, Payload = payload, Qos = 1, Retain = true }, cancellationToken);
        if (reason >= ReasonCode.UnspecifiedError)
            SayRefused(topic, _link.Explain(reason));
    }

    private async Task SayFarewellAsync()
    {
        using var timeout = new CancellationTokenSource(FarewellTimeout, _time);
        try
        {
            if (_client.IsConnected)
                await PublishAsync(_sensors.Availability, Offline, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            // The broker publishes the will.
        }
    }

    private void SayMissing(int series)
    {
        if (series > _missing && _limiter.MayLog(nameof(Log.NotAnnounced), out _))
            Log.NotAnnounced(_logger, _missing = series);
        else if (series == 0)
            _missing = 0;
    }

    private void SayRefused(string topic, object reason)
    {
        if (_limiter.MayLog($"{reason}", out var repeated))
            Log.AnnouncementRefused(_logger, topic, reason, repeated);
    }
}
