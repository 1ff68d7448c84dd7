using System.IO.Pipelines;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>Where what a server sends is cut, by the network or by the end of the connection, at every byte.</summary>
public class ClientCutTests
{
    private const string Conversation5 =
        "90 { 00 02 {} | 02 } | 32 { 'a' 00 01 {} | \"one\" } | D0 00 | 34 { 'a' 00 02 { 26 'k' 'v' } | \"two\" } | 40 02 00 01 | 62 02 00 02 | 30 { 'b' {} | \"three\" }";

    private const string Conversation3 = "90 { 00 02 | 02 } | 32 { 'a' 00 01 | \"one\" } | D0 00 | 34 { 'a' 00 02 | \"two\" } | 40 02 00 01 | 62 02 00 02 | 30 { 'b' | \"three\" }";

    [Theory]
    [InlineData(ProtocolVersion.V5, Conversation5)]
    [InlineData(ProtocolVersion.V311, Conversation3)]
    public async Task Where_it_is_cut_makes_no_difference(ProtocolVersion version, string conversation)
    {
        var bytes = Bytes.Of(conversation);
        for (var cut = 0; cut <= bytes.Length; cut++)
            await HearsAllAsync(version, new PiecewiseStream([bytes.AsMemory(..cut), bytes.AsMemory(cut..)]));
        await HearsAllAsync(version, new PiecewiseStream(Enumerable.Range(0, bytes.Length).Select(at => (ReadOnlyMemory<byte>)bytes.AsMemory(at, 1))));
    }

    [Theory]
    [InlineData(ProtocolVersion.V5, Conversation5)]
    [InlineData(ProtocolVersion.V311, Conversation3)]
    public async Task Where_it_ends_only_what_is_complete_is_there(ProtocolVersion version, string conversation)
    {
        var bytes = Bytes.Of(conversation);
        var whole = new System.Buffers.ReadOnlySequence<byte>(bytes);
        var ends = new List<long>();
        while (Frame.TryRead(ref whole, Frame.LargestSize, version, out var frame))
        {
            if (frame.Type is PacketType.Publish or PacketType.PubRel)
                ends.Add(bytes.Length - whole.Length);
        }
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            using var side = new Side(version, new PiecewiseStream([bytes.AsMemory(..cut)], ends: true));
            Assert.Equal("the connection was closed", (await Assert.ThrowsAsync<MqttClientException>(() => side.RunAsync(TestContext.Current.CancellationToken))).Message);
            var count = 0;
            while (side.IncomingBuffer.Reader.TryRead(out _))
                count++;
            Assert.Equal(ends.Count(end => end <= cut), count);
        }
    }

    [Fact]
    public async Task Many_acknowledgements_go_out_in_one_write()
    {
        const int Messages = 1000;
        var stream = new PiecewiseStream(Enumerable.Range(1, Messages).Select(id => (ReadOnlyMemory<byte>)Bytes.Of($"32 {{ 'a' {id >> 8:X2} {id & 255:X2} {{}} }}")));
        using var side = new Side(ProtocolVersion.V5, stream);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = side.RunAsync(ends.Token);
        var batch = new List<Incoming>();
        while (batch.Count < Messages)
            batch.Add(await side.IncomingBuffer.Reader.ReadAsync(ends.Token));
        var before = stream.Writes;
        side.Complete([.. batch]);
        await Until.TrueAsync(() => stream.Written.Length == Messages * 4, () => $"{stream.Written.Length} bytes");
        Assert.Equal(1, stream.Writes - before);
        await ends.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    [Fact]
    public async Task A_slow_host_is_not_taken_for_a_silent_server()
    {
        var time = new FakeTimeProvider();
        var stream = new PiecewiseStream(Enumerable.Repeat((ReadOnlyMemory<byte>)Bytes.Of("30 { 'a' {} }"), 10_000)); // More than the host's queue holds.
        using var side = new Side(ProtocolVersion.V5, stream, time, TimeSpan.FromSeconds(10));
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = side.RunAsync(ends.Token); // Up to where it has to wait for the host.
        for (var ping = 1; ping <= 10; ping++)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await Until.TrueAsync(() => stream.Written.Count(part => part == 0xC0) == ping, () => Convert.ToHexString(stream.Written));
            var behind = new TaskCompletionSource<ReasonCode>(); // Says that the client knows that the ping was sent.
            lock (side.State.Gate)
                side.State.Add(new Outgoing(new Message { Topic = "p" }, 0, Retain: false, Answered: behind));
            side.Complete([]);
            await behind.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
        Assert.False(running.IsCompleted);
        Assert.Equal(8192, side.IncomingBuffer.Reader.Count);
        await ends.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private static async Task HearsAllAsync(ProtocolVersion version, PiecewiseStream stream)
    {
        using var side = new Side(version, stream);
        var request = new Request(PacketType.SubAck, 1, (writer, version, id) => new SubscribePacket(id, [new SubscriptionRequest("a", 2)]).Write(writer, version));
        var published = new TaskCompletionSource<ReasonCode>();
        side.State.Add(request);
        side.State.Add(new Outgoing(new Message { Topic = "p", Qos = 1 }, 1, Retain: false, Answered: published));
        using var writer = new PacketWriter(); // The server of this test has heard both before it says anything.
        side.State.Write(writer, TimeSpan.Zero, int.MaxValue);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = side.RunAsync(ends.Token);
        var heard = new List<string>();
        while (heard.Count < 4)
        {
            var incoming = await side.IncomingBuffer.Reader.ReadAsync(ends.Token);
            heard.Add(incoming.Message is { } message ? System.Text.Encoding.UTF8.GetString(message.Payload.Span) : $"{incoming.IdChange.Kind}");
            side.Complete([incoming]);
        }
        Assert.Equal(["one", "two", "Released", "three"], heard);
        Assert.Equal((ReasonCode.GrantedQos2, ReasonCode.Success), (Assert.Single(await request.Answered.Task), await published.Task));
        var expected = Bytes.Of("40 02 00 01 | 50 02 00 02 | 70 02 00 02");
        await Until.TrueAsync(() => stream.Written.Length >= expected.Length, () => Convert.ToHexString(stream.Written));
        Assert.Equal(expected, stream.Written);
        await ends.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    // A client's side of one connection that was accepted.
    private sealed class Side : IDisposable
    {
        private readonly ClientConnection _connection;

        public Side(ProtocolVersion version, Stream stream, TimeProvider? time = null, TimeSpan keepAlive = default)
        {
            var options = new ClientOptions { Server = new Uri("mqtt://nowhere"), ClientId = "c", KeepAlive = keepAlive, Time = time ?? TimeProvider.System };
            State = new ClientState(options);
            var answer = new ConnAckPacket(SessionPresent: false, ReasonCode.Success);
            State.Connected(answer, version);
            _connection = new ClientConnection(new OpenConnection(stream, PipeReader.Create(stream), version, answer), State, IncomingBuffer, options);
        }

        public ClientState State { get; }

        public IncomingBuffer IncomingBuffer { get; } = new();

        public Task RunAsync(CancellationToken cancellationToken) =>
            _connection.RunAsync(change: null, ends => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ends), cancellationToken);

        public void Dispose() => _connection.Dispose();

        public void Complete(ReadOnlySpan<Incoming> batch)
        {
            lock (State.Gate)
            {
                foreach (var incoming in batch)
                    State.Complete(incoming);
            }
            IncomingBuffer.Complete(batch);
            _connection.WakeUp();
        }
    }
}
