using System.Net.WebSockets;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>A client that sends all the time does not keep a thread that other connections need.</summary>
public sealed class FairnessTests
{
    [Fact]
    public async Task Empty_fragments_without_end_let_others_have_the_thread()
    {
        using var socket = new BinaryWebSocket(new EmptyFragments());
        var isYielding = false;
        for (var i = 0; i < 1000; i++)
        {
            var receiving = socket.ReceiveAsync(Memory<byte>.Empty, TestContext.Current.CancellationToken);
            isYielding |= !receiving.IsCompleted;
            await receiving;
        }
        Assert.True(isYielding);
    }

    /// <summary>Always has one more.</summary>
    private sealed class EmptyFragments : WebSocket
    {
        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Open;

        public override string? SubProtocol => null;

        public override void Abort()
        {
            // There is nothing to end.
        }

        public override void Dispose()
        {
            // There is nothing to end.
        }

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new ValueWebSocketReceiveResult(0, WebSocketMessageType.Binary, endOfMessage: false));

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
