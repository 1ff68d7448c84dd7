using System.Net.Sockets;
using Meanwhile.Feeds;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Clients;

/// <summary>MQTTnet's client, kept connected, each time in a session of its own: for publishing readings and announcements.</summary>
internal sealed class BrokerClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly BrokerSettings _settings;
    private readonly ConnectionLog _log;
    private readonly TimeProvider _time;
    private readonly ProtocolVersion _version;
    private readonly WrongPort _wrongPort;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly Backoff _backoff = Backoff.ForBroker();
    private readonly TakeOverDetector _takeOvers;
    private volatile UserException? _failure;
    private volatile PublishTerms _terms = PublishTerms.Unknown;
    private bool _hasConnected;
    private bool _isLeaving;
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A client that is not connected yet.</summary>
    /// <param name="settings">Which broker, and who we are.</param>
    /// <param name="logger">For coming and going.</param>
    /// <param name="time">For the waits.</param>
    public BrokerClient(BrokerSettings settings, ILogger logger, TimeProvider time)
    {
        (_settings, _time) = (settings, time);
        _log = new ConnectionLog(settings, logger, time);
        _version = new ProtocolVersion(logger);
        _wrongPort = new WrongPort(settings.Address, time);
        _takeOvers = new TakeOverDetector(time);
        Client = new MqttClientFactory().CreateMqttClient();
        Client.DisconnectedAsync += OnDisconnectedAsync;
        _ended.SetResult();
    }

    /// <summary>The library's client.</summary>
    public IMqttClient Client { get; }

    /// <summary>Publishes on the connection that there is. More than the broker takes at once at QoS 1 and 2 wait [MQTT-3.3.4-7].</summary>
    /// <returns>Why the broker does not take it; null when it has taken it.</returns>
    public async Task<string?> PublishAsync(MqttApplicationMessage message, CancellationToken cancellationToken)
    {
        while (true)
        {
            var terms = _terms;
            if (terms.Forbids(message) is { } reason)
                return reason;
            await terms.Places.WaitAsync(cancellationToken);
            try
            {
                if (terms != _terms)
                    continue; // It was for a place on an earlier connection.
                var result = await Client.PublishAsync(message, cancellationToken);
                return result.IsSuccess ? null : $"{result.ReasonCode}";
            }
            finally
            {
                terms.Places.Release();
            }
        }
    }

    /// <summary>Returns at once while connected; otherwise connects, for as long as it takes.</summary>
    /// <param name="connected">Run on each new connection, before anybody else uses it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="UserException">The broker refuses us, and will go on doing so.</exception>
    public async Task EnsureConnectedAsync(Func<Task>? connected, CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            while (!Client.IsConnected)
            {
                await _ended.Task.WaitAsync(cancellationToken); // The library refuses to connect while it is still closing.
                if (_failure is { } failure)
                    throw failure;
                try
                {
                    await ConnectAsync(cancellationToken);
                    if (connected is not null)
                        await connected();
                }
                catch (BrokerException e)
                {
                    _log.Away(e.Message);
                    await LeaveAsync();
                    await Task.Delay(_backoff.Next(), _time, cancellationToken);
                }
            }
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Connects, and connects again whenever the connection is lost, until told to stop.</summary>
    /// <param name="connected">Run on each new connection, before anybody else uses it.</param>
    /// <param name="stop">Ends it.</param>
    public async Task KeepConnectedAsync(Func<Task>? connected, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(CheckInterval, _time);
        try
        {
            do
                await EnsureConnectedAsync(connected, stop);
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        Client.Dispose();
        _connecting.Dispose();
    }

    private async Task LeaveAsync()
    {
        _isLeaving = true;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
        try
        {
            if (Client.IsConnected)
                await Client.DisconnectAsync(new MqttClientDisconnectOptions(), timeout.Token);
        }
        catch (Exception e) when (IsConnectionLoss(e) || e is OperationCanceledException)
        {
            // It is gone already.
        }
    }

    /// <summary>What a lost connection throws out of the library.</summary>
    public static bool IsConnectionLoss(Exception e) =>
        e is MqttCommunicationException or BrokerException or IOException or SocketException
        // A connection that ends while a request begins takes the library's adapter away under it: twice in 36,552 connections reset right after CONNACK.
        || (e is NullReferenceException && e.Source == typeof(MqttClientFactory).Assembly.GetName().Name);

    private Task OnDisconnectedAsync(MqttClientDisconnectedEventArgs e)
    {
        if (!e.ClientWasConnected)
            return Task.CompletedTask; // An attempt that failed.
        _ended.TrySetResult();
        if (_isLeaving)
            return Task.CompletedTask;
        _log.Lost(e.Exception is { } exception ? BrokerFailure.Describe(exception) : "it was closed");
        if (_takeOvers.Ended(out var isTakeOver))
            _backoff.Reset();
        if (isTakeOver || e.Reason == MqttClientDisconnectReason.SessionTakenOver)
            _failure = BrokerFailure.TakenOver(_settings.ClientId);
        return Task.CompletedTask;
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ConnectInEitherVersionAsync(cancellationToken);
        }
        catch (Exception e) when (!_hasConnected && BrokerFailure.MayBeWrongPort(e))
        {
            await _wrongPort.CheckAsync(BrokerFailure.IsClosed(e), cancellationToken);
            throw;
        }
    }

    private async Task ConnectInEitherVersionAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ConnectAsync(MqttProtocolVersion.V500, cancellationToken);
        }
        catch (BrokerException e) when (_version.FallsBack(e.Doubt))
        {
            await LeaveAsync();
            await _ended.Task.WaitAsync(cancellationToken);
            await ConnectAsync(MqttProtocolVersion.V311, cancellationToken);
        }
    }

    private async Task ConnectAsync(MqttProtocolVersion version, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // Before the connection can end.
            var result = await Client.ConnectAsync(_settings.ToClientOptions(version, sessionExpiry: 0), either.Token);
            BrokerFailure.Check((MqttConnectReasonCode)result.ResultCode, result.ReasonString, _settings, _hasConnected);
            _hasConnected = true;
            _isLeaving = false;
            _takeOvers.Accepted();
            _terms = PublishTerms.Of(result, version);
            _version.Accepted(version);
            _log.Connected(ProtocolVersion.NameOf(version));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokerException("it does not answer", e);
        }
        catch (Exception e) when (BrokerFailure.IsCertificateProblem(e) && !_hasConnected)
        {
            throw BrokerFailure.Untrusted(_settings, e);
        }
        catch (Exception e) when (IsLibrarysFailure(e))
        {
            var mayBeOld = version == MqttProtocolVersion.V500 && !BrokerFailure.IsAway(e) && e is not MqttProtocolViolationException;
            throw new BrokerException(BrokerFailure.Describe(e), e) { Doubt = mayBeOld ? VersionDoubt.Suspected : VersionDoubt.None };
        }
        finally
        {
            if (!Client.IsConnected)
                _ended.TrySetResult();
        }
    }

    // InvalidOperationException while it still closes. What the broker has answered comes from ourselves.
    private static bool IsLibrarysFailure(Exception e) => e is not BrokerException && (IsConnectionLoss(e) || e is MqttProtocolViolationException or InvalidOperationException);
}
