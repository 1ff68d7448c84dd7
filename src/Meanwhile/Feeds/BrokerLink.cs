using Meanwhile.Logging;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>What is said, and decided, when a client of ours connects to a broker elsewhere and loses it.</summary>
/// <param name="settings">Which broker, and who we are.</param>
/// <param name="logger">For coming and going.</param>
/// <param name="time">For the waits.</param>
internal sealed class BrokerLink(BrokerSettings settings, ILogger logger, TimeProvider time)
{
    private readonly ConnectionLog _log = new(settings, logger, time);
    private readonly WrongPort _wrongPort = new(settings.Address, time);
    private readonly TakeOverDetector _takeOvers = new(time);
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Accepted _accepted;
    private bool _isOld;

    /// <summary>Says when the broker goes and when it is back.</summary>
    public ConnectionLog Connections => _log;

    /// <summary>Completes with the first connection.</summary>
    public Task Connected => _connected.Task;

    /// <summary>For a client in a session of its own, which ends with its connection.</summary>
    /// <param name="connected">Run on each connection; null for nothing.</param>
    /// <param name="explains">Asked when a connection has ended: whether it is known why, so that no other client has taken it over; null for never.</param>
    public ClientOptions Options(Func<MqttClient, Accepted, CancellationToken, Task>? connected = null, Func<bool>? explains = null) => settings.ToOptions(time) with
    {
        Connected = (client, accepted, ends) =>
        {
            Accept(accepted);
            return connected?.Invoke(client, accepted, ends) ?? Task.CompletedTask;
        },
        Failed = (failure, stop) => FailAsync(failure, explains, stop),
    };

    /// <summary>Why the broker does not take a message, to a person.</summary>
    public string Explain(ReasonCode refusal) => refusal switch
    {
        ReasonCode.PacketTooLarge when _accepted.Properties.Number(PropertyId.MaximumPacketSize) is { } largest => $"it takes packets of at most {largest} bytes",
        ReasonCode.QosNotSupported when _accepted.Properties.Number(PropertyId.MaximumQos) is { } highest => $"it takes QoS {highest} at most",
        ReasonCode.RetainNotSupported => "it keeps no retained messages",
        _ => $"{refusal}",
    };

    private void Accept(Accepted accepted)
    {
        var isOld = accepted.Version != Mqtt.Wire.ProtocolVersion.V5;
        if (isOld && !_isOld)
            Log.FellBack(logger);
        (_accepted, _isOld) = (accepted, isOld);
        _takeOvers.Accepted();
        _log.Connected(isOld ? "3.1.1" : "5.0");
        _connected.TrySetResult();
    }

    private async Task FailAsync(MqttClientException failure, Func<bool>? explains, CancellationToken stop)
    {
        if (!_connected.Task.IsCompleted && BrokerFailure.MayBeWrongPort(failure))
            await _wrongPort.CheckAsync(BrokerFailure.IsClosed(failure), stop);
        if (failure is { WasConnected: true, Reason: ReasonCode.SessionTakenOver })
            throw BrokerFailure.TakenOver(settings.ClientId);
        if (failure.IsFinal)
            throw BrokerFailure.Final(settings, failure);
        if (failure.WasConnected)
            _log.Lost(failure.Message);
        else
            _log.Away(failure.Message);
        var isExplained = failure.WasConnected && explains?.Invoke() == true;
        _takeOvers.Ended(out var isTakeOver, isExplained || failure.Answer is not null); // The latter when we have ended it.
        if (isTakeOver && !stop.IsCancellationRequested)
            throw BrokerFailure.TakenOver(settings.ClientId);
    }
}
