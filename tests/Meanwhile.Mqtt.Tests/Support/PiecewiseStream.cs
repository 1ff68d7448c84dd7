namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A connection without a network: what comes is given piece by piece, and what is sent is kept.</summary>
/// <param name="pieces">One for each read.</param>
/// <param name="ends">After them the stream ends; otherwise nothing more comes.</param>
internal sealed class PiecewiseStream(IEnumerable<ReadOnlyMemory<byte>> pieces, bool ends = false) : Stream
{
    private readonly Queue<ReadOnlyMemory<byte>> _pieces = new(pieces.Where(piece => piece.Length > 0));
    private readonly MemoryStream _written = new();

    /// <summary>How often something was written.</summary>
    public int Writes { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What was written so far.</summary>
    public byte[] Written
    {
        get
        {
            lock (_written)
                return _written.ToArray();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_pieces.TryDequeue(out var piece))
        {
            piece.CopyTo(buffer);
            return piece.Length;
        }
        if (!ends)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return 0;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_written)
        {
            _written.Write(buffer.Span);
            Writes++;
        }
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
