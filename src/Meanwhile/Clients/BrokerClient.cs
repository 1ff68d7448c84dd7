using System.Net.Sockets;
using Meanwhile.Feeds;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Clients;

/// <summary>MQTTnet's client, kept connected: for publishing readings and watching results.</summary>
internal sealed class BrokerClient : IAsyncDisposable
{
    private const int DefaultInFlight = 20; // MQTT 3.1.1 brokers do not say how much they take at once.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly BrokerSettings _settings;
    private readonly uint _sessionExpiry;
    private readonly ConnectionLog _log;
    private readonly TimeProvider _time;
    private readonly ProtocolVersion _version;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly Backoff _backoff = Backoff.ForBroker();
    private readonly TakeOverDetector _takeOvers;
    private volatile UserException? _failure;
    private bool _hasConnected;
    private bool _isLeaving;
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A client that is not connected yet.</summary>
    /// <param name="settings">Which broker, and who we are.</param>
    /// <param name="sessionExpiry">Seconds for which the broker keeps our session after we left; 0 for none.</param>
    /// <param name="logger">For coming and going.</param>
    /// <param name="time">For the waits.</param>
    public BrokerClient(BrokerSettings settings, uint sessionExpiry, ILogger logger, TimeProvider time)
    {
        (_settings, _sessionExpiry, _time) = (settings, sessionExpiry, time);
        _log = new ConnectionLog(settings, logger, time);
        _version = new ProtocolVersion(logger);
        _takeOvers = new TakeOverDetector(time);
        Client = new MqttClientFactory().CreateMqttClient();
        Client.DisconnectedAsync += OnDisconnectedAsync;
        _ended.SetResult();
    }

    /// <summary>The library's client.</summary>
    public IMqttClient Client { get; }

    /// <summary>A subscription was accepted.</summary>
    public void Subscribed(string filter) => _log.Subscribed(filter);

    /// <summary>How many QoS 1 and 2 messages the broker takes at once.</summary>
    public int ReceiveMaximum { get; private set; } = DefaultInFlight;

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
        try
        {
            _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // Before the connection can end.
            var result = await Client.ConnectAsync(_settings.ToClientOptions(version, _sessionExpiry), cancellationToken);
            BrokerFailure.Check((MqttConnectReasonCode)result.ResultCode, _settings, _hasConnected);
            _hasConnected = true;
            _isLeaving = false;
            _takeOvers.Accepted();
            ReceiveMaximum = result.ReceiveMaximum is > 0 ? result.ReceiveMaximum.Value : DefaultInFlight;
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
            var isOpen = e.GetBaseException() is not SocketException { SocketErrorCode: not SocketError.ConnectionReset };
            throw new BrokerException(BrokerFailure.Describe(e), e) { Doubt = isOpen ? VersionDoubt.Suspected : VersionDoubt.None };
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
