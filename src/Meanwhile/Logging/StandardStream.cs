namespace Meanwhile.Logging;

/// <summary>
/// Standard output or standard error as a stream. A write waits for a reader that is slow, but no longer than a moment once the program has been told to stop. It fails when the
/// reader has gone.
/// </summary>
/// <param name="handle">As in <see cref="StandardHandle"/>.</param>
/// <param name="time">The clock.</param>
/// <param name="stop">From then on a write that makes no headway is given up.</param>
internal sealed class StandardStream(int handle, TimeProvider time, CancellationToken stop) : Stream
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private Task _writing = Task.CompletedTask;
    private bool _isGivenUp;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    /// <exception cref="OutputException">It cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Nobody reads it, and the program has been told to stop.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isGivenUp)
            throw new OperationCanceledException(stop);
        var bytes = buffer.ToArray(); // May outlive this call.
        _writing = Task.Factory.StartNew(() => StandardHandle.Write(handle, bytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await _writing.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _writing.WaitAsync(Patience, time, CancellationToken.None);
        }
        catch (TimeoutException e)
        {
            _isGivenUp = true;
            throw new OperationCanceledException("nobody reads it", e, stop);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => WriteAsync(buffer.ToArray()).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
