using System.Buffers;
using System.IO.Pipelines;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Trials.Verification;

/// <summary>Packets of MQTT 3.1.1, which every broker speaks, one by one over a connection. It remembers nothing: the delivery guarantees are those of whoever uses it.</summary>
internal sealed class PacketStream : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly PipeReader _input;
    private readonly PacketWriter _output = new();

    private PacketStream(Stream stream) => (_stream, _input) = (stream, PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)));

    /// <summary>Opens one, without a packet.</summary>
    public static async Task<PacketStream> OpenAsync(ClientOptions options, CancellationToken cancellationToken) =>
        new(await ServerStream.OpenAsync(options.Server, options.Tls, cancellationToken));

    /// <summary>Sends a packet.</summary>
    public async Task SendAsync(Action<PacketWriter> write, CancellationToken cancellationToken)
    {
        write(_output);
        await _stream.WriteAsync(_output.Written, cancellationToken);
        _output.Clear();
    }

    /// <summary>The next packet.</summary>
    /// <exception cref="IOException">There will be no more.</exception>
    public async Task<Frame> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (Frame.TryRead(ref buffer, Frame.LargestSize, ProtocolVersion.V311, out var frame))
            {
                var packet = frame with { Body = new ReadOnlySequence<byte>(frame.Body.ToArray()) };
                _input.AdvanceTo(buffer.Start);
                return packet;
            }
            _input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                throw new EndOfStreamException("the connection was closed");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync(); // Only this: a packet may still be waited for, into memory that the reader would give back.
        _output.Dispose();
    }
}
