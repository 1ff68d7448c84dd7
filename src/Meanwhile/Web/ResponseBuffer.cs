using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>An answer, in pieces: it is collected before it is sent, so that a slow reader holds neither the store nor the windows, and given back piece by piece.</summary>
internal sealed class ResponseBuffer(ResponseMemory memory) : IBufferWriter<byte>, IDisposable
{
    // One of this size is free, so that small answers are to be had at any time.
    private const int FirstPiece = 16 << 10;
    private const int NextPiece = 64 << 10;

    // For a piece: what the reader does not take is wanted for others.
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(5);

    private readonly Queue<(byte[] Bytes, int Length)> _full = new();
    private byte[] _bytes = [];
    private int _length;
    private long _before;

    /// <summary>In bytes.</summary>
    public long Length => _before + _length;

    /// <summary>It is as long as an answer may be.</summary>
    public bool IsFull => Length >= ResponseMemory.LargestResponse;

    /// <inheritdoc/>
    public void Advance(int count) => _length += count;

    /// <inheritdoc/>
    /// <exception cref="ProblemException">All answers together hold too much.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_bytes.Length - _length < Math.Max(1, sizeHint))
            Grow(sizeHint);
        return _bytes.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Writes a text.</summary>
    public void Write(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, this);

    /// <summary>Sends it.</summary>
    /// <exception cref="OperationCanceledException">The reader does not take it.</exception>
    public async Task SendAsync(HttpContext context, string contentType)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = Length;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        Push();
        while (_full.TryPeek(out var piece))
        {
            await context.Response.WriteAsync(piece.Bytes.AsMemory(0, piece.Length), LongestStall, memory.Time, context.RequestAborted);
            Return(_full.Dequeue().Bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Push();
        while (_full.TryDequeue(out var piece))
            Return(piece.Bytes);
    }

    private void Grow(int least)
    {
        var size = Math.Max(_bytes.Length == 0 ? FirstPiece : NextPiece, least);
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            if (bytes.Length > FirstPiece)
                memory.Take(bytes.Length);
        }
        catch (ProblemException)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            throw;
        }
        Push();
        _bytes = bytes;
    }

    private void Push()
    {
        if (_bytes.Length > 0)
            _full.Enqueue((_bytes, _length));
        (_bytes, _length, _before) = ([], 0, Length);
    }

    private void Return(byte[] bytes)
    {
        if (bytes.Length > FirstPiece)
            memory.Give(bytes.Length);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
