using System.Threading.Channels;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;

namespace Meanwhile.HomeAssistant;

/// <summary>
/// Lets Home Assistant discover the sensors of each series, and takes back those of series that have died, also in an earlier run. It is a client of its own
/// beside the data path, which knows nothing of it.
/// </summary>
internal sealed class Announcer : IAsyncDisposable
{
    private const int FoundAtOnce = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(2);
    private static readonly byte[] Online = "online"u8.ToArray();
    private static readonly byte[] Offline = "offline"u8.ToArray();

    private readonly AnnouncerOptions _options;
    private readonly Insight _insight;
    private readonly Sensors _sensors;
    private readonly TopicMatcher _configurations;
    private readonly BrokerClient _client;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LogLimiter _limiter;
    private readonly Dictionary<string, IReadOnlyList<string>> _announced = new(StringComparer.Ordinal);
    private readonly HashSet<string> _topics = new(StringComparer.Ordinal);

    // Configurations that the broker keeps; when it is full, the broker waits.
    private readonly Channel<string> _found = Channel.CreateBounded<string>(FoundAtOnce);
    private volatile bool _mustRepeat;
    private int _missing;

    /// <summary>An announcer that is not connected yet.</summary>
    /// <param name="broker">Which broker, and who it is there.</param>
    /// <param name="options">What is announced.</param>
    /// <param name="insight">Knows the series.</param>
    /// <param name="logger">For what goes wrong.</param>
    /// <param name="time">For the waits.</param>
    public Announcer(BrokerSettings broker, AnnouncerOptions options, Insight insight, ILogger logger, TimeProvider time)
    {
        (_options, _insight, _logger, _time, _limiter) = (options, insight, logger, time, new LogLimiter(time));
        _sensors = new Sensors(options, insight.Options);
        _configurations = new TopicMatcher(_sensors.Configurations);
        _client = new BrokerClient(broker with { Will = (_sensors.Availability, Offline) }, logger, time);
    }

    /// <summary>Announces until told to stop, and says then that we are gone. Nothing that happens here ends the program.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _client.Client.ApplicationMessageReceivedAsync += received => HearAsync(received.ApplicationMessage, stop);
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
                await FollowAsync(stop);
            while (await timer.WaitForNextTickAsync(stop));
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
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            await _client.EnsureConnectedAsync(() => IntroduceAsync(stop), stop);
            if (_insight.Results is { } results)
                await AnnounceAsync(results, stop);
        }
        catch (Exception e) when (IsInterruption(e, stop))
        {
            _mustRepeat = true;
        }
    }

    private async Task IntroduceAsync(CancellationToken stop)
    {
        try
        {
            var subscription = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(_sensors.Birth).WithTopicFilter(_sensors.Configurations, MqttQualityOfServiceLevel.AtLeastOnce).Build();
            foreach (var item in (await _client.Client.SubscribeAsync(subscription, stop)).Items.Where(item => item.ResultCode >= MqttClientSubscribeResultCode.UnspecifiedError))
                SayRefused(item.TopicFilter.Topic, item.ResultCode);
            await PublishAsync(_sensors.Availability, Online, stop);
            _mustRepeat = true; // The broker may have lost what it had retained.
        }
        catch (Exception e) when (IsInterruption(e, stop))
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
    }

    private async Task HearAsync(MqttApplicationMessage message, CancellationToken stop)
    {
        if (message.Topic == _sensors.Birth)
            _mustRepeat = _mustRepeat || message.ConvertPayloadToString() == "online";
        else if (!message.Payload.IsEmpty && _configurations.Matches(message.Topic))
            await _found.Writer.WriteAsync(message.Topic, stop);
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
        while (_found.Reader.TryRead(out var topic))
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
        var message = new MqttApplicationMessage { Topic = topic, PayloadSegment = payload, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, Retain = true };
        if (await _client.PublishAsync(message, cancellationToken) is { } reason)
            SayRefused(topic, reason);
    }

    private async Task SayFarewellAsync()
    {
        using var timeout = new CancellationTokenSource(FarewellTimeout, _time);
        try
        {
            if (_client.Client.IsConnected)
                await PublishAsync(_sensors.Availability, Offline, timeout.Token);
        }
        catch (Exception e) when (BrokerClient.IsConnectionLoss(e) || e is OperationCanceledException)
        {
            // The broker publishes the will.
        }
    }

    // The library also gives up by itself when the broker does not answer.
    private static bool IsInterruption(Exception e, CancellationToken stop) => BrokerClient.IsConnectionLoss(e) || (e is OperationCanceledException && !stop.IsCancellationRequested);

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
