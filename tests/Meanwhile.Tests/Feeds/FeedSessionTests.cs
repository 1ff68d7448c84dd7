using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Tests.Feeds;

public class FeedSessionTests
{
    private readonly FeedSession _session = new([], new ResultRefusals(() => { }, NullLogger.Instance, TimeProvider.System), "DATA", NullLogger.Instance);

    [Fact]
    public async Task What_the_end_of_a_connection_keeps_from_the_queue_goes_in_first_on_the_next_one()
    {
        _session.Connected(sessionPresent: true, receiveMaximum: 10, largestPacket: 0);
        ushort id = 1;
        while (_session.Deliveries.Count < 4096)
            await _session.HandOverAsync(Received(id++, dup: false), CancellationToken.None);
        var last = Received(id, dup: false);
        using var ended = new CancellationTokenSource();
        var waiting = _session.HandOverAsync(last, ended.Token).AsTask();
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        for (var i = 0; i < 4096; i++)
            Assert.True(_session.Deliveries.TryRead(out _));
        _session.Connected(sessionPresent: true, receiveMaximum: 10, largestPacket: 0);
        await _session.HandOverAsync(Received(id, dup: true), CancellationToken.None);

        Assert.True(_session.Deliveries.TryRead(out var first));
        Assert.Equal((DeliveryKind.Message, last.Ticket), (first.Kind, first.Ticket));
        Assert.True(_session.Deliveries.TryRead(out var second));
        Assert.Equal(DeliveryKind.Redelivery, second.Kind);
    }

    [Fact]
    public async Task Nothing_may_be_subscribed_to_until_the_store_has_forgotten_what_the_broker_has()
    {
        var change = _session.Connected(sessionPresent: false, receiveMaximum: 10, largestPacket: 0);
        Assert.Equal(IdChangeKind.AllForgotten, change.IdChange.Kind);
        var forgotten = _session.ForgottenAsync();
        Assert.False(forgotten.IsCompleted);
        var again = _session.Connected(sessionPresent: false, receiveMaximum: 10, largestPacket: 0);

        _session.Committed([change]);
        Assert.False(forgotten.IsCompleted);
        _session.Committed([again]);
        await forgotten;
        Assert.True(_session.ForgottenAsync().IsCompleted);
    }

    private Delivery Received(ushort id, bool dup) => _session.Received(new MqttPublishPacket
    {
        PacketIdentifier = id,
        Topic = "DATA",
        PayloadSegment = "1"u8.ToArray(),
        QualityOfServiceLevel = MqttQualityOfServiceLevel.ExactlyOnce,
        Dup = dup,
    }, arrived: 0)!.Value;
}
